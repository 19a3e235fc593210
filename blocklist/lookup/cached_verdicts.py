"""Verdicts on texts, such as a URL in a batch or an app id in a bid request, with a cache for each kind of text."""

from __future__ import annotations

from collections.abc import Callable

from blocklist.domain.verdict import Verdict
from blocklist.lookup.cache import SecondHitCache
from blocklist.normalize.candidates import (
    Candidates,
    app_candidates,
    domain_candidates,
    page_candidates,
    store_candidates,
)
from blocklist.normalize.canonical_host import MAX_HOST, match_target
from blocklist.snapshot.reader import Snapshot

#: Kinds of text: a URL or a host; a host whose path does not count; the id of an app; the URL of an app store's page.
#: Plain integers: an enumeration is slower as an index.
PAGE, DOMAIN, APP, STORE_PAGE = range(4)
TextKind = int

#: The longest text that is cached; the bytes of the cache of each kind; and those of a verdict that names a rule.
_MAX_TEXT, _CACHE_SIZES, _VERDICT_SIZE = 512, (3 << 20, 3 << 20, 1 << 19, 1 << 19), 220


class CachedVerdicts:
    """Judges texts by one snapshot under one policy.

    Exchanges, publishers and pages repeat from request to request, so verdicts are cached by text. Those that an
    override decided are not: overrides expire, everything else in a snapshot is constant.
    """

    def __init__(self, snapshot: Snapshot, policy: str) -> None:
        """Begin with empty caches.

        :raises NotFoundError: the snapshot has no such policy.
        """
        snapshot.bit_of(policy)
        self.snapshot = snapshot
        self.policy = policy
        #: A cache for each kind of text. Callers look there first, then call :meth:`judge`.
        share = len(snapshot.policies)
        self.caches = tuple(SecondHitCache[str, Verdict](size // share, _MAX_TEXT, _size_of) for size in _CACHE_SIZES)

    def judge(self, kind: TextKind, text: str) -> Verdict:
        """Return the verdict on a text that is not cached, and offer it to the cache.

        :raises ValueError: no browser could open it, with the reason.
        """
        verdict: Verdict | None = None
        # The check of is_canonical, inlined: it saves a call, and nearly all texts are such hosts.
        match = match_target(text) if kind <= DOMAIN else None
        if match is not None and len(match[1]) <= MAX_HOST and "xn--" not in match[1]:
            verdict = self.snapshot.decide_host(match[1], self.policy)
        if verdict is None:
            verdict = self._decide(kind, text, explain=False)
        if verdict.override is None:
            self.caches[kind].offer(text, verdict)
        return verdict

    def explain(self, kind: TextKind, text: str) -> Verdict:
        """Return the verdict with all listings that count.

        :raises ValueError: no browser could open it, with the reason.
        """
        return self._decide(kind, text, explain=True)

    def _decide(self, kind: TextKind, text: str, *, explain: bool) -> Verdict:
        return self.snapshot.judge(_READERS[kind](text), self.policy, explain=explain)


def _size_of(verdict: Verdict) -> int:
    return 0 if verdict.rule is None else _VERDICT_SIZE


#: What reads a text, by its kind.
_READERS: tuple[Callable[[str], Candidates], ...] = (
    page_candidates,
    domain_candidates,
    app_candidates,
    store_candidates,
)
