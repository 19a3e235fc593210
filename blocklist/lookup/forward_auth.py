"""Forward authentication: the page that a proxied request is for, and the headers of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal
from urllib.parse import quote

from blocklist.domain.verdict import Verdict, VerdictKind
from blocklist.lookup.cached_verdicts import PAGE, CachedVerdicts

#: The answer for a request without a page that can be judged (setting ``gate.unknown``).
UnknownPage = Literal["allow", "block"]

#: Headers that name the page; the first one that is set counts. ``X-Original-URL`` and ``X-Forwarded-*`` are not among
#: them: they name the URL of the request itself, which is on the ad server.
_HEADERS = ("x-page-url", "referer", "origin")
_MAX_HEADER = 4_096
#: Characters that stay as they are in a header: printable ASCII. Hosts and URLs are already escaped, app ids are not.
_HEADER_SAFE = "".join(map(chr, range(0x21, 0x7F)))


def judge(verdicts: CachedVerdicts, query: Mapping[str, str], headers: Mapping[str, str]) -> Verdict:
    """Return the verdict on the page of a request; ``unknown`` without a page that names a site."""
    text = page(query, headers)
    try:
        return verdicts.caches[PAGE].items.get(text) or verdicts.judge(PAGE, text)
    except ValueError as error:
        return Verdict(VerdictKind.UNKNOWN, verdicts.snapshot.version, reason=str(error))


def page(query: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """Return the page: ``url`` of the query, else ``X-Page-URL``, ``Referer`` or ``Origin``.

    The first one that is not empty counts, even if it cannot be read: otherwise a caller could send an unreadable one
    to have another one judged.

    >>> page({}, {"referer": "https://www.pirate.example/film"})
    'https://www.pirate.example/film'
    >>> page({"url": "http://a..b/"}, {"referer": "https://news.example/"})
    'http://a..b/'
    """
    return next(filter(None, (query.get("url"), *(_as_utf8(headers.get(name, "")) for name in _HEADERS))), "")


def headers(verdict: Verdict) -> tuple[tuple[str, str], ...]:
    """Return the headers of an answer; those on rule, feeds and wrapper only for a listed page.

    >>> headers(Verdict(VerdictKind.LISTED, 7, "кино.example/a b", feeds=("it-agcom", "ru-registry")))[1:3]
    (('Blocklist-Rule', '%D0%BA%D0%B8%D0%BD%D0%BE.example/a%20b'), ('Blocklist-Feeds', 'it-agcom, ru-registry'))
    """
    found = [("Blocklist-Verdict", verdict.verdict.value)]
    if verdict.listed:
        found += [
            ("Blocklist-Rule", _header_value(verdict.rule or "")),
            ("Blocklist-Feeds", ", ".join(map(_header_value, verdict.feeds))[:_MAX_HEADER]),
        ]
        if verdict.via:
            found.append(("Blocklist-Via", _header_value(verdict.via)))
    return (*found, ("Blocklist-Version", str(verdict.version)))


def _as_utf8(value: str) -> str:
    """Return the value of a header whose bytes were read as Latin-1; servers do that, and some clients send UTF-8."""
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def _header_value(text: str) -> str:
    """Return text as a header value (RFC 9110, 5.5): escaped as in a URL, and cut at :data:`_MAX_HEADER`."""
    return quote(text, safe=_HEADER_SAFE, errors="replace")[:_MAX_HEADER]
