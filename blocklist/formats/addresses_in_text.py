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
#: Tags that browsers show without a space around.
_INLINE_TAG = re.compile(r"</?(?:a|abbr|b|bdi|code|em|font|i|mark|small|span|strong|tt|u|wbr)\b[^>]*>", re.IGNORECASE)
#: What is struck out, or not text.
_NOT_SHOWN = re.compile(r"<(del|s|strike|script|style)\b.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


def addresses_in(text: str) -> list[str]:
    """Return the addresses in a text or in HTML, each once, in order.

    >>> addresses_in('<p>Blocked: <a href="https://court.example/1">a.example</a>, b.example/film. See order.pdf</p>')
    ['a.example', 'b.example/film']
    """
    shown = html.unescape(_TAG.sub(" ", _INLINE_TAG.sub("", _NOT_SHOWN.sub(" ", text))))
    found = dict.fromkeys(
        match[0].strip(_PUNCTUATION).rstrip(".")
        for match in _ADDRESS.finditer(shown)
        if has_known_ending(match[1].lower().replace("[.]", ".")) or not match[1].isascii()
    )
    return list(found)
