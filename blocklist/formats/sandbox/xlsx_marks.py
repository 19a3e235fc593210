"""The marks of a sheet in an ``xlsx`` workbook (ECMA-376, part 1, section 18)."""

from __future__ import annotations

import posixpath
import re
import zipfile
from dataclasses import dataclass, field
from typing import IO
from xml.parsers import expat

from blocklist.formats.sandbox.sheet_marks import Place, Rows, SheetMarks, local, parse_xml, part_of

_WORKBOOK = "xl/workbook.xml"
_PLACE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})")
#: The function of a formula that makes its cell a link (section 18.17.7.159).
_LINK = re.compile(r"\s*(?:_xlfn\.)?HYPERLINK\s*\(\s*\"([^\"]+)\"", re.IGNORECASE)
#: The most cells that one link covers; a larger range is a mistake.
_MAX_LINKED = 10_000
_BEFORE = Place(-1, -1)


def xlsx_marks(archive: zipfile.ZipFile, sheet: str) -> SheetMarks:
    """Return the marks of a sheet, by its name; no marks if the workbook has no such part in XML."""
    path = _sheet_path(archive, sheet)
    with part_of(archive, path) as part:
        if part is None:
            return SheetMarks()
        reader = _SheetReader(_struck_styles(archive), _struck_strings(archive), _targets(archive, path))
        reader.read(part)
    return reader.marks


def _targets(archive: zipfile.ZipFile, path: str) -> dict[str, str]:
    """Return the targets that a part refers to, by the id of the relationship."""
    folder, name = posixpath.split(path)
    targets: dict[str, str] = {}

    def started(element: str, attributes: dict[str, str]) -> None:
        if element == "Relationship":
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    with part_of(archive, f"{folder}/_rels/{name}.rels") as part:
        if part is not None:
            parse_xml(part, started)
    return targets


def _sheet_path(archive: zipfile.ZipFile, sheet: str) -> str:
    """Return the name of the part that a sheet is; empty if there is none."""
    related = ""

    def started(element: str, attributes: dict[str, str]) -> None:
        nonlocal related
        if element == "sheet" and attributes.get("name") == sheet:
            related = attributes.get("id", "")

    with part_of(archive, _WORKBOOK) as part:
        if part is not None:
            parse_xml(part, started)
    target = _targets(archive, _WORKBOOK).get(related, "")
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")


def _is_on(attributes: dict[str, str]) -> bool:
    return attributes.get("val", "1") not in ("0", "false")


def _struck_styles(archive: zipfile.ZipFile) -> frozenset[str]:
    """Return the numbers of the cell styles whose font is struck through."""
    within: list[str] = []
    fonts: list[bool] = []
    struck: set[str] = set()
    styles = 0

    def started(element: str, attributes: dict[str, str]) -> None:
        nonlocal styles
        parent = within[-1] if within else ""
        if element == "font" and parent == "fonts":
            fonts.append(False)
        elif element == "strike" and parent == "font" and within[-2:-1] == ["fonts"]:
            fonts[-1] = _is_on(attributes)
        elif element == "xf" and parent == "cellXfs":
            font = int(attributes.get("fontId", "0"))
            if font < len(fonts) and fonts[font]:
                struck.add(str(styles))
            styles += 1
        within.append(element)

    def ended(_: str) -> None:
        within.pop()

    with part_of(archive, "xl/styles.xml") as part:
        if part is not None:
            parse_xml(part, started, ended)
    return frozenset(struck)


def _struck_strings(archive: zipfile.ZipFile) -> frozenset[str]:
    """Return the numbers of the shared strings of which a part is struck through."""
    struck: set[str] = set()
    strings = -1

    def started(element: str, attributes: dict[str, str]) -> None:
        nonlocal strings
        if element == "si":
            strings += 1
        elif element == "strike" and _is_on(attributes):
            struck.add(str(strings))

    with part_of(archive, "xl/sharedStrings.xml") as part:
        if part is not None:
            parse_xml(part, started)
    return frozenset(struck)


@dataclass(slots=True)
class _SheetReader:
    """Reads the XML of one sheet."""

    struck_styles: frozenset[str]
    struck_strings: frozenset[str]
    targets: dict[str, str]
    marks: SheetMarks = field(default_factory=SheetMarks)
    place: Place = _BEFORE
    is_shared: bool = False
    text: str = ""

    def read(self, part: IO[bytes]) -> None:
        """Read the part into :attr:`marks`."""
        parser = expat.ParserCreate(namespace_separator=" ")

        def started(name: str, attributes: dict[str, str]) -> None:
            element = local(name)
            if element == "c":
                self._cell(attributes)
            elif element in ("f", "v"):
                self.text = ""
                parser.CharacterDataHandler = self._add
            elif element == "row":
                self._row(attributes)
            elif element == "strike" and _is_on(attributes):
                self.marks.struck.add(self.place)
            elif element == "hyperlink":
                self._link({local(key): value for key, value in attributes.items()})

        def ended(name: str) -> None:
            element = local(name)
            if element in ("f", "v"):
                parser.CharacterDataHandler = None
                if element == "f" and (link := _LINK.match(self.text)):
                    self.marks.links[self.place] = link[1]
                elif element == "v" and self.is_shared and self.text in self.struck_strings:
                    self.marks.struck.add(self.place)

        parser.StartElementHandler, parser.EndElementHandler = started, ended
        parser.ParseFile(part)

    def _add(self, text: str) -> None:
        self.text += text

    def _row(self, attributes: dict[str, str]) -> None:
        row = int(attributes["r"]) - 1 if "r" in attributes else self.place.row + 1
        self.place = Place(row, -1)
        if attributes.get("hidden") in ("1", "true"):
            self.marks.hidden.append(Rows(row, row))

    def _cell(self, attributes: dict[str, str]) -> None:
        self.place = _place(attributes.get("r", "")) or Place(self.place.row, self.place.column + 1)
        self.is_shared = attributes.get("t") == "s"
        if attributes.get("s") in self.struck_styles:
            self.marks.struck.add(self.place)

    def _link(self, attributes: dict[str, str]) -> None:
        begin, _, end = attributes.get("ref", "").partition(":")
        first, target = _place(begin), self.targets.get(attributes.get("id", ""), "")
        last = _place(end) or first
        if first is None or last is None or not target:
            return
        if (last.row - first.row + 1) * (last.column - first.column + 1) <= _MAX_LINKED:
            for row in range(first.row, last.row + 1):
                for column in range(first.column, last.column + 1):
                    self.marks.links[Place(row, column)] = target


def _place(reference: str) -> Place | None:
    """Return the cell that a reference such as ``B3`` names."""
    if not (match := _PLACE.fullmatch(reference)):
        return None
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - 64
    return Place(int(match[2]) - 1, column - 1)
