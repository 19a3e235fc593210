r"""Parse targets as browsers do: :mod:`.url_parser` is the WHATWG URL parser, and no other parser is used.

``urllib.parse`` and tldextract read the host of ``http://example.com\@evil.com/`` as evil.com, browsers as
example.com. Where two parsers disagree, the list can be bypassed. See docs/adr/001-one-url-parser.md.
"""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from blocklist.domain.verdict import Target
from blocklist.normalize import url_parser
from blocklist.normalize.no_site import NoSiteError, has_macro, holds_second_url, is_no_value, is_quoted
from blocklist.normalize.url_rules import single_slashes

#: Schemes whose URLs a browser opens on a network host (WHATWG "special" schemes without ``file``).
WEB_SCHEMES = frozenset({"http", "https", "ws", "wss", "ftp"})
_OTHER_SCHEMES = frozenset(
    {
        *("about", "blob", "chrome", "data", "file", "filesystem", "intent", "javascript", "magnet", "mailto", "sms"),
        *("tel", "urn", "vbscript", "view-source"),
    }
)

_C0_AND_SPACE = "".join(map(chr, range(0x21)))
_DROPPED = {ord("\t"): None, ord("\n"): None, ord("\r"): None}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):(.*)", re.DOTALL)
_PORT_AND_REST = re.compile(r"\d{0,5}(?:[/?#\\].*)?", re.DOTALL)
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
#: Bytes that stay escaped in a canonical path: delimiters, characters that no URL has unescaped, and non-ASCII.
_KEPT_ESCAPED = frozenset(b'/?#%\\"<>`{} ') | frozenset(range(0x20)) | frozenset(range(0x7F, 0x100))
#: Characters of a host before parsing: more than 253 octets can be written in. Unicode normalization takes time that
#: grows with the square of the length.
_MAX_HOST_BEFORE_PARSING = 4_096
_QUERY_SAFE = "-._~!$'()*,;:@/?|"


class UrlParts(NamedTuple):
    """The parts of a URL after WHATWG parsing: ``query`` without ``?``, and ``fragment`` as written.

    ``bare``: only a host was given.
    """

    host: str
    path: str
    query: str
    fragment: str
    bare: bool


def normalize_host(target: str) -> str:
    r"""Return the host that a browser would open for a host or URL: lower case, punycode, no trailing dot.

    IPv4 addresses come back in dotted decimals whatever their notation, IPv6 addresses in brackets (RFC 5952).

    >>> normalize_host("http://EXAMPLE.com:80/x")
    'example.com'
    >>> normalize_host("http://example.com\\@evil.com/")
    'example.com'
    >>> normalize_host("http://0x7f.1/")
    '127.0.0.1'
    >>> normalize_host("faß.de")
    'xn--fa-hia.de'

    :raises ValueError: no browser could open it; the message says why.
    """
    return _host(_parse(target).host, target)


def parse_target(target: str) -> Target:
    """Return the target that rules are compared with, for a host or a URL.

    ``path`` is None only for a bare host; a URL with the path ``/`` and no query has that path.

    >>> parse_target("HTTP://www.Example.com:8080/Film/../film?v=1").path
    '/film'

    :raises NoSiteError: it names no site, whatever the rules are.
    :raises ValueError: no browser could open it; the message says why.
    """
    stripped = target.strip()
    if is_no_value(stripped):
        raise NoSiteError(f"{shorten(target)} names no site: it stands for no value")
    if is_quoted(stripped):
        raise NoSiteError(f"{shorten(target)} is in quotes or markup, which no address is")
    url = _parse(target)
    host, ip = with_address(_host(url.host, target))
    if holds_second_url(host, target):
        raise NoSiteError(f"{shorten(target)} is two URLs in one, or its scheme is written wrong")
    if url.path == "/" and not url.query and not _names_a_url(target):
        return Target(host, ip)
    return Target(host, ip, canonical_path(url.path), canonical_params(url.query[1:]))


def split_url(target: str) -> UrlParts:
    """Return the parts of a host or URL, the path as servers read it: see :func:`canonical_path`.

    >>> split_url("https://web.archive.org//%77eb/2024/https://pirate.example/a%2fb?c=d#e").path
    '/web/2024/https:/pirate.example/a%2Fb'

    :raises ValueError: no browser could open it; the message says why.
    """
    url = _parse(target)
    bare = url.path == "/" and not url.query and not _names_a_url(target)
    fragment = _as_browsers_strip(target).partition("#")[2]
    return UrlParts(_host(url.host, target), canonical_path(url.path), url.query[1:], fragment, bare)


def with_address(host: str) -> tuple[str, str | None]:
    """Return a canonical host and, if it is an IP address, that address without brackets.

    An IPv4 address mapped into IPv6 becomes the IPv4 address: both reach the same machine (RFC 4291, 2.5.5.2).

    >>> with_address("[::ffff:c000:201]")
    ('192.0.2.1', '192.0.2.1')
    """
    if host[0] == "[":
        address = ipaddress.IPv6Address(host[1:-1])
        if address.ipv4_mapped:
            return str(address.ipv4_mapped), str(address.ipv4_mapped)
        return host, host[1:-1]
    # The WHATWG parser accepts a host that ends in a number only as an IPv4 address, and returns it in canonical form.
    if host[-1].isdigit() and host.rpartition(".")[2].isdigit():
        return host, host
    return host, None


