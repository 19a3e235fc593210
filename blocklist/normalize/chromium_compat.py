"""Parse the hosts that Chromium opens and can_ada refuses or reads differently, so that the result is Chromium's.

Chromium follows a newer Unicode version (UTS #46, revision 33 and later) and is less strict than the URL standard in
two places: it does not validate punycode in a host that is ASCII as written, and it maps Unicode inside the brackets of
an IPv6 address. If a lookup answered 400 where a browser opens a listed site, the list could be bypassed. The
differences were found by giving Chromium every code point and the vectors in tests/node.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import can_ada

#: Code points that are ignored since Unicode 16 and were refused before.
_IGNORED = (
    *(0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x2061, 0x2062, 0x2063, *range(0x206A, 0x2070), 0x3164, 0xFFA0),
    *range(0x1D173, 0x1D17B),
)
_OUTLINED = dict(zip(range(0x1CCD6, 0x1CCFA), "abcdefghijklmnopqrstuvwxyz0123456789", strict=True))
#: How the newer Unicode version maps code points; a capital sharp s is no longer two letters.
_NEWER: dict[int, str | None] = {**dict.fromkeys(_IGNORED), **_OUTLINED, 0x1E9E: "ß", 0xA7F1: "s"}
_CAPITAL_SHARP_S = re.compile("\u1e9e|%e1%ba%9e", re.IGNORECASE).search
_URL = re.compile(r"([a-z]+:[/\\]*(?:[^/?#\\]*@)?)([^/?#\\]*?)((?::\d*)?(?:[/?#\\].*)?)", re.DOTALL | re.IGNORECASE)
#: Characters that are forbidden in every host (WHATWG URL, forbidden domain code points), except brackets.
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f#%/<>?@\\^|]").search
_PUNYCODE = re.compile(r"(?:^|(?<=\.))xn--")


class ParsedUrl(NamedTuple):
    """A URL as can_ada parsed it, and the host that Chromium opens for it."""

    url: can_ada.URL
    host: str


def parse(url: str) -> ParsedUrl:
    r"""Return a parsed URL, with the host as Chromium reads it.

    >>> [parse(f"http://{host}/").host for host in ("STRAẞE.example", "pir\u3164ate.example", "xn--a.example")]
    ['xn--strae-oqa.example', 'pirate.example', 'xn--a.example']

    :raises ValueError: no browser could open it.
    :raises TypeError: it contains a lone surrogate.
    """
    if ("%" in url or not url.isascii()) and _CAPITAL_SHARP_S(url):
        return _parse_as_chromium(url)
    try:
        parsed = can_ada.parse(url)
    except ValueError:
        return _parse_as_chromium(url)
    return ParsedUrl(parsed, parsed.hostname)


def _parse_as_chromium(url: str) -> ParsedUrl:
    match = _URL.fullmatch(url)
    if match is None:
        raise ValueError(url)
    begin, host, rest = match.groups()
    bracketed = host.startswith("[")
    host = unquote_to_bytes(host).decode().translate(_NEWER)
    if host.isascii() and host[:1] != "[":
        return _parse_without_punycode(begin, host, rest)
    compatible = unicodedata.normalize("NFKC", host)
    if compatible.startswith("["):
        # Chromium sees the brackets only after mapping; before, it takes the text after the last colon as the port.
        if not bracketed and not rest.startswith(":"):
            raise ValueError(url)
        host = re.sub(r"(?<=:)[0-9.]+(?=\]$)", _dotted, compatible)
    if _FORBIDDEN(host) or (":" in host and not host.startswith("[")):
        raise ValueError(url)
    parsed = can_ada.parse(begin + host + rest)
    return ParsedUrl(parsed, parsed.hostname)


def _parse_without_punycode(begin: str, host: str, rest: str) -> ParsedUrl:
    """Parse an ASCII host without validating its punycode: ``xn--`` is replaced for the time of parsing."""
    host = host.lower()
    if _FORBIDDEN(host) or ":" in host:
        raise ValueError(host)
    stand_in = next((text for text in ("xq--", "xj--", "xz--", "xv--", "xk--") if text not in host), "xn--")
    parsed = can_ada.parse(begin + _PUNYCODE.sub(stand_in, host) + rest)
    return ParsedUrl(parsed, parsed.hostname.replace(stand_in, "xn--"))


def _dotted(match: re.Match[str]) -> str:
    """Return the IPv4 address at the end of an IPv6 address without leading zeros in its numbers."""
    return str(can_ada.parse(f"http://{match[0]}/").hostname) if match[0].count(".") == 3 else match[0]
