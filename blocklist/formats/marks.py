"""Marks in the text of a cell: why a value is rejected although it may be an address.

A value can be struck through, or be broken at a hyphen, beside others in the same cell. So the mark is a character in
front of the value's text: it stays with the value when the cell is divided.
"""

from __future__ import annotations

from typing import NamedTuple

from blocklist.formats.sandbox.protocol import BROKEN, COMMENTED, HIDDEN, LINK, STRUCK


class Mark(NamedTuple):
    """Why a marked value is rejected: the code, and the end of a sentence that begins with its position."""

    code: str
    reason: str


_READ = "set the option withdrawn=read if such entries count"
_MARKS = {
    STRUCK: Mark("withdrawn", f"has a site that is struck through, which means that it was withdrawn; {_READ}"),
    HIDDEN: Mark("withdrawn", f"is hidden or filtered out, which means that it was withdrawn; {_READ}"),
    COMMENTED: Mark("withdrawn", f"begins with #, which makes it a comment; {_READ}"),
    BROKEN: Mark(
        "hyphenated",
        "is part of a name that is broken at a hyphen; set the option hyphens to keep if the hyphens belong to the "
        "names, to drop if the typesetting added them",
    ),
    LINK: Mark("link_text", "has a link whose text is not its address; set the option take=href to read the addresses"),
}
#: The marks of what the publisher withdrew: the option ``withdrawn=read`` ignores them.
_WITHDRAWN = (STRUCK, HIDDEN, COMMENTED)
_REMOVED = str.maketrans("", "", "".join(_MARKS))


def mark_of(text: str, *, read_withdrawn: bool = False) -> Mark | None:
    """Return why a text must not become an entry, or None. ``read_withdrawn``: marks of what was withdrawn are ignored.

    >>> mark_of(f"{STRUCK}legal.example").code
    'withdrawn'
    """
    if text.isascii():
        return None
    for sign, mark in _MARKS.items():
        if sign in text and not (read_withdrawn and sign in _WITHDRAWN):
            return mark
    return None


def unmarked(text: str) -> str:
    """Return a text without its marks."""
    return text if text.isascii() else text.translate(_REMOVED)
