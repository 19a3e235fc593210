"""``xlsx``, ``xls``, ``ods``: one sheet of a spreadsheet; of a formula, the value that was last calculated is read."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from typing import Annotated, BinaryIO, Literal

from pydantic import BeforeValidator, Field, model_validator

from blocklist.domain.errors import UnreadableFeedError
from blocklist.domain.listing import Entry, Rejected
from blocklist.formats.base import Format
from blocklist.formats.sandbox.subprocess_reader import DEFAULT_MAX_BYTES, rows_in_subprocess
from blocklist.formats.table import TableOptions, entries_of, number_or_name, rows_below
from blocklist.formats.zips import check_sizes

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_CPU_SECONDS = 120


class SheetOptions(TableOptions):
    """Options of a spreadsheet: those of a table, and where the table is.

    ``sheet``: a name, or a number from 1, or ``*`` for all sheets that have the header of the first. Without it the
    first sheet that is not hidden is read, and a rejected row says if another one has the same header. ``header_row``:
    the number of the row that names the columns, as a spreadsheet program shows it; ``header_row=4`` is the same as
    ``skip_rows=3``. ``take``: of a site's cell with a link, read the ``text`` shown, or ``href``, where the link leads.
    """

    sheet: Annotated[int | str | None, BeforeValidator(number_or_name)] = None
    header_row: int | None = Field(None, ge=1, le=1_000_001)
    take: Literal["href", "text"] = "text"

    @model_validator(mode="after")
    def _one_header(self) -> SheetOptions:
        if self.header_row is not None and (self.skip_rows or not self.header):
            raise ValueError("header_row already says where the header is: leave out skip_rows and header")
        if self.sheet in (0, ""):
            raise ValueError("sheet: give a name, or a number from 1")
        return self


def parse(body: BinaryIO, options: SheetOptions, max_bytes: int = DEFAULT_MAX_BYTES) -> Iterator[Entry | Rejected]:
    """Yield one Entry per value in the site's cell of each row; positions are the row numbers of the sheet.

    :raises UnreadableFeedError: the body is not a spreadsheet, is locked or too large, or has no such sheet or column.
    """
    head = body.read(4)
    body.seek(0)
    if head not in (_ZIP, _OLE):
        raise UnreadableFeedError(f"the body is not a spreadsheet: it begins with {head!r}")
    if head == _ZIP:
        try:
            check_sizes(body, max_bytes)
        except zipfile.BadZipFile as error:
            raise UnreadableFeedError(f"the body is not a spreadsheet that can be opened: {error}") from None
    skipped = options.header_row - 1 if options.header_row else options.skip_rows
    reader_options = {"sheet": options.sheet, "header": options.header, "skip": skipped}
    rows = rows_in_subprocess("spreadsheet", body, reader_options, max_bytes, _CPU_SECONDS)
    yield from entries_of(rows_below(rows, skipped), options)


FORMATS = tuple(Format(name, SheetOptions, parse, "binary") for name in ("xlsx", "xls", "ods"))
