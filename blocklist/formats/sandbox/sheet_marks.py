"""What a spreadsheet shows beside the text of its cells: hidden rows, struck-through text, links, spanned rows.

calamine reads values only, so the XML of the sheet is read a second time. Rows and columns count from 0 here.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, NamedTuple
from xml.parsers import expat

#: Called for the begin of an element: its name and attributes, without namespaces.
Started = Callable[[str, dict[str, str]], None]


class Place(NamedTuple):
    """A cell of a sheet."""

    row: int
    column: int


class Merged(NamedTuple):
    """Cells that are merged into one: the first and the last."""

    first: Place
    last: Place


class Rows(NamedTuple):
    """Consecutive rows: the first and the last."""

    first: int
    last: int


@dataclass(slots=True)
class SheetMarks:
    """The marks of one sheet. ``hidden`` are in the order of the rows."""

    hidden: list[Rows] = field(default_factory=list)
    struck: set[Place] = field(default_factory=set)
    links: dict[Place, str] = field(default_factory=dict)
    merged: list[Merged] = field(default_factory=list)


def local(name: str) -> str:
    """Return a name of XML without its namespace."""
    return name.rpartition(" ")[2]


def parse_xml(part: IO[bytes], started: Started, ended: Callable[[str], None] = lambda _: None) -> None:
    """Read XML, and call for each element that begins and ends.

    :raises expat.ExpatError: it is not well-formed.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = lambda name, attributes: started(
        local(name), {local(key): value for key, value in attributes.items()}
    )
    parser.EndElementHandler = lambda name: ended(local(name))
    parser.ParseFile(part)


@contextmanager
def part_of(archive: zipfile.ZipFile, name: str) -> Iterator[IO[bytes] | None]:
    """Give a part of a document as a file; None if it does not have the part."""
    if name not in archive.NameToInfo:
        yield None
        return
    with archive.open(name) as part:
        yield part
