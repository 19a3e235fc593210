"""Links that lead to a site by way of another: what mail gateways write over the links of a mailed list, and redirects.

A mail gateway replaces each link of a mail, so the link within is the one that the authority published. The other
services are rejected: a rule for such a link would match nothing that is asked for, and the site would not be listed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote


class Wrapped(NamedTuple):
    """A link of such a service. ``target``: the link within, None where only a person can tell what is meant."""

    service: str
    target: str | None


def _parameter(name: str) -> Callable[[str], str | None]:
    def find(rest: str) -> str | None:
        query = rest.partition("?")[2].partition("#")[0]
        found = [value for param in query.split("&") for key, _, value in [param.partition("=")] if key == name]
        return unquote(found[0]) if found else None

    return find


def _proofpoint_2(rest: str) -> str | None:
    """Return the link in ``/v2/url?u=https-3A__pirate.example_``: ``-`` stands for ``%``, ``_`` for ``/``."""
    found = _parameter("u")(rest)
    return unquote(found.replace("-", "%").replace("_", "/")) if found else None


def _proofpoint_3(rest: str) -> str | None:
    """Return the link in ``/v3/__https://pirate.example__;!!…``; None where ``*`` stands for another sign."""
    match = re.match(r"/v3/__(.+?)__;", rest)
    return match[1] if match and "*" not in match[1] else None


def _last_segment(rest: str) -> str | None:
    return unquote(rest.partition("?")[0].rpartition("/")[2])


#: Host, beginning of what follows it, and how the link within is found.
_GATEWAYS: tuple[tuple[str, re.Pattern[str], re.Pattern[str], Callable[[str], str | None]], ...] = tuple(
    (service, re.compile(host), re.compile(rest), find)
    for service, host, rest, find in (
        (
            "Outlook SafeLinks",
            r"(?:[a-z0-9-]+\.)*safelinks\.protection\.(?:outlook\.com|office365\.us)",
            r"/[^?]*\?",
            _parameter("url"),
        ),
        ("Proofpoint", r"urldefense\.proofpoint\.com", r"/v1/url\?", _parameter("u")),
        ("Proofpoint", r"urldefense\.proofpoint\.com", r"/v2/url\?", _proofpoint_2),
        ("Proofpoint", r"urldefense\.(?:com|us)", r"/v3/__", _proofpoint_3),
        ("Barracuda", r"linkprotect\.cudasvc\.com", r"/url\?", _parameter("a")),
        ("Cisco", r"secure-web\.cisco\.com", r"/.*https?%3A%2F%2F", _last_segment),
        ("FireEye", r"protect\d*\.fireeye\.com", r"/v\d/url\?", _parameter("u")),
    )
)
#: Host and the beginning of what follows it, for services whose links name another site.
_REDIRECTS = tuple(
    (re.compile(host), re.compile(rest))
    for host, rest in (
        (r"(?:www\.)?google\.[a-z.]{2,6}", r"/url\?(?:.*&)?(?:q|url)=http"),
        (r"lm?\.(?:facebook|instagram)\.com", r"/l?(?:\.php)?(?:/)?\?(?:.*&)?u=http"),
        (r"(?:www\.)?youtube\.com", r"/redirect\?(?:.*&)?q=http"),
        (r"(?:m\.)?vk\.com", r"/away(?:\.php)?\?(?:.*&)?to=http"),
        (r"duckduckgo\.com", r"/l/\?(?:.*&)?uddg=http"),
        (r"(?:www\.)?href\.li", r"/\?http"),
        (r"(?:www\.)?anonym\.to", r"/\?http"),
    )
)
_ADDRESS = re.compile(r"(?:https?://)?([^/?#\s]+)(/.*)", re.IGNORECASE | re.DOTALL).fullmatch
_LINK = re.compile(r"https?:/", re.IGNORECASE).match


def wrapped(text: str) -> Wrapped | None:
    """Return what a link of such a service wraps; None for every other text.

    >>> wrapped("https://urldefense.com/v3/__https://pirate.example/__;!!abc$").target
    'https://pirate.example/'
    >>> wrapped("https://href.li/?https://pirate.example/")
    Wrapped(service='href.li', target=None)
    """
    match = _ADDRESS(text)
    if match is None:
        return None
    host, rest = match[1].lower(), match[2]
    for service, hosts, begins, find in _GATEWAYS:
        if hosts.fullmatch(host) and begins.match(rest):
            target = find(rest)
            return Wrapped(service, target if target and _LINK(target) else None)
    for hosts, begins in _REDIRECTS:
        if hosts.fullmatch(host) and begins.match(unquote(rest)):
            return Wrapped(host, None)
    return None
