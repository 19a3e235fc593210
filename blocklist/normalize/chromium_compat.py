"""Hosts that Chromium opens and can_ada refuses or reads otherwise, written so that can_ada reads them alike.

Chromium follows a newer Unicode (UTS #46, revision 33 and later) and is laxer than the URL standard in two places: it
checks no punycode in a host that is ASCII as written, and maps Unicode inside the brackets of an IPv6 address. An
answer of 400 where a browser opens a listed site is a way round the list. Found by asking Chromium about every code
point and the vectors of tests/node.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote_to_bytes

import can_ada

#: Ignored since Unicode 16, refused before; and capital sharp s, which no longer is two letters.
_IGNORED = (
    *(0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x2061, 0x2062, 0x2063, *range(0x206A, 0x2070), 0x3164, 0xFFA0),
    *range(0x1D173, 0x1D17B),
)
_OUTLINED = dict(zip(range(0x1CCD6, 0x1CCFA), "abcdefghijklmnopqrstuvwxyz0123456789", strict=True))
_NEWER: dict[int, str | None] = {**dict.fromkeys(_IGNORED), **_OUTLINED, 0x1E9E: "ß", 0xA7F1: "s"}
_SHARP = re.compile("\u1e9e|%e1%ba%9e", re.IGNORECASE).search
_URL = re.compile(r"([a-z]+:[/\\]*(?:[^/?#\\]*@)?)([^/?#\\]*?)((?::\d*)?(?:[/?#\\].*)?)", re.DOTALL | re.IGNORECASE)
#: What a host may not hold however it is written (WHATWG URL, forbidden domain code points), but for brackets.
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f#%/<>?@\\^|]").search
_PUNYCODE = re.compile(r"(?:^|(?<=\.))xn--")


def parsed(url: str) -> tuple[can_ada.URL, str]:
    r"""Return a URL and its host, as Chromium reads it.

    >>> parsed("http://STRAẞE.example/")[1], parsed("http://pir\u3164ate.example/")[1], parsed("http://xn--a.example")[1]
    ('xn--strae-oqa.example', 'pirate.example', 'xn--a.example')

    :raises ValueError: no browser could open it.
    :raises TypeError: it holds half a surrogate pair.
    """
    if ("%" in url or not url.isascii()) and _SHARP(url):
        return _again(url)
    try:
        read = can_ada.parse(url)
    except ValueError:
        return _again(url)
    return read, read.hostname


def _again(url: str) -> tuple[can_ada.URL, str]:
    begin, host, rest = _parts(url)
    bracketed = host.startswith("[")
    host = unquote_to_bytes(host).decode().translate(_NEWER)
    if host.isascii() and host[:1] != "[":
        return _unchecked(begin, host, rest)
    compatible = unicodedata.normalize("NFKC", host)
    if compatible.startswith("["):
        # Without brackets as such to tell, Chromium takes what follows the last colon for a port.
        if not bracketed and not rest.startswith(":"):
            raise ValueError(url)
        host = re.sub(r"(?<=:)[0-9.]+(?=\]$)", _dotted, compatible)
    if _FORBIDDEN(host) or (":" in host and not host.startswith("[")):
        raise ValueError(url)
    read = can_ada.parse(begin + host + rest)
    return read, read.hostname


def _parts(url: str) -> tuple[str, str, str]:
    match = _URL.fullmatch(url)
    if match is None:
        raise ValueError(url)
    return match[1], match[2], match[3]


def _unchecked(begin: str, host: str, rest: str) -> tuple[can_ada.URL, str]:
    """Read an ASCII host without a look at what its punycode means."""
    host = host.lower()
    if _FORBIDDEN(host) or ":" in host:
        raise ValueError(host)
    stand_in = next((text for text in ("xq--", "xj--", "xz--", "xv--", "xk--") if text not in host), "xn--")
    read = can_ada.parse(begin + _PUNYCODE.sub(stand_in, host) + rest)
    return read, read.hostname.replace(stand_in, "xn--")


def _dotted(match: re.Match[str]) -> str:
    """Return an IPv4 address at the end of an IPv6 one without the zeros before its numbers."""
    return str(can_ada.parse(f"http://{match[0]}/").hostname) if match[0].count(".") == 3 else match[0]
