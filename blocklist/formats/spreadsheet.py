"""``xlsx``, ``xls``, ``ods``: one sheet of a spreadsheet. The values that formulas last gave, never the formulas."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from typing import Annotated, BinaryIO

from pydantic import BeforeValidator, Field, model_validator

from blocklist.domain.errors import UnreadableFeedError
from blocklist.domain.listing import Entry, Rejected
from blocklist.formats.sandbox.subprocess_reader import DEFAULT_MAX_BYTES, rows_in_subprocess
from blocklist.formats.table import TableOptions, below, entries_of
from blocklist.formats.zips import check_sizes

_BEGINNINGS = {b"PK\x03\x04": "xlsx or ods", b"\xd0\xcf\x11\xe0": "xls"}


def _sheet(value: object) -> object:
    return int(value) if isinstance(value, str) and value.strip().isdigit() else value


class SheetOptions(TableOptions):
    """Options of a spreadsheet: those of a table, and where in it the table is.

    ``sheet`` is a name, or a number from 1; without, the first sheet that is not hidden. ``header_row`` is the number
    of the row that names the columns, as a spreadsheet program shows it: ``header_row=4`` says ``skip_rows=3``.
    """

    sheet: Annotated[int | str | None, BeforeValidator(_sheet)] = None
    header_row: int | None = Field(None, ge=1, le=1_000_001)

    @model_validator(mode="after")
    def _one_header(self) -> SheetOptions:
        if self.header_row is not None and (self.skip_rows or not self.header):
            raise ValueError("header_row says where the header is: leave skip_rows and header out")
        if self.sheet in (0, ""):
            raise ValueError("sheet: sheets have names, and count from 1")
        return self


def parse(body: BinaryIO, options: SheetOptions, max_bytes: int = DEFAULT_MAX_BYTES) -> Iterator[Entry | Rejected]:
    """Yield one Entry per value in the site's cell of each row; positions are the row numbers of the sheet.

    :raises UnreadableFeedError: it is no spreadsheet, is locked, opens to more than it may, or lacks a sheet or column.
    """
    head = body.read(4)
    body.seek(0)
    if head not in _BEGINNINGS:
        raise UnreadableFeedError(f"the body is not a spreadsheet: it begins with {head!r}")
    if head == b"PK\x03\x04":
        try:
            check_sizes(body, max_bytes)
        except zipfile.BadZipFile as error:
            raise UnreadableFeedError(f"the body is not a spreadsheet that can be opened: {error}") from None
    rows = rows_in_subprocess("spreadsheet", body, {"sheet": options.sheet}, max_bytes)
    skipped = options.header_row - 1 if options.header_row else options.skip_rows
    yield from entries_of(below(rows, skipped), options)
