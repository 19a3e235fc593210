"""Spreadsheets (xlsx, xls, ods), read by calamine."""

from __future__ import annotations

import datetime
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.parsers import expat

from python_calamine import CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from blocklist.formats.sandbox.protocol import DocumentError


def rows(file: BinaryIO, options: dict[str, Any]) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of one sheet with the row numbers that a spreadsheet program shows.

    ``sheet`` is a name, or a number from 1 among all sheets; by default, the first visible one.

    :raises DocumentError: there is no such sheet, the file needs a password, or a part of it is not well-formed.
    """
    _check_parts(file)
    try:
        book = CalamineWorkbook.from_filelike(file)
    except PasswordError:
        raise DocumentError("the spreadsheet is locked with a password: ask its publisher for one without") from None
    sheet = book.get_sheet_by_name(_sheet_name(book, options.get("sheet")))
    # calamine returns all rows from the first, but cells only from the first used column.
    before = [""] * (sheet.start[1] if sheet.start else 0)
    for number, row in enumerate(sheet.iter_rows(), 1):
        yield number, before + [_text(cell) for cell in row]


def _check_parts(file: BinaryIO) -> None:
    """Make sure that the parts of a workbook are XML: calamine ignores a damaged tag and joins two cells into one."""
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            for name in archive.namelist():
                if name == "content.xml" or (name.startswith("xl/") and name.endswith(".xml")):
                    try:
                        with archive.open(name) as part:
                            expat.ParserCreate().ParseFile(part)
                    except expat.ExpatError as error:
                        raise DocumentError(f"damaged: {name} is not XML that can be read: {error}") from None
    file.seek(0)


def _sheet_name(book: CalamineWorkbook, wanted: str | int | None) -> str:
    names = book.sheet_names
    if wanted is None:
        for known in book.sheets_metadata:
            if known.typ is SheetTypeEnum.WorkSheet and known.visible is SheetVisibleEnum.Visible:
                return known.name
        raise DocumentError("the spreadsheet has no visible sheet: set the option sheet")
    if isinstance(wanted, int) and 0 < wanted <= len(names):
        return names[wanted - 1]
    if str(wanted) in names:
        return str(wanted)
    raise DocumentError(f"sheet: there is no sheet {wanted!r}, only {', '.join(map(repr, names))[:300]}")


def _text(cell: object) -> str:
    """Return a cell as people write it: whole numbers without ``.0``, dates without the time 00:00."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat() if cell.time() == datetime.time() else cell.isoformat(sep=" ")
    return str(cell)