def canonical_path(pathname: str) -> str:
    """Return a WHATWG path with single slashes, no unnecessary escapes, the others in upper case (RFC 3986, 6.2.2).

    >>> canonical_path("/f%69lm//%d0%90%2f")
    '/film/%D0%90%2F'
    """
    path = single_slashes(pathname)
    return _ESCAPE.sub(_unescape, path) if "%" in path else path


def canonical_params(query: str) -> frozenset[str]:
    """Return the parameters of a query (without ``?``) as ``name=value``, all encoded in the same way.

    Read as application/x-www-form-urlencoded (WHATWG URL, 5.1): ``+`` is a space, order does not matter.

    >>> sorted(canonical_params("v=a+b&list=%7e&&x"))
    ['list=~', 'v=a%20b', 'x']
    """
    if not query:
        return frozenset()
    return frozenset(param for part in query.split("&") if (param := _param(part)))


def shorten(text: str, limit: int = 80) -> str:
    """Return text for a message: quoted, escaped, and cut to ``limit`` characters."""
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")


def _parse(target: str) -> url_parser.ParsedUrl:
    url = _with_scheme(_as_browsers_strip(target))
    if len(url) > _MAX_HOST_BEFORE_PARSING and len(_host_part(url)) > _MAX_HOST_BEFORE_PARSING:
        raise ValueError(f"no browser could open {shorten(target)}: the host is longer than DNS allows")
    try:
        return url_parser.parse(url)
    except (ValueError, TypeError):  # TypeError: lone surrogates, which cannot be encoded
        raise _refusal(url, target) from None


def _as_browsers_strip(target: str) -> str:
    return target.strip(_C0_AND_SPACE).translate(_DROPPED)


def _refusal(url: str, target: str) -> ValueError:
    """Return the error for a URL that no browser could open."""
    host = _host_part(url)
    if has_macro(host):
        return NoSiteError(f"{shorten(target)} holds a macro that was not replaced")
    if not host:
        return NoSiteError(f"{shorten(target)} names no host")
    return ValueError(f"no browser could open {shorten(target)}: {_reason(host)}")


def _with_scheme(text: str) -> str:
    if not text:
        raise NoSiteError("the target is empty")
    if text[:2] in ("//", "\\\\", "/\\", "\\/"):
        return "http:" + text
    if text[0] in "/\\?#":
        raise NoSiteError(f"{shorten(text)} names no host")
    match = _SCHEME.match(text)
    if not match:
        return "http://" + (f"[{text}]" if _is_bare_ipv6(text) else text)
    scheme, rest = match[1].lower(), match[2]
    if scheme in WEB_SCHEMES:
        return text
    if _is_bare_ipv6(text):
        return f"http://[{text}]"
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    if scheme in _OTHER_SCHEMES or rest[:2] == "//" or not (_PORT_AND_REST.fullmatch(rest) or "@" in authority):
        raise NoSiteError(f"{shorten(text)} has the scheme {scheme!r}, which names no site")
    return "http://" + text


def _is_bare_ipv6(text: str) -> bool:
    if text.count(":") < 2 or "/" in text:
        return False
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return "%" not in text


def _host(host: str, target: str) -> str:
    if host[-1:] == ".":
        host = host[:-1]
    if not host:
        raise NoSiteError(f"{shorten(target)} names no host")
    # DNS is stricter than the URL standard: no empty labels, labels of at most 63 octets, names of at most 253
    # (RFC 1035, 2.3.4).
    if ".." in host or host[0] == "." or host[-1] == ".":
        raise ValueError(f"no browser could open {shorten(target)}: the host has an empty label")
    if len(host) > 253 or (len(host) > 63 and any(len(label) > 63 for label in host.split("."))):
        raise ValueError(f"no browser could open {shorten(target)}: the host is longer than DNS allows")
    return host


def _host_part(url: str) -> str:
    return re.split(r"[/?#\\]", url.partition(":")[2].lstrip("/\\"), maxsplit=1)[0].rpartition("@")[2]


def _reason(host: str) -> str:
    if any(ch in host for ch in " <>^|%") or not host.isprintable():
        return "the host contains a character that no host may contain"
    if re.search(r":\d*[^\d\]]|:\d{6,}$", host.rpartition("]")[2] or host) or _port_too_large(host):
        return "the port is not valid"
    if re.search(r"(?:^|\.)(?:\d+|0[xX][0-9A-Fa-f]*)\.?$", host.partition(":")[0]):
        return "the host ends in a number but is not an IPv4 address"
    return "the host is not valid"


def _port_too_large(host: str) -> bool:
    port = host.rpartition("]")[2].rpartition(":")[2]
    return ":" in host and port.isdigit() and int(port) > 65_535


def _names_a_url(target: str) -> bool:
    """Return whether a target without path is a URL of the page ``/`` (``http://example.com``) and not a bare host."""
    return "/" in target or "\\" in target or target.lower().lstrip(_C0_AND_SPACE).startswith(("http:", "https:"))


def _unescape(match: re.Match[str]) -> str:
    byte = int(match[1], 16)
    return match[0].upper() if byte in _KEPT_ESCAPED else chr(byte)


def _param(part: str) -> str:
    name, _, value = part.replace("+", " ").partition("=")
    name = quote_from_bytes(unquote_to_bytes(name), safe=_QUERY_SAFE)
    return f"{name}={quote_from_bytes(unquote_to_bytes(value), safe=_QUERY_SAFE)}" if value else name
