"""Hosts and URLs in running text, such as the description of an item."""

from __future__ import annotations

import html
import re

from blocklist.normalize.suffixes import has_known_ending

#: A word that can be an address: a URL, or a host whose last label has no digit. Not a mailbox, nor a part of a longer
#: word or of a path.
_ADDRESS = re.compile(
    r"(?<![\w@./-])(?:(?:h(?:tt|xx)ps?://)?((?:[\w-]+(?:\.|\[\.\]))+(?:[^\W\d_]{2,}|xn--[\w-]+))(?:[:/][^\s<>\"]*)?)(?![\w@-])",
    re.IGNORECASE,
)
_PUNCTUATION = "()<>\"'“”«»,;:!?"
_TAG = re.compile(r"(<[^<>]*>)")
_TAG_NAME = re.compile(r"<(/?)([a-z][a-z0-9]*)", re.IGNORECASE).match
#: Tags that browsers show without a space around.
_INLINE = frozenset(
    {"a", "abbr", "b", "bdi", "code", "em", "font", "i", "mark", "small", "span", "strong", "tt", "u", "wbr"}
)
#: What is struck out, or not text.
_NOT_SHOWN = frozenset({"del", "s", "strike", "script", "style"})


def addresses_in(text: str) -> list[str]:
    """Return the addresses in a text or in HTML, each once, in order.

    >>> addresses_in('<p>Blocked: <a href="https://court.example/1">a.example</a>, b.example/film. See order.pdf</p>')
    ['a.example', 'b.example/film']
    """
    shown = html.unescape(_shown(text))
    found = dict.fromkeys(
        match[0].strip(_PUNCTUATION).rstrip(".")
        for match in _ADDRESS.finditer(shown)
        if has_known_ending(match[1].lower().replace("[.]", ".")) or not match[1].isascii()
    )
    return list(found)


def _shown(text: str) -> str:
    """Return the text that a browser shows of HTML, with a space for each tag that is not within a line."""
    parts: list[str] = []
    hidden = 0
    for part in _TAG.split(text):
        tag = _TAG_NAME(part)
        name = tag[2].lower() if tag else ""
        if name in _NOT_SHOWN:
            hidden = max(0, hidden + (-1 if tag and tag[1] else 1))
        elif not hidden and name not in _INLINE:
            parts.append(" " if part.startswith("<") else part)
    return "".join(parts)
