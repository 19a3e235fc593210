"""``html``: the links on a web page, or a table on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, Literal

from pydantic import Field, model_validator

from blocklist.domain.listing import Entry, Rejected
from blocklist.formats.lines import Encoding
from blocklist.formats.sandbox.subprocess_reader import DEFAULT_MAX_BYTES, rows_in_subprocess
from blocklist.formats.table import Columns, TableOptions, below, entries_of

#: A link that leads to another site; what is relative, a fragment or ``mailto:`` leads to none.
_ELSEWHERE = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)


class HtmlOptions(TableOptions):
    """Options of ``html``: those of a table and which one, or (without ``column``) which links.

    ``select`` is a CSS selector: of the links (``main li a``), or of the tables, of which ``table`` is the number from
    1. ``take`` says what counts of a link or cell: the address it leads to (``href``) or the words that are shown
    (``text``); without, ``href`` of links and ``text`` of cells. ``encoding`` overrides what the page declares.
    """

    column: Columns | None = None  # type: ignore[assignment]  # without it, the page is read for links
    select: str | None = Field(None, min_length=1, max_length=1_000)
    table: int = Field(1, ge=1, le=1_000)
    take: Literal["href", "text"] | None = None
    encoding: Encoding | None = None

    @model_validator(mode="after")
    def _a_table_or_links(self) -> HtmlOptions:
        if self.column is not None:
            return self
        if self.select is None:
            raise ValueError(
                "say what on the page is the list: column=… for a table, or select=… (a CSS selector such as "
                "'main li a') for links; with every link on it, the publisher's own menu would be listed"
            )
        for option in sorted(self.model_fields_set - {"column", "select", "take", "encoding", "member"}):
            raise ValueError(f"{option} is for a table: give column too, or leave it out")
        return self

    @property
    def sites(self) -> list[int | str]:
        """The columns that may hold the site's address; none where the page is read for links."""
        return super().sites if self.column is not None else []


def parse(body: BinaryIO, options: HtmlOptions, max_bytes: int = DEFAULT_MAX_BYTES) -> Iterator[Entry | Rejected]:
    """Yield one Entry per link to another site, or per value in the site's cell of each row of the table.

    Positions count the links that ``select`` finds, or the rows of the table with its header, from 1.

    :raises UnreadableFeedError: nothing on the page is what the options name.
    """
    is_table = options.column is not None
    wanted = {
        "select": options.select,
        "table": is_table,
        "number": options.table,
        "take": options.take or ("text" if is_table else "href"),
        "encoding": options.encoding,
    }
    rows = rows_in_subprocess("html", body, wanted, max_bytes)
    if is_table:
        yield from entries_of(below(rows, options.skip_rows), options, lined=True)
        return
    for number, (site, *_) in rows:
        if wanted["take"] == "text" or _ELSEWHERE.match(site):
            yield Entry(site, number)
