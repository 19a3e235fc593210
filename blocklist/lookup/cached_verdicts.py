"""Verdicts on texts: how requests name places, read in one of four ways, and judged by one snapshot."""

from __future__ import annotations

import re
from collections.abc import Callable

from blocklist.domain.verdict import Target, Verdict
from blocklist.lookup.app_stores import store_targets
from blocklist.lookup.cache import SecondHitCache
from blocklist.normalize.canonical_host import MAX_HOST, match_target
from blocklist.normalize.hosts import parse_app, parse_target
from blocklist.snapshot.reader import Snapshot

#: How a text is read: as a URL or a host, as a host alone, as an app's id, as a page of an app store.
PAGE, DOMAIN, APP, STORE = range(4)

#: The longest text that is remembered, the bytes for each way of reading, and those of a verdict that names a rule.
_MAX_TEXT, _REMEMBERED, _VERDICT = 512, (3 << 20, 3 << 20, 1 << 19, 1 << 19), 220
#: An App Store id as some exchanges send it.
_PREFIXED_ID = re.compile(r"id(\d+)")


class CachedVerdicts:
    """Judges texts by one snapshot under one policy.

    Exchanges, publishers and pages repeat from request to request, so verdicts are remembered by the text that led to
    them. Only those that no override decided: an override expires, and all else in a snapshot is for good.
    """

    def __init__(self, snapshot: Snapshot, policy: str) -> None:
        """Take note of both.

        :raises NotFoundError: the snapshot has no such policy.
        """
        snapshot.bit_of(policy)
        self.snapshot = snapshot
        self.policy = policy
        #: What is remembered, by the way of reading. For what is not there, ask :meth:`judge`.
        share = len(snapshot.policies)
        self.caches = tuple(SecondHitCache[str, Verdict](size // share, _MAX_TEXT, _size_of) for size in _REMEMBERED)

    def judge(self, reading: int, text: str) -> Verdict:
        """Return the verdict on a text that is not remembered.

        :raises ValueError: why no browser could open it.
        """
        memory = self.caches[reading]
        # What plain_host asks, and a call less: nearly all texts are such.
        known: Verdict | None = None
        match = match_target(text) if reading <= DOMAIN else None
        if match is not None and len(match[1]) <= MAX_HOST and "xn--" not in match[1]:
            known = self.snapshot.judge_plain(match[1], self.policy)
        if known is None:
            known = self._decided(reading, text, explain=False)
        if known.override is None:
            memory.keep(text, known)
        return known

    def explained(self, reading: int, text: str) -> Verdict:
        """Return the verdict with every listing that counts.

        :raises ValueError: why no browser could open it.
        """
        return self._decided(reading, text, explain=True)

    def _decided(self, reading: int, text: str, *, explain: bool) -> Verdict:
        verdicts = [self.snapshot.decide(t, self.policy, explain=explain) for t in _READERS[reading](text)]
        return next((verdict for verdict in verdicts if verdict.listed), verdicts[0])


def _size_of(verdict: Verdict) -> int:
    return 0 if verdict.rule is None else _VERDICT


def _page(text: str) -> list[Target]:
    return [parse_target(text)]


def _domain(text: str) -> list[Target]:
    return [parse_target(text).site]


def _app(text: str) -> list[Target]:
    if "://" in text:
        return store_targets(text)
    found = _PREFIXED_ID.fullmatch(text)
    return [parse_app(text), parse_app(found[1])] if found else [parse_app(text)]


#: What a text names, by the way of reading (PAGE, DOMAIN, APP, STORE). Several targets only of an app that is named in
#: two ways, or together with its store's page.
_READERS: tuple[Callable[[str], list[Target]], ...] = (_page, _domain, _app, store_targets)
