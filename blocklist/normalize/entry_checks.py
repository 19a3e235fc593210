"""Reject entries that a browser could open and that would become rules which never match, or match another site.

Two checks: of the text of an entry, before it is parsed, and of the host in it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Set
from typing import NamedTuple

from blocklist.normalize.suffixes import has_known_ending, is_top_level_domain, known_endings


class Defect(NamedTuple):
    """Why a text or a host is rejected: a stable ``code``, and a reason that follows the text in a sentence."""

    code: str
    reason: str


#: The schemes of addresses in lists; possessive, so that a second one is not taken for the first.
_SCHEME = r"(?>(?:(?:https?|ftp|wss?):[/\\]+)?)"
_SEVERAL = "holds a second address: rules are made of one address each"
_SPACE = "holds white space within: it may be two addresses, or an address and a note"
#: A pattern for the beginning of a text, and the reason.
_TEXT_DEFECTS = (
    (re.compile(rf"{_SCHEME}[^?#]*[;,|\s](?:https?|ftp)://"), _SEVERAL),
    (re.compile(r"(?!(?:https?|ftp|wss?):)\S*\s"), _SPACE),
    # Paths with spaces are published: browsers escape them. A space behind a slash begins a note.
    (re.compile(rf"{_SCHEME}\S*/\s+[^\s/]"), _SPACE),
    (
        re.compile(r"(?!(?:https?|ftp|wss?):)[^\\]*\\"),
        "holds a backslash, which is an escape of another format: the address cannot be told from it",
    ),
    (re.compile(r"(?!\w+:/)[^/?#\s]+//"), "holds // behind the host: a comment, or a scheme without its colon"),
    (re.compile(r"[^?#]*[^/?#*]\*++\Z"), "ends in a wildcard within a name: rules cover what is below a /"),
    (re.compile(r"[^?#]*(?:…|\.\.\.)\Z"), "ends in an ellipsis: it was cut"),
)
#: The scheme, the host and what separates it from a second address.
_HOST_PART = re.compile(rf"{_SCHEME}[^/?#\s]*+/*+[\s;,|]*+").match
_AFTER_SCHEME = re.compile(_SCHEME).match
_URL = re.compile(r"(?:https?|ftp):/").search
_WORDS = re.compile(r"[\s,;|]+")
_WHITE_SPACE = re.compile(r"\s").search
_BARE_PATH = re.compile(r"([^/?#:\s]+)/([^?#\s]+)").fullmatch
_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)+([a-z]{2,63})", re.IGNORECASE).fullmatch
#: Top-level domains that are hardly ever a word of a path.
_COMMON_ENDINGS = frozenset({"com", "net", "org", "biz"})
#: The addresses of hosts files, in front of a name without the space.
_SINK = re.compile(r"(?:0\.0\.0\.0|127\.0\.0\.1)[a-z0-9-]*\.")
#: Within a name: the end of one name and the ``www.`` of the next, in front of at least two labels.
_GLUED_WWW = re.compile(r"\.([a-z]{2,63})www\.[^.]+\.")
#: Marks that strike letters out (U+0336) or enclose them.
_OVERLAYS = re.compile("[\u0334-\u0338\u20d2-\u20d4\u20d8-\u20da\u20dd-\u20e0\u20e5-\u20e7\u20ea\u20eb]")
#: Punctuation that names of some scripts have (RFC 5892, A.3 to A.7, and the Tibetan tsheg).
_PUNCTUATION_IN_NAMES = frozenset("\u00b7\u0375\u05f3\u05f4\u30fb\u0f0b")


def text_defect(text: str) -> Defect | None:
    """Return why a text is not the address of one site or page, or None.

    >>> text_defect("pirate.example/ (mirror)").reason
    'holds white space within: it may be two addresses, or an address and a note'
    >>> text_defect("http://pirate.example/a film") is None
    True
    """
    if _begins_another(text):
        return Defect("unreadable", _SEVERAL)
    for pattern, reason in _TEXT_DEFECTS:
        if pattern.match(text):
            return Defect("unreadable", reason)
    if _names_another(text) or _lists_endings(text):
        return Defect("unreadable", _SEVERAL)
    return None


def host_defect(host: str, further_endings: Set[str] = frozenset()) -> Defect | None:
    """Return why a canonical host that is not an address names no site, or None.

    ``further_endings``: top-level domains that count beside those of the root zone.

    >>> host_defect("pirate.exmaple").reason
    'has the top-level domain exmaple, which the root zone does not have'
    """
    ending = host[host.rfind(".") + 1 :]
    if ending not in known_endings() and ending not in further_endings:
        return Defect("unknown_tld", f"has the top-level domain {ending}, which the root zone does not have")
    if is_run_together(host):
        return Defect("unreadable", "is two names, or an address and a name, without a space between")
    if "xn--" in host and (sign := _strange_sign(host)):
        return Defect("unreadable", f"holds U+{ord(sign):04X} in its host, which no name of a site does")
    return None


def may_have_defect(host: str) -> bool:
    """Return False for a host with a known top-level domain that has no defect: the quick check.

    Nearly no host begins with a digit below 2, has ``www.`` within, or is in punycode.
    """
    return host < "2" or "www." in host or "xn--" in host


def is_run_together(host: str) -> bool:
    """Return whether a host is two names without a space between (``a.comwww.b.com``), or an address and a name."""
    if host[:1] in "01" and _SINK.match(host):
        return True
    if "www." not in host:
        return False
    last = host.rpartition(".")[2]
    return any(
        match[1] in _COMMON_ENDINGS or match[1] == last or (len(match[1]) == 2 and is_top_level_domain(match[1]))
        for match in _GLUED_WWW.finditer(host)
    )


def _begins_another(text: str) -> bool:
    """Return whether a second URL begins within the host, or at once behind it."""
    scheme, host = _AFTER_SCHEME(text), _HOST_PART(text)
    second = _URL(text, scheme.end()) if scheme else None
    return bool(second and host and second.start() <= host.end())


def _names_another(text: str) -> bool:
    """Return whether a word behind white space, or the whole path of an address without scheme, is a name too."""
    if _WHITE_SPACE(text):
        return any(_is_name(word.partition("/")[0]) for word in _WORDS.split(text)[1:])
    match = _BARE_PATH(text)
    if match is None or not _is_name(match[2].removesuffix("/")):
        return False
    ending = match[2].removesuffix("/").rpartition(".")[2].lower()
    return ending in _COMMON_ENDINGS or ending == match[1].rpartition(".")[2].lower()


def _lists_endings(text: str) -> bool:
    """Return whether the path of an address without scheme is other top-level domains: ``pirate.com/net/org``."""
    match = _BARE_PATH(text)
    if match is None:
        return False
    parts = match[2].lower().split("/")
    return all(is_top_level_domain(part.removeprefix(".")) for part in parts) and any(
        part in _COMMON_ENDINGS or part.startswith(".") for part in parts
    )


def _is_name(word: str) -> bool:
    match = _NAME(word)
    return bool(match and has_known_ending(match[1].lower()))


def _strange_sign(host: str) -> str | None:
    """Return a sign of a host in punycode that no name has: punctuation, a misread byte, a stroke through a letter."""
    for label in host.split("."):
        if not label.startswith("xn--"):
            continue
        try:
            decoded = label[4:].encode().decode("punycode")
        except UnicodeError:
            continue
        if overlay := _OVERLAYS.search(decoded):
            return overlay[0]
        for ch in decoded:
            if not ch.isascii() and ch not in _PUNCTUATION_IN_NAMES and _is_strange(ch):
                return ch
    return None


def _is_strange(ch: str) -> bool:
    category = unicodedata.category(ch)
    return category[0] in "PZ" or category in ("Sk", "Sc", "Sm")
