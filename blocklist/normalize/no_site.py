"""What names no site of the internet: one rule for the entries of lists and the targets of requests.

Ad systems send such values where they know no page: ``null``, a macro that was not replaced, two URLs with a comma.
A browser would open many of them as a host. The verdict on them is ``unknown``: no list can say anything about them.

Only the authority of a URL is tested, the part that names its host. A macro in its path or query changes nothing.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

#: Values that programs and people write for "no value", in lower case.
_NO_VALUES = frozenset(
    {
        *("null", "(null)", "nil", "none", "undefined", "nan", "n/a", "n.a.", "-1", "-2", "false", "true"),
        *("unknown", "empty", "not set", "(not set)", "(none)", "-", "--", "_", "*", "()", "[]", "{}", "''", '""'),
        *("[object object]", "[object window]", "[object undefined]"),
    }
)
_LONGEST_NO_VALUE = max(map(len, _NO_VALUES)) + 2
#: The least digits of a whole number that browsers open as an address outside 0.0.0.0/8: it is at least 2 to the 24th.
_DIGITS_OF_AN_ADDRESS = 8
#: A host with these characters alone and a dot is the name of a site.
_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)+").fullmatch
_NOT_IN_NAMES = re.compile(r"[^a-z0-9_.-]").search
#: Macros of ad servers, players and templates: ``${X}``, ``%%X%%``, ``[X]``, ``{X}``, ``{{X}}``, ``__x__``, ``##X##``.
_MACRO = re.compile(
    r"\$\{|%%|\{\{|\{[\w.:=-]*\}|\[[A-Za-z_][\w .-]*\]|##\w+##|\A__[\w-]+__\Z|\A\$\w+\Z|\A%[A-Za-z]\w*[!%]?\Z"
).search
_QUOTES = "\"'`<>\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u2039\u203a\u00ab\u00bb"
_SCHEMES = ("http", "https")
_SECOND_URL = re.compile(r"https?:[/\\]{2}").search


class NoSite(NamedTuple):
    """Why a host names no site: ``single_label`` or ``unreadable``, the codes of rejected entries, and a sentence."""

    code: str
    reason: str


class NoSiteError(ValueError):
    """A text names no site of the internet: the verdict on it is ``unknown``."""


def is_no_value(text: str) -> bool:
    """Return whether a text is one of the words for "no value", in any case and in one pair of quotes.

    A number below ten million is one too: a browser opens it as an address in 0.0.0.0/8, which no machine has
    (RFC 1122, 3.2.1.3).

    >>> [is_no_value(text) for text in ("NULL", '"undefined"', "N/A", "0", "null.example", "7.example")]
    [True, True, True, True, False, False]
    """
    if len(text) > _LONGEST_NO_VALUE:
        return False
    if text[:1] == text[-1:] and text[:1] in ('"', "'"):
        text = text[1:-1].strip() or '""'
    return text.lower() in _NO_VALUES or (len(text) < _DIGITS_OF_AN_ADDRESS and text.isdecimal())


def has_macro(text: str) -> bool:
    """Return whether a text, as it is or percent-decoded once, holds a macro that was not replaced.

    >>> [has_macro(text) for text in ("${PAGE_URL}", "%%SITE%%", "[PAGE]", "%7B%7BX%7D%7D", "__page-url__", "[::1]")]
    [True, True, True, True, True, False]
    """
    return bool(_MACRO(text) or ("%" in text and _MACRO(unquote(text))))


def is_quoted(text: str) -> bool:
    """Return whether a text stands in quotes, or between < and >.

    >>> [is_quoted(text) for text in ('"a.example"', "\u00aba.example/x\u00bb", "<a.example>", "a.example/'x'")]
    [True, True, True, False]
    """
    return len(text) > 1 and text[0] in _QUOTES and text[-1] in _QUOTES


def holds_second_url(host: str, text: str) -> bool:
    """Return whether the host of a text ends with the scheme of a second URL, or is a scheme itself.

    >>> holds_second_url("http", "http://http://a.example/"), holds_second_url("https", "https//a.example/")
    (True, True)
    >>> holds_second_url("a.examplehttps", "http://a.examplehttps://b.example/")
    True
    """
    if not host.endswith(_SCHEMES):
        return False
    return host in _SCHEMES or bool(_SECOND_URL(text, text.lower().find(host) + 1))


def why_no_site(host: str) -> NoSite | None:
    """Return why a canonical host names no site; None if it may name one.

    Browsers open such hosts, so a rule may cover one: ask for the rules first.

    >>> why_no_site("pirate.example"), why_no_site("[2001:db8::7]")
    (None, None)
    >>> why_no_site("localhost").reason
    "the host 'localhost' has no dot: it names no site of the internet"
    """
    if _NAME(host) or host[:1] == "[":
        return None
    if has_macro(host):
        return NoSite("unreadable", f"the host {host!r} holds a macro that was not replaced")
    strange = _NOT_IN_NAMES(host)
    if strange is not None:
        return NoSite("unreadable", f"the host {host!r} holds {strange[0]!r}, which no name of a site does")
    if "." in host:
        return None
    return NoSite("single_label", f"the host {host!r} has no dot: it names no site of the internet")
