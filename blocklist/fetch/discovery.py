"""Finding the list: the newest link on a page that matches, or on the page that such a link leads to."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import compress
from urllib.parse import unquote

import structlog
from selectolax.lexbor import LexborHTMLParser

from blocklist.definitions.name_dates import newest_date
from blocklist.definitions.source import Discovery, LinkRule
from blocklist.domain.clock import now
from blocklist.domain.errors import FetchError
from blocklist.fetch.http import Session, page, shown_address
from blocklist.fetch.links import absolute
from blocklist.text.safe_regex import RegexTimeoutError, matching

#: A page of links is small; one that is not is something else.
_MAX_PAGE = 8 << 20
_MAX_LINKS = 20_000
#: Patterns see this much of a link: a page must not choose how long they take.
_MAX_HREF, _MAX_TEXT = 2_000, 500
#: A date further ahead is a slip of the pen, and would hide every list that comes after it.
_AHEAD = timedelta(days=2)
_LOG = structlog.get_logger("blocklist.fetch")


@dataclass(frozen=True, slots=True)
class _Link:
    url: str
    text: str


def discover(session: Session, url: str, discovery: Discovery) -> str:
    """Return the address of the list that a page, or the page it leads to, links to now.

    The address is not checked here: it is fetched through the same session, with the same checks, as any other.

    :raises FetchError: a page could not be had, or no link on it matches.
    """
    at = url
    for rule in discovery.steps:
        at = _newest(session, at, rule)
    _LOG.info("list found", page=shown_address(url), address=shown_address(at))
    return at


def _newest(session: Session, url: str, rule: LinkRule) -> str:
    body, answer = page(session, url, _MAX_PAGE)
    shown = shown_address(url)
    links = list(_links(_text(body, answer.headers.get("content-type", "")), str(answer.url)))
    try:
        matching = _matching(links, rule)
    except RegexTimeoutError as error:
        raise FetchError(f"{shown}: {error} (source.discovery)") from None
    if not matching:
        raise FetchError(
            f"{shown}: none of the {len(links):,} links on the page matches source.discovery ({_told(rule)}); "
            "the page may have changed, or asks for a sign-in"
        )
    if rule.date is None:
        return matching[0 if rule.pick == "first" else -1].url
    return _newest_by_date(matching, rule, rule.date, shown)


def _newest_by_date(links: list[_Link], rule: LinkRule, pattern: str, shown: str) -> str:
    dated = []
    for link in links:
        found = newest_date(unquote(link.url), pattern) or newest_date(link.text, pattern)
        if found:
            dated.append((found, link))
    latest = date.fromisoformat(now()[:10]) + _AHEAD
    believed = [(found, link) for found, link in dated if found <= latest]
    if not believed:
        why = f"is dated {dated[0][0]}, in the future" if dated else f"holds a date written {pattern}"
        raise FetchError(
            f"{shown}: {len(links):,} links match source.discovery, and {'each' if dated else 'none'} {why}"
        )
    newest = max(found for found, _ in believed)
    same_day = [link for found, link in believed if found == newest]
    return same_day[0 if rule.pick == "first" else -1].url


def _links(text: str, url: str) -> Iterator[_Link]:
    """Yield the links of a page to the web, each with the text it shows."""
    tree = LexborHTMLParser(text)
    base = url
    first_base = tree.css_first("base[href]")
    if first_base is not None:
        try:
            base = absolute(first_base.attributes.get("href") or "", url)
        except FetchError:
            base = url
    for number, node in enumerate(tree.css("a[href], area[href]")):
        if number >= _MAX_LINKS:
            return
        try:
            href = absolute(node.attributes.get("href") or "", base)
        except FetchError:
            continue
        if len(href) > _MAX_HREF:
            continue
        shown = " ".join(node.text(deep=True).split()) or str(node.attributes.get("title") or "")
        yield _Link(href, shown[:_MAX_TEXT])


def _matching(links: list[_Link], rule: LinkRule) -> list[_Link]:
    """Return the links that a rule means.

    :raises RegexTimeoutError: one of its regular expressions takes too long.
    """
    if rule.href is not None:
        fits = _fits([unquote(link.url) for link in links], rule.href, rule.patterns)
        links = list(compress(links, fits))
    if rule.text is not None:
        links = list(compress(links, _fits([link.text for link in links], rule.text, rule.patterns)))
    return links


def _fits(texts: list[str], pattern: str, patterns: str) -> list[bool]:
    if patterns == "glob":
        return [fnmatch.fnmatchcase(text.lower(), pattern.lower()) for text in texts]
    return matching(pattern, texts)


def _told(rule: LinkRule) -> str:
    return ", ".join(f"{name} {value!r}" for name, value in (("href", rule.href), ("text", rule.text)) if value)


def _text(body: bytes, content_type: str) -> str:
    named = re.search(r"charset=[\"']?([\w.:-]+)", content_type, re.IGNORECASE)
    try:
        return body.decode(named[1] if named else "utf-8", "replace")
    except (LookupError, UnicodeError):
        return body.decode("utf-8", "replace")
