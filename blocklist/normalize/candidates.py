"""What must be judged to answer for a text: the page or app that it names, and what stands within.

A text names several things when it is the address of a wrapper (:mod:`.wrappers`, :mod:`.wrapping_schemes`) or of an
app store (:mod:`.app_stores`). Each is judged by itself, see :func:`blocklist.snapshot.judging.judge`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

from blocklist.domain.verdict import Target
from blocklist.normalize.app_stores import APP_STORES, SHORT_LINKS, AppStore, ids_in_page
from blocklist.normalize.apps import parse_app, published_id
from blocklist.normalize.host_patterns import HostPatterns
from blocklist.normalize.hosts import parse_target, shorten, split_url
from blocklist.normalize.no_site import NoSiteError
from blocklist.normalize.wrappers import WRAPPERS, Wrapper
from blocklist.normalize.wrapping_schemes import Inner, unwrap

#: How deep wrappers are opened: an archive of a translation of an AMP page needs three.
MAX_DEPTH = 4
#: The most things that are judged for one text: the first ones, from the outside in.
MAX_CANDIDATES = 16
#: The most texts that are read for one text: a caller can repeat a parameter thousands of times.
MAX_READ = 32

#: The hosts of wrappers and stores, with their rows.
KNOWN_HOSTS: HostPatterns[Wrapper | AppStore] = HostPatterns(
    [
        *((pattern, wrapper) for wrapper in WRAPPERS for pattern in wrapper.hosts),
        *((pattern, store) for store in APP_STORES for pattern in store.hosts),
    ]
)


class Candidate(NamedTuple):
    """A target to judge; ``via`` is the host or scheme of the wrapper that it stands in, None for the text's own."""

    target: Target
    via: str | None = None


Candidates = tuple[Candidate, ...]


def page_candidates(text: str) -> Candidates:
    """Return what a URL or host names, the outermost first.

    >>> for target, via in page_candidates("https://web.archive.org/web/2024/https://pirate.example/film"):
    ...     print(target.host, via)
    web.archive.org None
    pirate.example web.archive.org

    :raises ValueError: no browser could open it, and nothing that can be judged stands within; the message says why.
    """
    try:
        target = parse_target(text)
    except ValueError as error:
        return _opened(text, error)
    return _opened(text) if KNOWN_HOSTS.find(target.host) else (Candidate(target),)


def domain_candidates(text: str) -> Candidates:
    """Return what :func:`page_candidates` returns, of each page only the host.

    :raises ValueError: as there.
    """
    sites: dict[Target, Candidate] = {}
    for target, via in page_candidates(text):
        sites.setdefault(target.site, Candidate(target.site, via))
    return tuple(sites.values())


def app_candidates(text: str) -> Candidates:
    """Return what stands where an app is named: its id, or the URL of a store's page, which is judged as a page too.

    >>> [target.app for target, _ in app_candidates("market://details?id=com.example.films")]
    ['com.example.films']

    :raises ValueError: it is neither.
    """
    if not _is_url(text):
        return (Candidate(parse_app(text)),)
    return _without_store(page_candidates(text))


def store_candidates(text: str) -> Candidates:
    """Return what stands where a store's URL belongs: its page and app. A bare text may be a host or an app's id.

    :raises ValueError: it is none of these.
    """
    if _is_url(text):
        return _without_store(page_candidates(text))
    found: list[Candidate] = []
    with suppress(ValueError):
        found += page_candidates(text)
    try:
        found.append(Candidate(parse_app(text)))
    except ValueError:
        if not found:
            raise
    return tuple(found)


def one_app(text: str) -> Target:
    """Return the one app that an entry of a list, or an override, names: by its id, or by the URL of a store's page.

    :raises ValueError: it names none or several; the message says why.
    """
    if not _is_url(text):
        return parse_app(published_id(text))
    found = [candidate.target for candidate in page_candidates(text)]
    apps = list(dict.fromkeys(target.app for target in found if target.app is not None))
    if len(apps) == 1:
        return Target("", app=apps[0])
    if apps:
        raise ValueError(f"{shorten(text)} names {len(apps)} apps: {', '.join(apps)}; give each an entry of its own")
    host = next((target.host for target in found), "")
    if host in SHORT_LINKS:
        raise ValueError(f"{shorten(text)} is a short link: only the store knows its app; use the app's id")
    if _is_store(host):
        raise ValueError(f"{shorten(text)} is a page of an app store, but not the page of an app")
    raise ValueError(f"{shorten(text)} is not a page of an app store that is known; use the app's id")


