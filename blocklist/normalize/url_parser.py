"""The WHATWG URL parser, in two bindings: a fast one for hosts in plain ASCII, and one with current Unicode tables.

Both bindings are of the same parser, Ada. ``can_ada`` takes half a microsecond for a URL, ``ada_url`` three.
``can_ada`` has the tables of an older Unicode version, so it reads only hosts in ASCII without escapes. It validates
their punycode, which browsers do not: what it refuses, ``ada_url`` reads. The results were compared with Chromium's for
every code point and for generated hosts; tests/node/test_as_browsers_read.py repeats a part of that.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import ada_url
import can_ada

#: A URL whose host is plain ASCII up to its end, user name and port included.
_PLAIN_HOST = re.compile(r"[A-Za-z]+:[/\\]*+[!\"$&-.0->@-\[\]-~]*+(?:[/\\?#]|\Z)").match
#: What stands before the host, the host, and what follows it.
_PARTS = re.compile(r"([A-Za-z]+:[/\\]*(?:[^/?#\\]*@)?)([^/?#\\]*?)((?::\d*)?(?:[/?#\\].*)?)", re.DOTALL)
_IPV4_AT_END = re.compile(r"(?<=:)[0-9.]+(?=\]$)")


class ParsedUrl(NamedTuple):
    """The parts of a URL that rules are compared with. ``query`` begins with ``?``, or is empty."""

    host: str
    path: str
    query: str


def parse(url: str) -> ParsedUrl:
    r"""Return the parts of a URL as Chromium reads it.

    >>> [parse(f"http://{host}/").host for host in ("STRAẞE.example", "pir\u3164ate.example", "xn--a.example")]
    ['xn--strae-oqa.example', 'pirate.example', 'xn--a.example']

    :raises ValueError: no browser could open it, or it contains a lone surrogate.
    """
    if _PLAIN_HOST(url):
        try:
            parsed = can_ada.parse(url)
        except ValueError:
            return _parse_current(url)
        return ParsedUrl(parsed.hostname, parsed.pathname, parsed.search)
    return _parse_current(url)


def _parse_current(url: str) -> ParsedUrl:
    try:
        parsed = ada_url.URL(url)
    except UnicodeEncodeError:
        raise
    except ValueError:
        parsed = ada_url.URL(_with_plain_address(url))
    return ParsedUrl(parsed.hostname, parsed.pathname, parsed.search)


def _with_plain_address(url: str) -> str:
    """Return a URL with the IPv6 address in its host as the standard writes it.

    Chromium unescapes and maps the text in brackets, and the brackets themselves, as it does other hosts; the standard
    does not. It also takes numbers with leading zeros in an IPv4 address at the end.

    :raises ValueError: the host is no such address.
    """
    match = _PARTS.fullmatch(url)
    if match is None:
        raise ValueError(url)
    begin, written, rest = match.groups()
    host = unicodedata.normalize("NFKC", unquote_to_bytes(written).decode())
    # Chromium sees brackets that mapping makes only after it took the text after the last colon as the port.
    if not (host.startswith("[") and (written.startswith("[") or rest.startswith(":"))):
        raise ValueError(url)
    return begin + _IPV4_AT_END.sub(_dotted, host) + rest


def _dotted(match: re.Match[str]) -> str:
    """Return an IPv4 address with four numbers without leading zeros."""
    return str(can_ada.parse(f"http://{match[0]}/").hostname) if match[0].count(".") == 3 else match[0]
