"""Forward authentication: the page that a request is for, and what the headers of the answer say of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal
from urllib.parse import quote

from blocklist.domain.verdict import Verdict, VerdictKind
from blocklist.lookup.cached_verdicts import PAGE, CachedVerdicts
from blocklist.normalize.hosts import parse_app

#: What the gate does where there is nothing to judge (setting ``gate.unknown``).
Unknown = Literal["allow", "block"]

#: Where the page is named, the first that is there winning. ``X-Original-URL`` and ``X-Forwarded-*`` name the address
#: that was asked, which is the ad server's own, not the page that the ad goes on.
_HEADERS = ("x-page-url", "referer", "origin")
#: How the Referer of a web view inside an Android app begins.
_ANDROID_APP = "android-app://"
_MAX_HEADER = 4_096
#: What stays as it is in a header's value: all of printable ASCII. Hosts and URLs are escaped already, app ids are not.
_HEADER_SAFE = "".join(map(chr, range(0x21, 0x7F)))


def judge(verdicts: CachedVerdicts, query: Mapping[str, str], headers: Mapping[str, str]) -> Verdict:
    """Return the verdict on the page that a request names; ``unknown`` if it names none that a browser could open."""
    text = page(query, headers)
    try:
        if text[: len(_ANDROID_APP)].lower() == _ANDROID_APP:
            app = parse_app(text[len(_ANDROID_APP) :].partition("/")[0])
            return verdicts.snapshot.decide(app, verdicts.policy)
        return verdicts.caches[PAGE].items.get(text) or verdicts.judge(PAGE, text)
    except ValueError:
        return Verdict(VerdictKind.UNKNOWN, verdicts.snapshot.version)


def page(query: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """Return the page: of ``url`` in the query, else of ``X-Page-URL``, ``Referer`` or ``Origin``.

    The first that is not empty counts, readable or not: to go on to the next would let a caller who sends rubbish in
    one be judged by another.

    >>> page({}, {"referer": "https://www.pirate.example/film"})
    'https://www.pirate.example/film'
    >>> page({"url": "http://a..b/"}, {"referer": "https://news.example/"})
    'http://a..b/'
    """
    return next(filter(None, (query.get("url"), *(headers.get(name) for name in _HEADERS))), "")


def headers(verdict: Verdict) -> tuple[tuple[str, str], ...]:
    """Return the headers of an answer; ``Blocklist-Rule`` and ``Blocklist-Feeds`` only where something is listed.

    >>> headers(Verdict(VerdictKind.LISTED, 7, "кино.example/a b", feeds=("it-agcom", "ru-registry")))[1:3]
    (('Blocklist-Rule', '%D0%BA%D0%B8%D0%BD%D0%BE.example/a%20b'), ('Blocklist-Feeds', 'it-agcom, ru-registry'))
    """
    said = [("Blocklist-Verdict", verdict.verdict.value)]
    if verdict.listed:
        said += [
            ("Blocklist-Rule", _header_value(verdict.rule or "")),
            ("Blocklist-Feeds", ", ".join(map(_header_value, verdict.feeds))[:_MAX_HEADER]),
        ]
    return (*said, ("Blocklist-Version", str(verdict.version)))


def _header_value(text: str) -> str:
    """Return text as a header may hold it, escaped as in a URL and never endless (RFC 9110, 5.5)."""
    return quote(text, safe=_HEADER_SAFE, errors="replace")[:_MAX_HEADER]
