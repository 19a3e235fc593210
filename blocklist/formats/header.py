"""The header of a table: which column is which, a second header further down, and a site in the place of a header."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from blocklist.domain.errors import UnreadableFeedError
from blocklist.formats.marks import unmarked
from blocklist.normalize.hosts import normalize_host
from blocklist.normalize.suffixes import has_known_ending

_WHOLE_URL = re.compile(r"\w+://\S+").fullmatch
_BARE_HOST = re.compile(r"[^\s/?#:@.]+(?:\.[^\s/?#:@.]+)+\.?").fullmatch
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}").fullmatch
#: How the column of the site's address is usually called, in any case.
_USUAL_NAMES = ("url", "domain", "site", "host", "hostname")
#: As ``column``: the one column with such a name. The format ``auto`` sets it where no column was given.
USUAL_COLUMN = "|".join(_USUAL_NAMES)


def is_whole_url(text: str) -> bool:
    """Return whether a text is a URL with its scheme, and nothing else."""
    return bool(_WHOLE_URL(text))


def is_bare_host(text: str) -> bool:
    """Return whether a text has the form of a host: labels with dots between them, and nothing else."""
    return bool(_BARE_HOST(text))


def is_site(text: str) -> bool:
    """Return whether a text is certainly the address of a site, and no word such as the name of a column.

    >>> is_site("pirate-one.example"), is_site("No. of order"), is_site("site.address")
    (True, False, False)
    """
    if is_whole_url(text) or _ADDRESS(text):
        return True
    if not is_bare_host(text):
        return False
    label = text.rstrip(".").rpartition(".")[2]
    try:
        return has_known_ending(normalize_host(label))
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Header:
    """The names of a table's columns; empty for a table without a header. ``cells``: the same as published."""

    names: Sequence[str] = ()
    cells: frozenset[str] = frozenset()

    @classmethod
    def of(cls, row: Sequence[str]) -> Header:
        """Return the header that a row is."""
        return cls([_name(cell) for cell in row], frozenset(row) - {""})

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.names)

    def index(self, option: str, column: int | str) -> int:
        """Return the index of the column that an option names.

        :raises UnreadableFeedError: no column or several have this name.
        """
        if isinstance(column, int):
            return column - 1
        found = [index for index, name in enumerate(self.names) if name == column]
        if not found and column == USUAL_COLUMN:
            return self._usual_column(option)
        if not found:
            shown = ", ".join(self.names)[:300]
            raise UnreadableFeedError(f"{option}: no column {column!r} in the header; it has {shown}")
        if len(found) > 1:
            numbers = " and ".join(str(index + 1) for index in found[:5])
            raise UnreadableFeedError(
                f"{option}: the columns {numbers} are both named {column!r}: give the number of the one that is meant"
            )
        return found[0]

    def _usual_column(self, option: str) -> int:
        found = [index for index, name in enumerate(self.names) if name.lower() in _USUAL_NAMES]
        if len(found) != 1:
            which = "no column" if not found else "more than one column"
            known = f"{', '.join(_USUAL_NAMES[:-1])} or {_USUAL_NAMES[-1]}"
            shown = ", ".join(self.names)[:300]
            raise UnreadableFeedError(f"{option}: {which} is called {known}: set it; it has {shown}")
        return found[0]

    def repeated_in(self, row: Sequence[str]) -> Header | None:
        """Return the header that a row below this one is, or None: the same names, perhaps in another order."""
        # Almost every row has no cell in common with the header, which this finds quickest.
        if self.cells.isdisjoint(row):
            return None
        found, known = {name for cell in row if (name := _name(cell))}, {name for name in self.names if name}
        if len(found & known) < min(2, len(known)) or not (found <= known or known <= found):
            return None
        return Header.of(row)


def _name(cell: str) -> str:
    return unmarked(cell).replace("\n", " ").strip().strip("\ufeff")
