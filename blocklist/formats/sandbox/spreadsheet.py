"""Spreadsheets (xlsx, xls, ods), read by calamine."""

from __future__ import annotations

import datetime
import zipfile
from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO
from xml.parsers import expat

from python_calamine import CalamineSheet, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from blocklist.formats.sandbox.ods_marks import ods_marks
from blocklist.formats.sandbox.protocol import HIDDEN, LINK, NOT_READ, STRUCK, DocumentError
from blocklist.formats.sandbox.sheet_marks import Merged, Place, SheetMarks
from blocklist.formats.sandbox.xlsx_marks import xlsx_marks

#: The most rows of a sheet in old and new programs. One with exactly as many rows was probably cut off.
_FULL = (65_536, 1_048_576)
#: Characters of the longest text that counts in every row of its merged cells: a longer one is no order number.
_MAX_SPANNING = 500


def rows(file: BinaryIO, options: dict[str, Any]) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of one sheet with the row numbers that a spreadsheet program shows.

    ``sheet`` is a name, or a number from 1 among all sheets; ``*`` for all visible sheets that have the header of the
    first, which are numbered on; by default, the first visible one. A last row says what was not read.

    :raises DocumentError: there is no such sheet, the file needs a password, or a part of it is not well-formed.
    """
    _check_parts(file)
    try:
        book = CalamineWorkbook.from_filelike(file)
    except PasswordError:
        raise DocumentError("the spreadsheet is locked with a password: ask its publisher for one without") from None
    wanted = options.get("sheet")
    first = book.get_sheet_by_name(_sheet_name(book, None if wanted == "*" else wanted))
    last = 0
    for last, row in _sheet_rows(file, first):
        yield last, row
    if last in _FULL:
        yield last + 1, [NOT_READ, f"sheet {first.name!r} is full, so the program that wrote it may have cut rows off"]
    if wanted not in (None, "*") or not (header := _header(first, options)):
        return
    for name in _visible(book):
        sheet = book.get_sheet_by_name(name)
        if name == first.name or _header(sheet, options) != header:
            continue
        if wanted is None:
            sentence = (
                f"sheet {name!r} has the same header as {first.name!r}, and was not read: set the option sheet to * "
                f"to read all such sheets, or to the name of one"
            )
            yield last + 1, [NOT_READ, sentence]
            return
        number = 0
        for number, row in _sheet_rows(file, sheet):
            if number > options["skip"] + 1:
                yield last + number, row
        last += number


def _sheet_rows(file: BinaryIO, sheet: CalamineSheet) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a sheet with their marks, and with the cells that are merged over several rows in each."""
    marks = _marks(file, sheet.name)
    hidden = iter(marks.hidden)
    concealed = next(hidden, None)
    merged = sorted(marks.merged or _merged(sheet), reverse=True)
    spanning: list[tuple[Merged, str]] = []
    # calamine returns all rows from the first, but cells only from the first used column.
    before = [""] * (sheet.start[1] if sheet.start else 0)
    for index, values in enumerate(sheet.iter_rows()):
        row = before + [_text(value) for value in values]
        spanning = [(area, text) for area, text in spanning if area.last.row >= index]
        if any(row):
            for area, text in spanning:
                if area.first.column < len(row):
                    row[area.first.column] = text
        while merged and merged[-1].first.row <= index:
            area = merged.pop()
            text = row[area.first.column] if area.first.row == index and area.first.column < len(row) else ""
            if text and area.last.row > index and len(text) <= _MAX_SPANNING:
                spanning.append((area, text))
        while concealed and concealed.last < index:
            concealed = next(hidden, None)
        yield index + 1, _marked(row, index, marks, is_hidden=bool(concealed and concealed.first <= index))


def _marked(row: list[str], index: int, marks: SheetMarks, *, is_hidden: bool) -> list[str]:
    """Return a row with the marks of its cells; the target of a link comes after the text."""
    if not (is_hidden or marks.struck or marks.links):
        return row
    marked = []
    for column, text in enumerate(row):
        place = Place(index, column)
        sign = HIDDEN if is_hidden else STRUCK if place in marks.struck else ""
        link = marks.links.get(place, "")
        marked.append(f"{sign if text else ''}{text}{LINK if link else ''}{link}")
    return marked


def _marks(file: BinaryIO, sheet: str) -> SheetMarks:
    file.seek(0)
    if not zipfile.is_zipfile(file):
        return SheetMarks()
    with zipfile.ZipFile(file) as archive:
        return ods_marks(archive, sheet) if "content.xml" in archive.NameToInfo else xlsx_marks(archive, sheet)


def _merged(sheet: CalamineSheet) -> list[Merged]:
    return [Merged(Place(*first), Place(*last)) for first, last in sheet.merged_cell_ranges or ()]


def _header(sheet: CalamineSheet, options: dict[str, Any]) -> list[str]:
    """Return the header of a sheet; empty if sheets have none."""
    if not options["header"]:
        return []
    cells = next(islice(sheet.iter_rows(), options["skip"], None), [])
    return [text for cell in cells if (text := _text(cell).strip())]


def _visible(book: CalamineWorkbook) -> list[str]:
    return [
        known.name
        for known in book.sheets_metadata
        if known.typ is SheetTypeEnum.WorkSheet and known.visible is SheetVisibleEnum.Visible
    ]


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
        if visible := _visible(book):
            return visible[0]
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
