"""``html``: the links on a web page, or a table on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, BinaryIO, Literal

from pydantic import Field, model_validator

from blocklist.domain.listing import Entry, Rejected
from blocklist.formats.base import Format
from blocklist.formats.marks import mark_of, unmarked
from blocklist.formats.sandbox.subprocess_reader import DEFAULT_MAX_BYTES, rows_in_subprocess
from blocklist.formats.table import OptionalTableOptions, entries_of, rows_below
from blocklist.formats.text_body import Encoding

#: A link to another site; relative links, fragments and ``mailto:`` are not.
_OTHER_SITE = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
#: Only a page made for it takes longer: nested tags cost the square of their depth.
_CPU_SECONDS = 20


class HtmlOptions(OptionalTableOptions):
    """Options of ``html``: those of a table; without ``column``, the links of the page are read.

    ``select``: a CSS selector of the links (``main li a``) or of the tables. ``table``: the number, from 1, of the
    table among those, or ``*`` for all that have the header of the first. Without it the first is read, and a rejected
    row says if another one has the same header. ``take``: read the address of a link (``href``) or the text shown
    (``text``); the default is ``href`` for links and ``text`` for cells. ``encoding``: overrides the one that the page
    declares.
    """

    select: str | None = Field(None, min_length=1, max_length=1_000)
    table: Annotated[int, Field(ge=1, le=1_000)] | Literal["*"] | None = None
    take: Literal["href", "text"] | None = None
    encoding: Encoding | None = None

    @model_validator(mode="after")
    def _a_table_or_links(self) -> HtmlOptions:
        if self.column is not None:
            return self
        if self.select is None:
            raise ValueError(
                "the list on the page is not specified: set column=… for a table, or select=… (a CSS selector such as "
                "'main li a') for links; without a selector, the publisher's own menu would be listed"
            )
        self._refuse_without_table({"select", "take", "encoding", "withdrawn"})
        return self


def parse(body: BinaryIO, options: HtmlOptions, max_bytes: int = DEFAULT_MAX_BYTES) -> Iterator[Entry | Rejected]:
    """Yield one Entry per link to another site, or per value in the site's cell of each row of the table.

    Positions count from 1: the links that ``select`` finds, or the rows of the table including its header.

    :raises UnreadableFeedError: the page has no such links or table.
    """
    is_table = options.column is not None
    reader_options = {
        "select": options.select,
        "table": is_table,
        "number": options.table,
        "header": options.header,
        "skip": options.skip_rows,
        "take": options.take or ("text" if is_table else "href"),
        "encoding": options.encoding,
    }
    rows = rows_in_subprocess("html", body, reader_options, max_bytes, _CPU_SECONDS)
    if is_table:
        yield from entries_of(rows_below(rows, options.skip_rows), options, multiline=True)
        return
    for number, (cell, *_) in rows:
        site = unmarked(cell)
        if reader_options["take"] != "text" and not _OTHER_SITE.match(site):
            continue
        if mark := mark_of(cell, read_withdrawn=options.withdrawn == "read"):
            yield Rejected(site[:200], number, mark.code, f"link {number} {mark.reason}")
        else:
            yield Entry(site, number)


FORMATS = (Format("html", HtmlOptions, parse, "markup"),)
