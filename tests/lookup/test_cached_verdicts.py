"""Cached verdicts equal new ones, and the caches are bounded."""

from __future__ import annotations

import gc
import json
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocklist.domain.errors import NotFoundError
from blocklist.domain.listing import Rule, RuleKind, Scope
from blocklist.domain.verdict import OverrideAction
from blocklist.lookup.cache import OVERHEAD, SecondHitCache
from blocklist.lookup.cached_verdicts import APP, DOMAIN, PAGE, STORE_PAGE, CachedVerdicts
from blocklist.lookup.resolver import Resolver
from tests.lookup.test_resolver import Holder
from tests.support import DEFAULT_POLICY, EVERYTHING, listed, override, rule, snapshot_of

SNAPSHOT = snapshot_of(
    [
        listed(rule("pirate.example")),
        listed(rule("video.example/watch?v=1")),
        listed(Rule(RuleKind.HOST, "only.example", Scope.EXACT)),
        listed(Rule(RuleKind.APP, "123456789", Scope.EXACT)),
    ],
    [override(1, OverrideAction.ALLOW, rule("good.pirate.example"))],
    [DEFAULT_POLICY, EVERYTHING],
    version=7,
)
TEXTS = st.sampled_from(
    [
        *("pirate.example", "https://www.pirate.example/film", "PIRATE.example", "video.example", "http://a..b/", ""),
        *(
            "https://video.example/watch?v=1&t=2",
            "only.example",
            "a.only.example",
            "good.pirate.example",
            "clean.example",
        ),
        *("id123456789", "123456789", "https://apps.apple.com/app/x/id123456789", "http://[::1]/", "xn--p1ai.example"),
    ]
)


def verdict_or_error(verdicts: CachedVerdicts, kind: int, text: str) -> object:
    try:
        return verdicts.caches[kind].items.get(text) or verdicts.judge(kind, text)
    except ValueError as error:
        return str(error)


@given(st.sampled_from([PAGE, DOMAIN, APP, STORE_PAGE]), st.lists(TEXTS, max_size=6))
def test_a_cached_verdict_equals_a_new_one(kind: int, texts: list[str]) -> None:
    verdicts = CachedVerdicts(SNAPSHOT, "default")
    for text in [*texts, *texts, *texts]:
        assert verdict_or_error(verdicts, kind, text) == verdict_or_error(
            CachedVerdicts(SNAPSHOT, "default"), kind, text
        )


def test_a_verdict_by_an_override_is_not_cached_since_overrides_expire() -> None:
    verdicts = CachedVerdicts(SNAPSHOT, "default")
    for _ in range(3):
        assert verdicts.judge(PAGE, "good.pirate.example").override is OverrideAction.ALLOW
    assert len(verdicts.caches[PAGE].items) == 0
    for _ in range(3):
        assert verdicts.judge(PAGE, "pirate.example").listed
    assert len(verdicts.caches[PAGE].items) == 1


def test_an_unknown_policy_raises_at_once() -> None:
    with pytest.raises(NotFoundError, match="'nope'"):
        CachedVerdicts(SNAPSHOT, "nope")


def results(resolver: Resolver, items: list[Any], **more: Any) -> list[dict[str, Any]]:
    answer = resolver.batch(json.dumps({"items": items} | more).encode())
    return list(json.loads(answer.encoded())["results"])


@given(
    st.lists(st.one_of(TEXTS, st.fixed_dictionaries({}, optional={"url": TEXTS, "domain": TEXTS, "app": TEXTS}))),
    st.booleans(),
)
def test_each_item_of_a_batch_gets_the_same_verdict_as_alone(items: list[Any], explain: bool) -> None:
    resolver = Resolver(Holder(SNAPSHOT))
    often = items * 3
    several = results(resolver, often, explain=explain)
    for item, result in zip(often, several, strict=True):
        query = item if isinstance(item, dict) else {"url": item}
        alone = json.loads(resolver.lookup(query | ({"explain": "1"} if explain else {})).encoded())
        if "version" in alone:
            assert result == {name: value for name, value in alone.items() if name not in ("version", "stale")}
        else:
            assert (result["verdict"], result["error"]) == ("unknown", alone["detail"])


