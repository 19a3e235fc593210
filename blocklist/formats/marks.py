"""Marks in the text of a cell: why a value is rejected although it may be an address.

A value can be struck through, or be broken at a hyphen, beside others in the same cell. So the mark is a character in
front of the value's text: it stays with the value when the cell is divided.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from blocklist.formats.sandbox.protocol import BROKEN, COMMENTED, HIDDEN, LINK, STRUCK


class Mark(NamedTuple):
    """Why a marked value is rejected: the code, and the end of a sentence that begins with its position."""

    code: str
    reason: str


_READ = "set the option withdrawn=read if such entries count"
#: Hyphen-minus, soft hyphen or hyphen after a word.
_ENDS_IN_HYPHEN = re.compile(r"\w[-\u00ad\u2010]\s*\Z").search
_BROKEN = "is part of a name that is broken at a hyphen, which may belong to the name or not"
#: What :data:`BROKEN` means where no option can tell.
BROKEN_LINE = Mark("hyphenated", _BROKEN)
#: By the mark's character.
MARKS = {
    STRUCK: Mark("withdrawn", f"has a site that is struck through, which means that it was withdrawn; {_READ}"),
    HIDDEN: Mark("withdrawn", f"is hidden or filtered out, which means that it was withdrawn; {_READ}"),
    COMMENTED: Mark("withdrawn", f"begins with #, which makes it a comment; {_READ}"),
    BROKEN: Mark("hyphenated", f"{_BROKEN}: set the option hyphens=keep if it does, hyphens=drop if not"),
}
#: Of a cell whose text is not the address that it links to.
LINK_TEXT = Mark(
    "link_text", "has a link whose text is not a whole address: set the option take=href to read where links lead"
)
#: The marks of what the publisher withdrew: the option ``withdrawn=read`` ignores them.
_WITHDRAWN = (STRUCK, HIDDEN, COMMENTED)
_REMOVED = str.maketrans("", "", "".join(MARKS))


def mark_of(text: str, *, read_withdrawn: bool = False) -> Mark | None:
    """Return why a text must not become an entry, or None. ``read_withdrawn``: marks of what was withdrawn are ignored.

    >>> mark_of(f"{STRUCK}legal.example").code
    'withdrawn'
    """
    if text.isascii():
        return None
    for sign, mark in MARKS.items():
        if sign in text and not (read_withdrawn and sign in _WITHDRAWN):
            return mark
    return None


def ends_in_hyphen(line: str) -> bool:
    """Return whether the last word of a line may go on in the next one."""
    return bool(_ENDS_IN_HYPHEN(line))


def unmarked(text: str) -> str:
    """Return a text without its marks, and without the target of its link."""
    return text if text.isascii() else text.partition(LINK)[0].translate(_REMOVED)


def with_link(text: str, *, take_target: bool) -> str | Mark:
    """Return a marked text with the target of its link in its place, or without it.

    A text that is only a label, or is cut off with an ellipsis, is returned as the mark :data:`LINK_TEXT`.
    """
    shown, separator, target = text.partition(LINK)
    if not separator:
        return text
    if take_target:
        return f"{shown[: len(shown) - len(unmarked(shown))]}{target}"
    return shown if "." in shown and not shown.endswith(("…", "...")) else LINK_TEXT
