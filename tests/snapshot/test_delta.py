"""A snapshot compiled as a delta answers like one that was compiled whole."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from blocklist import Snapshot
from blocklist.domain.listing import Rule, RuleKind, Scope
from blocklist.domain.verdict import Override, OverrideAction, Policy
from blocklist.snapshot.compile import delta as module
from blocklist.snapshot.compile.compiler import Compiler, FeedSource
from blocklist.snapshot.compile.delta import DeltaCompiler, start_delta
from blocklist.snapshot.compile.listing_rows import CompiledListing
from blocklist.snapshot.format import prefilter
from tests.snapshot.test_against_naive import OPEN, Listed, Place, World, url_rule, worlds, written
from tests.support import DEFAULT_POLICY, EVERYTHING, SOME_DAY, host_rule, listed, override, rule, source

FEEDS = {1: source("court"), 2: source("other")}
POLICIES = (DEFAULT_POLICY, EVERYTHING)


@pytest.fixture(scope="module", autouse=True)
def small_snapshots_get_deltas_too() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prefilter, "WIDE_FROM", 3)
        patch.setattr(module, "MIN_RULES", 0)
        yield


def compiled(compiler: Compiler, version: int) -> Snapshot:
    out = io.BytesIO()
    compiler.write(out, version, SOME_DAY, version)
    snapshot = Snapshot(Path("in memory"), out.getvalue())
    snapshot.verify()
    return snapshot


def whole(
    rows: list[CompiledListing],
    overrides: list[Override],
    feeds: dict[int, FeedSource] = FEEDS,
    policies: tuple[Policy, ...] = POLICIES,
    version: int = 1,
) -> Snapshot:
    compiler = Compiler(feeds, policies, (0, SOME_DAY))
    compiler.add_listings(rows)
    compiler.add_overrides(overrides)
    return compiled(compiler, version)


def changed_between(base: list[CompiledListing], rows: list[CompiledListing]) -> list[tuple[str, str]]:
    return sorted({(row[1], row[0]) for row in {*base} ^ {*rows}})


def collected(
    previous: Snapshot,
    base: list[CompiledListing],
    rows: list[CompiledListing],
    overrides: list[Override],
    feeds: dict[int, FeedSource] = FEEDS,
    policies: tuple[Policy, ...] = POLICIES,
) -> DeltaCompiler | None:
    """Return a delta compiler with the listings that the store would give it; None where a delta is not possible."""
    made = start_delta(previous, feeds, policies)
    assert made is not None
    made.touch(changed_between(base, rows), overrides)
    made.add_listings(
        row
        for row in reversed(rows)
        if (row[0].partition("/")[0] in made.url_hosts if row[1] == "url" else row[0] in made.values)
    )
    made.add_overrides(overrides)
    return made if made.is_complete(len(rows)) else None


def same(one: Snapshot, other: Snapshot, place: Place, noise: int, policy: str) -> bool:
    """Return whether two snapshots give the same verdicts: short, explained, and for the host alone."""
    for explain in (False, True):
        if place.app:
            verdicts = [snapshot.lookup_app(place.app, policy, explain=explain) for snapshot in (one, other)]
        else:
            text = written(place, noise)
            verdicts = [snapshot.lookup(text, policy, explain=explain) for snapshot in (one, other)]
            verdicts += [snapshot.lookup_host(text, policy, explain=explain) for snapshot in (one, other)]
        if any(
            a._replace(version=0) != b._replace(version=0) for a, b in zip(verdicts[::2], verdicts[1::2], strict=True)
        ):
            return False
    return True


# Few names, so that rules of every kind often meet on one host.
hosts = st.sampled_from(["p.example", "www.p.example", "a.p.example", "www.q.example", "q.example"])
authorities = st.one_of(hosts, st.sampled_from(["93.184.215.14", "2606:2800:21f::1"]))
paths = st.sampled_from(["/x", "/x/y", "/x/", "/x;p", "/x;p;q;r/y"])
parameters = st.frozensets(st.sampled_from(["v=1", "w"]), max_size=2)
rules = st.one_of(
    st.builds(host_rule, hosts, st.sampled_from([Scope.SUBTREE, Scope.EXACT])),
    st.builds(url_rule, authorities, paths, parameters),
    st.sampled_from([rule("93.184.215.14"), rule("2606:2800:21f::1"), Rule(RuleKind.APP, "com.A", Scope.EXACT)]),
)
listings = st.builds(
    Listed, rules, st.sampled_from([1, 2]), st.sampled_from([None, "Court A"]), st.none(), st.sampled_from([None, "R"])
)
places = st.one_of(
    st.builds(Place, host=hosts, path=st.none() | paths, params=st.just(frozenset())),
    st.builds(Place, host=hosts, path=paths, params=parameters),
    st.builds(Place, ip=st.sampled_from(["93.184.215.14", "2606:2800:21f::1"]), path=st.none() | paths),
    st.just(Place(app="com.A")),
)


@st.composite
def histories(draw: st.DrawFn) -> tuple[World, list[tuple[list[Listed], list[Override]]]]:
    """Draw a world, and what counts in it at consecutive moments, with much in common."""
    world = draw(worlds())
    items = draw(st.lists(listings, max_size=12))
    items = list({(item.rule, item.feed): item for item in items}.values())
    decisions = st.tuples(rules, st.sampled_from(list(OverrideAction)), st.sampled_from([None, OPEN]))
    overrides = [
        Override(number, action, target, "why", "who", SOME_DAY, until)
        for number, (target, action, until) in enumerate(draw(st.lists(decisions, max_size=4)))
    ]
    moments = []
    for _ in range(draw(st.integers(2, 4))):
        counts = draw(st.lists(st.integers(0, 3), min_size=len(items), max_size=len(items)))
        # Some listings change their facts: the old row ends and a new one begins.
        there = [
            item if count > 1 else replace(item, reference="new")
            for item, count in zip(items, counts, strict=True)
            if count
        ]
        moments.append((there, [item for item in overrides if draw(st.booleans())]))
    return world, moments


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(histories(), st.lists(st.tuples(places, st.integers(0, 31)), min_size=6, max_size=16))
def test_after_any_changes_a_delta_answers_as_a_snapshot_compiled_whole(
    history: tuple[World, list[tuple[list[Listed], list[Override]]]], targets: list[tuple[Place, int]]
) -> None:
    world, moments = history
    feeds = {number: source(name, kind, country) for number, (name, kind, country) in world.feeds.items()}
    policies = tuple(world.policies)
    base: list[CompiledListing] = []
    previous: Snapshot | None = None
    for version, (items, overrides) in enumerate(moments, 1):
        rows = [listed(i.rule, i.feed, authority=i.authority, country=i.country, reference=i.reference) for i in items]
        compiled_whole = whole(rows, overrides, feeds, policies, version)
        made = previous and collected(previous, base, rows, overrides, feeds, policies)
        if not made:
            event("compiled whole")
            base, previous = rows, compiled_whole
            continue
        event("compiled above a base")
        previous = compiled(made, version)
        assert (previous.rules, previous.listings) == (compiled_whole.rules, compiled_whole.listings)
        for place, noise in targets:
            for policy in policies:
                assert same(previous, compiled_whole, place, noise, policy.name), (place, policy)


def test_the_sections_of_the_base_are_copied_byte_for_byte() -> None:
    rows = [listed(rule(f"site-{number}.example")) for number in range(30)]
    base = whole(rows, [])
    made = collected(base, rows, [*rows[1:], listed(rule("new.example"))], [])
    assert made
    snapshot = compiled(made, 2)
    for name in ("trie", "group_of", "groups", "starts", "members", "details", "strings"):
        assert bytes(snapshot.sections[name]) == bytes(base.sections[name]), name
    assert snapshot.meta["base"] == base.meta["base"]
    assert (snapshot.base_version, snapshot.changed_keys) == (1, 2)
    assert (base.base_version, base.changed_keys) == (1, 0)
    assert [snapshot.lookup(f"{name}.example").listed for name in ("site-0", "site-1", "new")] == [False, True, True]


def test_the_same_previous_file_and_contents_give_the_same_bytes() -> None:
    rows = [listed(rule(f"site-{number}.example"), 1 + number % 2) for number in range(30)]
    after = [*rows[5:], *(listed(rule(f"new-{number}.example/x?v={number}"), 2) for number in range(5))]
    files = []
    for _ in range(2):
        made = collected(whole(rows, []), rows, after, [override(1, OverrideAction.ALLOW, rule("site-9.example"))])
        assert made
        assert (made.values, made.url_hosts) == (sorted(made.values), sorted(made.url_hosts)), (
            "sorted, so that the order of a set does not matter"
        )
        out = io.BytesIO()
        made.write(out, 2, SOME_DAY, 2)
        files.append(out.getvalue())
    assert files[0] == files[1]


def test_a_missing_change_is_noticed() -> None:
    rows = [listed(rule(f"site-{number}.example")) for number in range(3)]
    base = whole(rows, [])
    made = start_delta(base, FEEDS, POLICIES)
    assert made
    made.touch([], [])
    assert made.is_complete(3)
    assert not made.is_complete(2), "a listing ended that was not reported"


def test_no_delta_is_started_on_a_base_that_would_answer_differently_now(tmp_path: Path) -> None:
    base = whole([listed(rule("site.example"))], [])
    assert start_delta(base, FEEDS, POLICIES) is not None
    assert start_delta(base, FEEDS, (EVERYTHING, DEFAULT_POLICY)) is None, "other policies"
    assert start_delta(base, {1: source("court", country="FR"), 2: source("other")}, POLICIES) is None, (
        "another country"
    )
    assert start_delta(base, {2: source("other")}, POLICIES) is None, "a feed that the database does not know"
    unmarked = Compiler(FEEDS, POLICIES)
    assert start_delta(compiled(unmarked, 1), FEEDS, POLICIES) is None, "it does not state how far the store was read"
    out = io.BytesIO()
    compiler = Compiler(FEEDS, POLICIES, (0, SOME_DAY))
    compiler.add_listings([listed(rule("site.example"))])
    compiler.write(out, 1, SOME_DAY, 1)
    damaged = bytearray(out.getvalue())
    damaged[-40] ^= 1
    assert start_delta(Snapshot(tmp_path, bytes(damaged)), FEEDS, POLICIES) is None, "damaged"


def test_a_wide_suffix_that_becomes_listed_is_compiled_whole() -> None:
    rows = [listed(host_rule(f"site-{number}.platform.example")) for number in range(5)]
    base = whole(rows, [])
    assert base.meta["wide"] == ["platform.example"]
    assert collected(base, rows, [*rows, listed(host_rule("platform.example"))], []) is None
    assert collected(base, rows, [*rows, listed(host_rule("example"))], []) is None
    assert collected(base, rows, [*rows, listed(host_rule("six.platform.example"))], []) is not None


def test_an_override_that_expired_or_was_removed_leaves_no_trace() -> None:
    rows = [listed(rule("site.example")), listed(rule("video.example/x"))]
    block = override(1, OverrideAction.BLOCK, rule("video.example/y"))
    allow = override(2, OverrideAction.ALLOW, rule("site.example"))
    base = whole(rows, [block, allow])
    assert not base.lookup("site.example").listed
    made = collected(base, rows, rows, [])
    assert made
    snapshot = compiled(made, 2)
    assert snapshot.lookup("site.example").feeds == ("court",)
    assert not snapshot.lookup("http://video.example/y").listed
    assert snapshot.lookup("video.example").partial
    again = collected(snapshot, rows, rows, [allow])
    assert again
    assert not compiled(again, 3).lookup("site.example").listed


def test_a_delta_knows_the_parameters_in_paths_of_its_own_rules_and_of_its_base() -> None:
    rows = [listed(rule("a.example/x;1;2;3;4")), listed(rule("b.example/y"))]
    base = whole(rows, [])
    made = collected(base, rows, [*rows, listed(rule("www.c.example/x;1;2;3;4;5"))], [])
    assert made
    snapshot = compiled(made, 2)
    for page in ("www.a.example/x;1;2;3;4;5", "c.example/x;1;2;3;4;5;6", "b.example/y;1"):
        assert snapshot.lookup(page).listed, page
    assert not snapshot.lookup("c.example/x;1;2;3;4").listed


def test_apps_and_addresses_change_like_hosts() -> None:
    app = listed(rule("93.184.215.14"))
    rows = [app, listed(rule("[2606:2800:21f::1]/film")), listed(rule("x.example"))]
    base = whole(rows, [])
    after = [listed(rule("2606:2800:21f::1")), rows[2]]
    made = collected(base, rows, after, [])
    assert made
    snapshot = compiled(made, 2)
    assert not snapshot.lookup("93.184.215.14").listed
    assert snapshot.lookup("http://[2606:2800:21f::1]/other").rule == "2606:2800:21f::1"
    assert RuleKind.IP.value in {row[1] for row in rows}
