"""The directives of Adblock lists for the programs that read them: ``!#if``, ``!#else``, ``!#endif``, ``!#include``."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import BinaryIO, NamedTuple

from blocklist.domain.errors import UnreadableFeedError
from blocklist.formats.text_body import numbered_lines

#: How a comment begins. A lone ``#`` does not begin a comment here, because ``##`` and ``#@#`` are filters.
COMMENTS = ("!", "[", "# ")


class Section(Enum):
    """Whether a line counts: ``UNCERTAIN`` if its condition depends on the program that reads the list."""

    READ = "read"
    LEFT_OUT = "left out"
    UNCERTAIN = "uncertain"


_CONDITIONS = {
    "true": Section.READ,
    "!false": Section.READ,
    "false": Section.LEFT_OUT,
    "!true": Section.LEFT_OUT,
}
_OPPOSITE = {Section.READ: Section.LEFT_OUT, Section.LEFT_OUT: Section.READ, Section.UNCERTAIN: Section.UNCERTAIN}


class _Open(NamedTuple):
    """An ``!#if`` that has not ended: its line, whether it counts, and whether what is around it does."""

    number: int
    section: Section
    around: Section

    def inside(self) -> Section:
        """Return whether a line within counts."""
        both = {self.section, self.around}
        if Section.LEFT_OUT in both:
            return Section.LEFT_OUT
        return Section.UNCERTAIN if Section.UNCERTAIN in both else Section.READ


def sections_of(body: BinaryIO, encoding: str) -> Iterator[tuple[int, str, Section]]:
    """Yield (line number from 1, line, whether it counts) for each line that is no comment and is not left out.

    :raises UnreadableFeedError: the list includes another one, or its directives do not match.
    """
    opened: list[_Open] = []
    section = Section.READ
    for number, line in numbered_lines(body, encoding, COMMENTS[1:], long_comments=False):
        if line[0] != "!":
            if section is not Section.LEFT_OUT:
                yield number, line, section
        elif line[:2] == "!#":
            _apply(line, number, opened, section)
            section = opened[-1].inside() if opened else Section.READ
    if opened:
        raise UnreadableFeedError(f"line {opened[-1].number} opens !#if, which never ends: the list may be cut off")


def _apply(line: str, number: int, opened: list[_Open], around: Section) -> None:
    name, _, value = line[2:].partition(" ")
    name = name.strip().lower()
    if name == "include" and around is not Section.LEFT_OUT:
        # The filters of the other list are not in the body: to ignore them would lose sites silently.
        raise UnreadableFeedError(
            f"line {number}: !#include names another list ({value.strip()[:80]}), which is not in this one: use the "
            "address of the list that the publisher has put together, or add a feed for each part"
        )
    if name == "if":
        opened.append(_Open(number, _CONDITIONS.get(value.strip().lower(), Section.UNCERTAIN), around))
    elif name in ("else", "endif") and not opened:
        raise UnreadableFeedError(f"line {number}: !#{name} without an !#if before it")
    elif name == "else":
        last = opened.pop()
        opened.append(last._replace(section=_OPPOSITE[last.section]))
    elif name == "endif":
        opened.pop()