def test_batches_and_bid_requests_use_a_new_snapshot_at_once_and_the_old_one_is_freed() -> None:
    old = snapshot_of([listed(rule("pirate.example"))], version=7)
    holder, watched = Holder(old), weakref.ref(old)
    resolver = Resolver(holder)
    del old

    def blocked() -> tuple[bool, bool]:
        bid = resolver.openrtb(b'{"site": {"page": "https://new.example/"}}', {})
        return results(resolver, ["new.example"])[0]["listed"], json.loads(bid.encoded())["block"]

    assert blocked() == (False, False)
    assert results(resolver, ["new.example"], policy="everything")
    holder.snapshot = snapshot_of([listed(rule("new.example"))], version=8)
    assert blocked() == (True, True)
    gc.collect()
    assert watched() is None


def test_the_most_common_answer_to_bid_requests_states_staleness() -> None:
    holder = Holder(SNAPSHOT)
    resolver = Resolver(holder)
    for holder.stale in (False, True, False):
        body = json.loads(resolver.openrtb(b'{"site": {"domain": "clean.example"}}', {}).encoded())
        assert body == {"block": False, "verdict": "not_listed", "version": 7, "stale": holder.stale}


def test_a_cache_is_bounded_and_evicts_the_oldest_items() -> None:
    cache: SecondHitCache[str, int] = SecondHitCache(100 * (OVERHEAD + 4), 4)
    for number in range(1_000):
        for _ in range(2):
            cache.offer(f"{number:04}", number)
        assert len(cache.items) <= 100
    assert len(cache.items) > 90
    assert list(cache.items) == [f"{number:04}" for number in range(1_000 - len(cache.items), 1_000)]
    cache.offer("0000", 0)
    assert cache.items["0000"] == 0  # its key is still marked as seen: once is enough
    for _ in range(2):
        cache.offer("too long", 1)
    assert "too long" not in cache.items
    cache.clear()
    assert not cache.items


def test_keys_that_return_in_a_cycle_stay_cached_while_there_is_room() -> None:
    cache: SecondHitCache[str, int] = SecondHitCache(100 * (OVERHEAD + 4), 4)
    # Keys that share a mark are stored at once, and Python hashes them differently in each process.
    marked: SecondHitCache[str, int] = SecondHitCache(1_000_000, 4)
    candidates = [f"{number:04}" for number in range(200)]
    for key in candidates:
        marked.offer(key, 1)
    keys = [key for key in candidates if key not in marked.items][:100]
    for _ in range(5):
        for key in keys:
            cache.offer(key, 1)
    assert list(cache.items) == keys


def test_threads_can_share_a_cache() -> None:
    cache: SecondHitCache[str, str] = SecondHitCache(20_000, 9, len)

    def offer(first: int) -> None:
        for number in range(first, first + 3_000):
            for _ in range(2):
                cache.offer(f"{number % 4_000}", "x" * (number % 50))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            for done in [threads.submit(offer, first) for first in (0, 0, 1_000, 2_000)]:
                done.result()
    finally:
        sys.setswitchinterval(interval)
    taken = sum(len(key) + len(value) + OVERHEAD for key, value in cache.items.items())
    assert cache.taken == taken <= 20_000


def test_an_item_offered_once_is_not_cached() -> None:
    cache: SecondHitCache[str, int] = SecondHitCache(1 << 20, 6)
    for number in range(1_000):
        cache.offer(f"{number:06}", number)
    assert len(cache.items) < 100  # a few share the mark of another key
    for number in range(1_000):
        cache.offer(f"{number:06}", number)
    assert len(cache.items) == 1_000


def test_the_size_of_values_counts() -> None:
    cache: SecondHitCache[str, bytes] = SecondHitCache(10_000, 9, len)
    for number in range(100):
        for _ in range(2):
            cache.offer(f"{number}", bytes(1_000))
    assert len(cache.items) <= 9
