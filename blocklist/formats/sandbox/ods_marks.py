"""The marks of a sheet in an OpenDocument spreadsheet (OpenDocument 1.3, part 3, sections 9.1 and 16)."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field

from blocklist.formats.sandbox.sheet_marks import Merged, Place, Rows, SheetMarks, parse_xml, part_of

#: The most repetitions of a row or cell, and rows that a cell may span: those of a sheet.
_MAX_ROWS = 1_048_576
#: The most cells of one repeated cell or row that are marked.
_MAX_MARKED = 10_000
_START = Place(0, 0)


def ods_marks(archive: zipfile.ZipFile, sheet: str) -> SheetMarks:
    """Return the marks of a sheet, by its name."""
    reader = _ContentReader(sheet)
    with part_of(archive, "content.xml") as part:
        if part is not None:
            parse_xml(part, reader.started, reader.ended)
    return reader.marks


def _number(attributes: dict[str, str], name: str) -> int:
    text = attributes.get(name, "")
    return min(max(int(text), 1), _MAX_ROWS) if text.isdecimal() and text.isascii() else 1


@dataclass(slots=True)
class _ContentReader:
    """Reads ``content.xml``: the styles that come first, then the rows of the sheet."""

    sheet: str
    marks: SheetMarks = field(default_factory=SheetMarks)
    _struck: set[str] = field(default_factory=set)
    _style: str = ""
    #: How many tables the reader is within; a table in a cell is part of that cell.
    _depth: int = 0
    _is_wanted: bool = False
    #: The groups of rows around the reader, and whether each is folded.
    _groups: list[bool] = field(default_factory=list)
    _place: Place = _START
    _rows: int = 1
    _columns: int = 1

    def started(self, element: str, attributes: dict[str, str]) -> None:
        """Take the begin of an element."""
        if element == "style":
            self._style = attributes.get("name", "")
        elif element == "text-properties" and self._style:
            if attributes.get("text-line-through-style", "none") != "none":
                self._struck.add(self._style)
        elif element == "table":
            self._depth += 1
            if self._depth == 1:
                self._is_wanted = attributes.get("name") == self.sheet
                self._place = Place(0, 0)
        elif self._is_wanted and self._depth == 1:
            self._in_sheet(element, attributes)

    def ended(self, element: str) -> None:
        """Take the end of an element."""
        if element == "style":
            self._style = ""
        elif element == "table":
            self._depth -= 1
        elif not (self._is_wanted and self._depth == 1):
            return
        elif element == "table-row":
            self._place = Place(self._place.row + self._rows, 0)
        elif element in ("table-cell", "covered-table-cell"):
            self._place = Place(self._place.row, self._place.column + self._columns)
        elif element == "table-row-group":
            self._groups.pop()

    def _in_sheet(self, element: str, attributes: dict[str, str]) -> None:
        if element == "table-row-group":
            self._groups.append(attributes.get("display") == "false")
        elif element == "table-row":
            self._rows = _number(attributes, "number-rows-repeated")
            if attributes.get("visibility") in ("collapse", "filter") or any(self._groups):
                self.marks.hidden.append(Rows(self._place.row, self._place.row + self._rows - 1))
        elif element in ("table-cell", "covered-table-cell"):
            self._columns = _number(attributes, "number-columns-repeated")
            spanned = _number(attributes, "number-rows-spanned")
            if spanned > 1:
                last = Place(self._place.row + spanned - 1, self._place.column)
                self.marks.merged.append(Merged(self._place, last))
            if attributes.get("style-name") in self._struck:
                self._mark_struck()
        elif element == "span" and attributes.get("style-name") in self._struck:
            self._mark_struck()
        elif element == "a" and attributes.get("href"):
            self.marks.links[self._place] = attributes["href"]

    def _mark_struck(self) -> None:
        row, column = self._place
        columns = range(column, column + min(self._columns, 100))
        rows = range(row, row + min(self._rows, _MAX_MARKED))
        self.marks.struck.update(Place(each, place) for each in rows for place in columns)
