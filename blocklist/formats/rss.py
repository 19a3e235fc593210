"""``rss`` and ``atom``: the items of a news feed as the rows of a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from pydantic import model_validator

from blocklist.domain.listing import Entry, Rejected
from blocklist.formats.base import Format
from blocklist.formats.sandbox.protocol import NEWS_COLUMNS
from blocklist.formats.sandbox.subprocess_reader import DEFAULT_MAX_BYTES, rows_in_subprocess
from blocklist.formats.table import Columns, TableOptions, entries_of

_CPU_SECONDS = 60


class NewsOptions(TableOptions):
    """Options of ``rss`` and ``atom``: those of a table, whose columns are the fields of an item.

    ``column``: the field with the site's address, ``link`` or often ``title``.
    """

    column: Columns = "link"

    @model_validator(mode="after")
    def _known_columns(self) -> NewsOptions:
        if not self.header or self.skip_rows:
            raise ValueError("a news feed has no header and no rows to skip: leave out header and skip_rows")
        for option, columns in self.columns_named().items():
            for column in columns:
                if column not in NEWS_COLUMNS:
                    known = ", ".join(NEWS_COLUMNS)
                    raise ValueError(f"{option}: an item of a news feed has no {column!r}; it has {known}")
        return self


def parse(body: BinaryIO, options: NewsOptions, max_bytes: int = DEFAULT_MAX_BYTES) -> Iterator[Entry | Rejected]:
    """Yield one Entry per value in the site's column of each item; positions count the items from 1.

    :raises UnreadableFeedError: the body is not a news feed, is cut off or is damaged.
    """
    rows = rows_in_subprocess("rss", body, {}, max_bytes, _CPU_SECONDS)
    return entries_of(rows, options, "item {}".format)


FORMATS = tuple(Format(name, NewsOptions, parse, "markup") for name in ("rss", "atom"))
