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
#: Words without which a sheet has no marks, if no style and no shared string has them; NUL bytes: it is UTF-16.
_MARKED = (b"hidden", b"strike", b"hyperlink", b"HYPERLINK", b"Hyperlink", b"\0")
_LONGEST_WORD = 9
#: The most cells that one link covers; a larger range is a mistake.
_MAX_LINKED = 10_000


def xlsx_marks(archive: zipfile.ZipFile, sheet: str) -> SheetMarks:
    """Return the marks of a sheet, by its name; no marks if the workbook has no such part in XML."""
    path = _sheet_path(archive, sheet)
    reader = _SheetReader(_struck_styles(archive), _struck_strings(archive), _targets(archive, path))
    with part_of(archive, path) as part:
        is_unmarked = part is None or not (reader.struck_styles or reader.struck_strings or _may_have_marks(part))
    if is_unmarked:
        return SheetMarks()
    with part_of(archive, path) as part:
        assert part is not None
        reader.read(part)
    return reader.marks


def _may_have_marks(part: IO[bytes]) -> bool:
    """Return whether a sheet has a word that its marks need: reading its XML for them takes longer than its values."""
    before = b""
    while block := part.read(1 << 20):
        text = before + block
        if any(word in text for word in _MARKED):
            return True
        before = block[-_LONGEST_WORD:]
    return False


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
    """Reads the XML of one sheet. Most cells have no mark, so the place of a cell is found only when it has one."""

    struck_styles: frozenset[str]
    struck_strings: frozenset[str]
    targets: dict[str, str]
    marks: SheetMarks = field(default_factory=SheetMarks)
    _row: int = -1
    #: The last cell that states its place, and the number of cells after it that do not.
    _reference: str = ""
    _after: int = 0
    _is_shared: bool = False
    _text: str = ""

    def read(self, part: IO[bytes]) -> None:
        """Read the part into :attr:`marks`."""
        parser = expat.ParserCreate(namespace_separator=" ")

        def started(name: str, attributes: dict[str, str]) -> None:
            if name.endswith(" c"):
                self._begin_cell(attributes)
            elif name.endswith(" f") or (name.endswith(" v") and self._is_shared and self.struck_strings):
                self._text = ""
                parser.CharacterDataHandler = self._add
                parser.EndElementHandler = ended
            elif name.endswith(" row"):
                self._begin_row(attributes)
            elif name.endswith(" strike") and _is_on(attributes):
                self.marks.struck.add(self._place())
            elif name.endswith(" hyperlink"):
                self._link({local(key): value for key, value in attributes.items()})

        def ended(name: str) -> None:
            parser.CharacterDataHandler = parser.EndElementHandler = None
            if name.endswith(" f") and (link := _LINK.match(self._text)):
                self.marks.links[self._place()] = link[1]
            elif name.endswith(" v") and self._text in self.struck_strings:
                self.marks.struck.add(self._place())

        parser.StartElementHandler = started
        parser.ParseFile(part)

    def _add(self, text: str) -> None:
        self._text += text

    def _begin_row(self, attributes: dict[str, str]) -> None:
        self._row = int(attributes["r"]) - 1 if "r" in attributes else self._row + 1
        self._reference, self._after = "", 0
        if attributes.get("hidden") in ("1", "true"):
            self.marks.hidden.append(Rows(self._row, self._row))

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        if "r" in attributes:
            self._reference, self._after = attributes["r"], 0
        else:
            self._after += 1
        self._is_shared = attributes.get("t") == "s"
        if self.struck_styles and attributes.get("s") in self.struck_styles:
            self.marks.struck.add(self._place())

    def _place(self) -> Place:
        """Return the place of the cell that was begun last."""
        known = _place(self._reference) or Place(self._row, -1)
        return Place(known.row, known.column + self._after)

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
