"""``rss`` and ``atom``: the items of a news feed as the rows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, BinaryIO

from pydantic import BeforeValidator, model_validator

from blocklist.domain.errors import UnreadableFeedError
from blocklist.domain.listing import Entry, Rejected
from blocklist.formats.addresses_in_text import addresses_in
from blocklist.formats.base import Format
from blocklist.formats.sandbox.protocol import NEWS_COLUMNS
from blocklist.formats.sandbox.subprocess_reader import DEFAULT_MAX_BYTES, rows_in_subprocess
from blocklist.formats.table import Columns, NumberedRows, Row, TableOptions, entries_of
from blocklist.normalize.hosts import normalize_host
from blocklist.normalize.rules import site_of

_CPU_SECONDS = 60


def _fields(value: object) -> object:
    return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value


class NewsOptions(TableOptions):
    """Options of ``rss`` and ``atom``: those of a table, whose columns are the fields of an item.

    ``column``: the field with the site's address, ``link`` or often ``title``. ``find``: instead, the fields in whose
    text the addresses of sites are, such as ``title`` and ``summary``.
    """

    column: Columns = "link"
    find: Annotated[tuple[str, ...], BeforeValidator(_fields)] = ()

    @model_validator(mode="after")
    def _known_columns(self) -> NewsOptions:
        if not self.header or self.skip_rows:
            raise ValueError("a news feed has no header and no rows to skip: leave out header and skip_rows")
        if self.find and not self.model_fields_set.isdisjoint(("column", "values")):
            raise ValueError("find looks for the sites in texts, column takes them from a field: set one of the two")
        named: dict[str, list[int | str]] = {**self.columns_named(), "find": [*self.find]}
        for option, columns in named.items():
            for column in columns:
                if column not in NEWS_COLUMNS:
                    known = ", ".join(NEWS_COLUMNS)
                    raise ValueError(f"{option}: an item of a news feed has no {column!r}; it has {known}")
        return self


def parse(body: BinaryIO, options: NewsOptions, max_bytes: int = DEFAULT_MAX_BYTES) -> Iterator[Entry | Rejected]:
    """Yield one Entry per value in the site's column of each item, or per address in its text.

    Positions count the items from 1.

    :raises UnreadableFeedError: the body is not a news feed, is cut off or is damaged; or all its links lead to one
        host, which is the publisher's own.
    """
    rows = rows_in_subprocess("rss", body, {}, max_bytes, _CPU_SECONDS)
    if options.find:
        found = options.model_copy(update={"column": len(NEWS_COLUMNS) + 1, "values": "\n"})
        return entries_of(_with_addresses(rows, options.find), found, "item {}".format)
    if "column" not in options.model_fields_set:
        rows = _with_links_to_sites(rows)
    return entries_of(rows, options, "item {}".format)


def _with_addresses(rows: NumberedRows, fields: Iterable[str]) -> NumberedRows:
    """Yield the rows with one more column: the addresses in the text of these fields, one a line."""
    columns = [NEWS_COLUMNS.index(field) for field in fields]
    for number, row in rows:
        # The last cells of a row are left out where they are empty.
        full = [*row, *[""] * (len(NEWS_COLUMNS) - len(row))]
        texts = [full[column] for column in columns] if number else []
        yield number, [*full, "\n".join(dict.fromkeys(address for text in texts for address in addresses_in(text)))]


def _with_links_to_sites(rows: NumberedRows) -> NumberedRows:
    kept = list(rows)
    link = NEWS_COLUMNS.index("link")
    hosts = [host for number, row in kept if number and (host := _host(row, link))]
    if len(hosts) > 1 and len(set(hosts)) == 1:
        raise UnreadableFeedError(
            f"all {len(hosts)} links of the news feed lead to {hosts[0]}, which is the publisher's own site: set the "
            "option find=title,summary to read the sites in these texts, column=title if the title is the site, or "
            "column=link if these links are meant"
        )
    yield from kept


def _host(row: Row, link: int) -> str | None:
    try:
        return site_of(normalize_host(row[link]))
    except (ValueError, IndexError):
        return None


FORMATS = tuple(Format(name, NewsOptions, parse, "markup") for name in ("rss", "atom"))
