"""``rss`` and ``atom``: the items of a news feed, each a row whose columns are what an item has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from pydantic import model_validator

from blocklist.domain.listing import Entry, Rejected
from blocklist.formats.sandbox.subprocess_reader import DEFAULT_MAX_BYTES, rows_in_subprocess
from blocklist.formats.table import Columns, TableOptions, entries_of

#: What an item has. The list of the module in the sandbox, which must not be loaded here; a test compares them.
COLUMNS = ("title", "link", "id", "summary", "published", "updated", "author", "category")


class NewsOptions(TableOptions):
    """Options of ``rss`` and ``atom``: those of a table whose columns are what an item has.

    ``column`` is where the site stands: ``link`` unless told otherwise, often ``title``.
    """

    column: Columns = "link"

    @model_validator(mode="after")
    def _known_columns(self) -> NewsOptions:
        if not self.header or self.skip_rows:
            raise ValueError("a news feed has no header and no rows to skip: leave header and skip_rows out")
        for option, columns in self.columns_named().items():
            for column in columns:
                if column not in COLUMNS:
                    raise ValueError(f"{option}: an item of a news feed has no {column!r}; it has {', '.join(COLUMNS)}")
        return self


def parse(body: BinaryIO, options: NewsOptions, max_bytes: int = DEFAULT_MAX_BYTES) -> Iterator[Entry | Rejected]:
    """Yield one Entry per value in the site's column of each item; positions count the items from 1.

    :raises UnreadableFeedError: it is no news feed, or is cut off or damaged.
    """
    return entries_of(rows_in_subprocess("rss", body, {}, max_bytes), options, "item {}".format)
