r"""Take off what surrounds a published address: quotes, bullets, escapes of other formats, punctuation behind it.

Only what is certain is taken off. What may be part of a name or of a path stays, and :mod:`.entry_checks` rejects what
cannot be an address.
"""

from __future__ import annotations

import html
import re

_INVISIBLE = "\ufeff\u200b\u200e\u200f\u00a0"
#: The byte order mark in UTF-8, read as windows-1252.
_MISREAD_BOM = "\u00ef\u00bb\u00bf"
#: Only with its semicolon: without it, ``&copy=1`` is a parameter.
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
#: White space as programs write it into text: a backslash and a letter.
_WRITTEN_SPACE = (r"\n", r"\r", r"\t")
_BULLETS = "•‣⁃◦▪▫●○■□∙·►▶➤–—―"
_OPENING = "“„‟‘‚‛«‹″′"
_CLOSING = "”“‟’‘»›″′"
_TRAILING_DASH = re.compile(r"(?:\A|(?<=\s))[–—―-]+\Z")
#: ``:*``, any port.
_ANY_PORT = re.compile(r"\A((?:[a-z]{2,6}://)?[^/?#:\s]+):\*(?=/|\Z)", re.IGNORECASE)
_HOST_AND_PATH = re.compile(r"((?>(?:[a-z][a-z0-9+.-]*:[/\\]+)?)[^/?#\\]+)(/[^?#]*)?", re.IGNORECASE)
#: A path of these means no page.
_NO_PAGE = "/*.,;:)]}'"


def undecorated(text: str) -> str:
    r"""Return a published entry without quotes, bullets and escapes around it.

    >>> undecorated("• “pirate&#46;example”"), undecorated(r"https:\/\/pirate.example\/\n")
    ('pirate.example', 'https://pirate.example/')
    """
    if "&" in text and ";" in text:
        text = _ENTITY.sub(lambda match: html.unescape(match[0]), text)
    if "\\" in text:
        text = _without_written_space(text.replace("\\/", "/"))
    text = _bare(_bare(text).removeprefix(_MISREAD_BOM))
    if text.isascii():
        return text
    begun = _bare(text.lstrip(_BULLETS + _OPENING + " "))
    if begun[-1:] in _CLOSING and not any(quote in begun[:-1] for quote in _OPENING):
        begun = _bare(begun[:-1])
    return _bare(_TRAILING_DASH.sub("", begun) if "/" in begun else begun.rstrip("–—― "))


def without_trailing_signs(text: str) -> str:
    """Return an address without the punctuation of a sentence or a wildcard behind it.

    A path of nothing else is no path: the address names the site. A full stop stays on a page, because pages have names
    that end in one.

    >>> [without_trailing_signs(text) for text in ("a.example/*", "http://a.example/film,", "a.example:*")]
    ['a.example/', 'http://a.example/film', 'a.example']
    """
    if text[-1:] not in _NO_PAGE:
        return text
    if ":*" in text:
        text = _ANY_PORT.sub(r"\1", text)
    if _is_site_alone(text):
        return text.rstrip(_NO_PAGE) + "/"
    if text.endswith(("/*", "/**")):
        return text.rstrip("*")
    # A closing parenthesis stays if it was opened: pages are called film_(2013).
    surplus, end = text.count(")") - text.count("("), len(text)
    while end and (text[end - 1] in ",;" or (text[end - 1] == ")" and surplus > 0)):
        surplus -= text[end - 1] == ")"
        end -= 1
    return text[:end]


def _is_site_alone(text: str) -> bool:
    match = _HOST_AND_PATH.fullmatch(text)
    return bool(match and match[2] and len(match[2]) > 1 and not match[2].strip(_NO_PAGE))


def _without_written_space(text: str) -> str:
    begin, end = 0, len(text)
    while text[begin : begin + 2] in _WRITTEN_SPACE:
        begin += 2
    while end - 2 >= begin and text[end - 2 : end] in _WRITTEN_SPACE:
        end -= 2
    return text[begin:end]


def _bare(text: str) -> str:
    return text.strip().strip(_INVISIBLE).strip()
