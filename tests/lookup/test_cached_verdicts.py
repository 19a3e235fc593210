"""CachedVerdicts on texts: what is remembered is what would be said anew, and it is bounded."""

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


def said(verdicts: CachedVerdicts, reading: int, text: str) -> object:
    try:
        return verdicts.caches[reading].items.get(text) or verdicts.judge(reading, text)
    except ValueError as error:
        return str(error)


@given(st.sampled_from([PAGE, DOMAIN, APP, STORE_PAGE]), st.lists(TEXTS, max_size=6))
def test_what_is_remembered_is_what_would_be_said_anew(reading: int, texts: list[str]) -> None:
    verdicts = CachedVerdicts(SNAPSHOT, "default")
    for text in [*texts, *texts, *texts]:
        assert said(verdicts, reading, text) == said(CachedVerdicts(SNAPSHOT, "default"), reading, text)


def test_what_an_override_decided_is_not_remembered_since_overrides_expire() -> None:
    verdicts = CachedVerdicts(SNAPSHOT, "default")
    for _ in range(3):
        assert verdicts.judge(PAGE, "good.pirate.example").override is OverrideAction.ALLOW
    assert len(verdicts.caches[PAGE].items) == 0
    for _ in range(3):
        assert verdicts.judge(PAGE, "pirate.example").listed
    assert len(verdicts.caches[PAGE].items) == 1


def test_a_policy_that_does_not_exist_is_noticed_at_once() -> None:
    with pytest.raises(NotFoundError, match="'nope'"):
        CachedVerdicts(SNAPSHOT, "nope")


def results(resolver: Resolver, items: list[Any], **more: Any) -> list[dict[str, Any]]:
    answer = resolver.batch(json.dumps({"items": items} | more).encode())
    return list(json.loads(answer.encoded())["results"])


@given(
    st.lists(st.one_of(TEXTS, st.fixed_dictionaries({}, optional={"url": TEXTS, "domain": TEXTS, "app": TEXTS}))),
    st.booleans(),
)
def test_a_batch_says_of_each_item_what_would_be_said_of_it_alone(items: list[Any], explain: bool) -> None:
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


def test_a_new_snapshot_is_asked_at_once_by_batches_and_bid_requests_and_the_old_one_let_go() -> None:
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


def test_the_answer_that_most_bid_requests_get_says_when_it_is_stale() -> None:
    holder = Holder(SNAPSHOT)
    resolver = Resolver(holder)
    for holder.stale in (False, True, False):
        said = json.loads(resolver.openrtb(b'{"site": {"domain": "clean.example"}}', {}).encoded())
        assert said == {"block": False, "verdict": "not_listed", "version": 7, "stale": holder.stale}


def test_a_cache_is_bounded_and_drops_what_it_has_had_longest() -> None:
    cache: SecondHitCache[str, int] = SecondHitCache(100 * (OVERHEAD + 4), 4)
    for number in range(1_000):
        for _ in range(2):
            cache.offer(f"{number:04}", number)
        assert len(cache.items) <= 100
    assert len(cache.items) > 90
    assert list(cache.items) == [f"{number:04}" for number in range(1_000 - len(cache.items), 1_000)]
    cache.offer("0000", 0)
    assert cache.items["0000"] == 0  # it has its mark: once is enough
    for _ in range(2):
        cache.offer("too long", 1)
    assert "too long" not in cache.items
    cache.clear()
    assert not cache.items


def test_what_comes_round_again_is_kept_whole_while_there_is_room() -> None:
    cache: SecondHitCache[str, int] = SecondHitCache(100 * (OVERHEAD + 4), 4)
    keys = [f"{number:04}" for number in range(100)]
    for _ in range(5):
        for key in keys:
            cache.offer(key, 1)
    assert list(cache.items) == keys


def test_threads_may_share_a_cache() -> None:
    cache: SecondHitCache[str, str] = SecondHitCache(20_000, 9, len)

    def keep(first: int) -> None:
        for number in range(first, first + 3_000):
            for _ in range(2):
                cache.offer(f"{number % 4_000}", "x" * (number % 50))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            for done in [threads.submit(keep, first) for first in (0, 0, 1_000, 2_000)]:
                done.result()
    finally:
        sys.setswitchinterval(interval)
    taken = sum(len(key) + len(value) + OVERHEAD for key, value in cache.items.items())
    assert cache.taken == taken <= 20_000


def test_what_comes_once_is_not_kept() -> None:
    cache: SecondHitCache[str, int] = SecondHitCache(1 << 20, 6)
    for number in range(1_000):
        cache.offer(f"{number:06}", number)
    assert len(cache.items) < 100  # a few share their marks with others
    for number in range(1_000):
        cache.offer(f"{number:06}", number)
    assert len(cache.items) == 1_000


def test_what_values_take_counts() -> None:
    cache: SecondHitCache[str, bytes] = SecondHitCache(10_000, 9, len)
    for number in range(100):
        for _ in range(2):
            cache.offer(f"{number}", bytes(1_000))
    assert len(cache.items) <= 9
