"""Finds the address of the newest list: a link on a page, or on the page that such a link leads to."""

from __future__ import annotations

import contextlib
import fnmatch
import re
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import compress
from typing import NamedTuple
from urllib.parse import unquote

import structlog
from selectolax.lexbor import LexborHTMLParser

from blocklist.definitions.name_dates import newest_date
from blocklist.definitions.source import Discovery, LinkRule
from blocklist.domain.clock import now
from blocklist.domain.errors import FetchError
from blocklist.fetch.http import FetchSession, fetch_page, shown_address
from blocklist.fetch.links import resolve_link
from blocklist.text.safe_regex import RegexTimeoutError, matching

#: Bytes. A page of links is small.
_MAX_PAGE = 8 << 20
_MAX_LINKS = 20_000
#: Characters of a link that patterns are applied to, so that a page cannot make the search slow.
_MAX_HREF, _MAX_TEXT = 2_000, 500
#: A date further in the future is a typing error, and would hide every later list.
_MAX_AHEAD = timedelta(days=2)
_LOG = structlog.get_logger("blocklist.fetch")


class _Link(NamedTuple):
    url: str
    text: str


def discover(session: FetchSession, url: str, discovery: Discovery) -> str:
    """Return the address of the list that a page, or the page it leads to, links to now.

    The address is not checked here: the session that fetches it checks every address.

    :raises FetchError: a page cannot be fetched, or no link on it matches.
    """
    found = url
    for rule in discovery.steps:
        found = _newest(session, found, rule)
    _LOG.info("list found", page=shown_address(url), address=shown_address(found))
    return found


def _newest(session: FetchSession, url: str, rule: LinkRule) -> str:
    page = fetch_page(session, url, _MAX_PAGE)
    shown = shown_address(url)
    links = list(_links(_text(page.body, page.headers.get("content-type", "")), str(page.url)))
    try:
        matching = _matching(links, rule)
    except RegexTimeoutError as error:
        raise FetchError(f"{shown}: {error} (source.discovery)") from None
    if not matching:
        wanted = ", ".join(f"{name} {value!r}" for name, value in (("href", rule.href), ("text", rule.text)) if value)
        raise FetchError(
            f"{shown}: none of the {len(links):,} links on the page matches source.discovery ({wanted}); "
            "the page may have changed, or ask for a sign-in"
        )
    if rule.date is None:
        return matching[0 if rule.pick == "first" else -1].url
    return _newest_by_date(matching, rule, rule.date, shown)


def _newest_by_date(links: list[_Link], rule: LinkRule, pattern: str, shown: str) -> str:
    days = ((newest_date(unquote(link.url), pattern) or newest_date(link.text, pattern), link) for link in links)
    dated = [(day, link) for day, link in days if day]
    latest = date.fromisoformat(now()[:10]) + _MAX_AHEAD
    accepted = [(day, link) for day, link in dated if day <= latest]
    if not accepted:
        reason = f"is dated {dated[0][0]}, in the future" if dated else f"has a date written {pattern}"
        raise FetchError(
            f"{shown}: {len(links):,} links match source.discovery, and {'each' if dated else 'none'} {reason}"
        )
    newest = max(day for day, _ in accepted)
    same_day = [link for day, link in accepted if day == newest]
    return same_day[0 if rule.pick == "first" else -1].url


def _links(text: str, url: str) -> Iterator[_Link]:
    tree = LexborHTMLParser(text)
    base = url
    first_base = tree.css_first("base[href]")
    if first_base is not None:
        with contextlib.suppress(FetchError):
            base = resolve_link(first_base.attributes.get("href") or "", url)
    for number, node in enumerate(tree.css("a[href], area[href]")):
        if number >= _MAX_LINKS:
            return
        try:
            href = resolve_link(node.attributes.get("href") or "", base)
        except FetchError:
            continue
        if len(href) > _MAX_HREF:
            continue
        shown = " ".join(node.text(deep=True).split()) or str(node.attributes.get("title") or "")
        yield _Link(href, shown[:_MAX_TEXT])


def _matching(links: list[_Link], rule: LinkRule) -> list[_Link]:
    if rule.href is not None:
        links = list(compress(links, _fits([unquote(link.url) for link in links], rule.href, rule.patterns)))
    if rule.text is not None:
        links = list(compress(links, _fits([link.text for link in links], rule.text, rule.patterns)))
    return links


def _fits(texts: list[str], pattern: str, patterns: str) -> list[bool]:
    if patterns == "glob":
        return [fnmatch.fnmatchcase(text.lower(), pattern.lower()) for text in texts]
    return matching(pattern, texts)


def _text(body: bytes, content_type: str) -> str:
    declared = re.search(r"charset=[\"']?([\w.:-]+)", content_type, re.IGNORECASE)
    try:
        return body.decode(declared[1] if declared else "utf-8", "replace")
    except (LookupError, UnicodeError):
        return body.decode("utf-8", "replace")