def one_target(text: str) -> Target:
    """Return the one target that a text names, of which a rule is made: a page of a store names its app.

    :raises ValueError: no browser could open it, or it names several apps; the message says why.
    """
    first = page_candidates(text)[0].target
    return one_app(text) if first.app is not None or (_is_store(first.host) and _has_app(text)) else first


def canonical_app(value: str) -> str:
    """Return the canonical id of an ``app`` rule's value; databases of version 0.2 and before have other forms too."""
    try:
        return one_app(value).app or value
    except ValueError:
        return value


class _Found(NamedTuple):
    """What is still to be read: ``shown`` if a site shows it, whose own address is judged in any case."""

    inner: Inner
    via: str | None = None
    depth: int = 0
    shown: bool = False


def _opened(text: str, error: ValueError | None = None) -> Candidates:
    """Return what a text names and what stands within; ``error`` is raised if that is nothing."""
    waiting = deque([_Found(Inner(text))])
    candidates: dict[Target, Candidate] = {}
    read = 0
    while waiting and read < MAX_READ and len(candidates) < MAX_CANDIDATES:
        found = waiting.popleft()
        read += 1
        try:
            target = parse_app(found.inner.text) if found.inner.is_app else parse_target(found.inner.text)
        except ValueError as reason:
            wrapped = unwrap(found.inner.text) if found.depth < MAX_DEPTH else None
            if wrapped:
                error = error if wrapped.inner else NoSiteError(f"{shorten(text)} names no site and no app")
                origin = found.inner.origin
                inner = (one._replace(origin=origin or one.origin) for one in wrapped.inner)
                waiting.extend(_Found(one, wrapped.via, found.depth + 1, found.shown) for one in inner)
            elif found.depth and not found.shown:
                error = reason
            continue
        # A word without a dot within the address of a site is a part of that address.
        if found.shown and target.app is None and target.ip is None and "." not in target.host:
            continue
        if found.inner.origin:
            target = target.site
        candidates.setdefault(target, Candidate(target, found.via))
        if found.depth < MAX_DEPTH and target.app is None:
            shown = islice(_within(found.inner.text, target.host), MAX_CANDIDATES)
            waiting.extend(_Found(one, target.host, found.depth + 1, True) for one in shown)
    if not candidates:
        raise error or NoSiteError(f"{shorten(text)} names no site and no app")
    return tuple(candidates.values())


def _within(text: str, host: str) -> Iterator[Inner]:
    """Yield what a wrapper shows, or the apps that the page of a store is about."""
    rows = KNOWN_HOSTS.find(host)
    page = split_url(text) if rows else None
    for row in rows:
        assert page is not None
        if isinstance(row, AppStore):
            yield from (Inner(app, is_app=True) for app in ids_in_page(row, page))
        else:
            yield from map(Inner, row.read(page))


def _is_store(host: str) -> bool:
    return any(isinstance(row, AppStore) for row in KNOWN_HOSTS.find(host))


def _has_app(text: str) -> bool:
    return any(candidate.target.app is not None for candidate in page_candidates(text))


def _is_url(text: str) -> bool:
    """Return whether a text where an app belongs is a URL, also one without a scheme or percent-encoded."""
    if "://" in text or "%" in text or ":" in text:
        return "://" in text or unwrap(text) is not None
    host, slash, _ = text.strip().partition("/")
    return bool(slash) and (bool(KNOWN_HOSTS.find(host.lower())) or host.lower() in SHORT_LINKS)


def _without_store(candidates: Candidates) -> Candidates:
    """Return candidates with apps as the text's own: where an app belongs, a store's URL is a form of its id."""
    return tuple(one._replace(via=None) if one.target.app is not None else one for one in candidates)
