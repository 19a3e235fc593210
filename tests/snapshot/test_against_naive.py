"""The compiled matcher against a naive one that was written from the contract alone, on random rules and targets.

Targets are made from their parts, so the naive matcher does not depend on the parser under test. The alphabet is
small: hits, ties and near misses are common.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from blocklist.domain.listing import AuthorityKind, Rule, RuleKind, Scope
from blocklist.domain.verdict import Override, OverrideAction, Policy, Verdict
from blocklist.snapshot.format import prefilter
from tests.support import SOME_DAY, listed, snapshot_of, source

EXPIRED, OPEN = "2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"
ADDRESSES = ("93.184.215.14", "2606:2800:21f::1")


@dataclass(frozen=True)
class Place:
    """A target in parts: a host, an address or an app; and for a URL its path and parameters."""

    host: str = ""
    ip: str = ""
    app: str = ""
    path: str | None = None
    params: frozenset[str] = frozenset()

    @property
    def authority(self) -> str:
        return f"[{self.ip}]" if ":" in self.ip else self.ip or self.host


@dataclass(frozen=True)
class Listed:
    """A listing: its rule, the feed, and what its row says of authority and country."""

    rule: Rule
    feed: int
    authority: str | None
    country: str | None
    reference: str | None


# The naive matcher.


def covers(rule: Rule, place: Place) -> bool:
    if rule.kind is RuleKind.APP:
        return bool(place.app) and place.app == rule.value
    if rule.kind is RuleKind.IP:
        return bool(place.ip) and place.ip == rule.value
    if rule.kind is RuleKind.HOST:
        same = bool(place.host) and place.host == rule.value
        return same or (rule.scope is Scope.SUBTREE and place.host.endswith("." + rule.value))
    host, path, params = url_parts(rule)
    if place.app or place.path is None or host not in site_forms(place):
        return False
    wanted = [segment for segment in path.split("/") if segment]
    segments = [segment for segment in place.path.split("/") if segment]
    if not any(segment.startswith(";") for segment in wanted):
        segments = [segment for segment in segments if not segment.startswith(";")]
    pairs = zip(wanted, segments, strict=False)
    along = all(segment == name or segment.startswith(name + ";") for name, segment in pairs)
    return len(wanted) <= len(segments) and along and params <= place.params


def site_forms(place: Place) -> set[str]:
    """A site is served with and without ``www.``; a host with two of them, and an address, have one form."""
    if place.ip or place.authority.startswith("www.www."):
        return {place.authority}
    return {place.authority, "www." + place.authority} - {"www.www." + place.authority[4:]} | (
        {place.authority[4:]} if place.authority.startswith("www.") else set()
    )


def url_parts(rule: Rule) -> tuple[str, str, frozenset[str]]:
    address, _, query = rule.value.partition("?")
    host, _, path = address.partition("/")
    return host, "/" + path, frozenset(query.split("&")) if query else frozenset()


def specificity(rule: Rule) -> tuple[int, int, int]:
    """URLs before hosts, longer paths before shorter, more parameters before fewer, deeper hosts before shallower."""
    if rule.kind is RuleKind.URL:
        _, path, params = url_parts(rule)
        return (1, len(path), len(params))
    return (0, rule.value.count("."), 0)


def most_specific(rules: list[Rule]) -> set[Rule]:
    best = max(map(specificity, rules))
    return {rule for rule in rules if specificity(rule) == best}


@dataclass
class World:
    """Everything that counts."""

    feeds: dict[int, tuple[str, AuthorityKind, str]]
    policies: list[Policy]
    listings: list[Listed]
    overrides: list[Override]

    def origin(self, item: Listed) -> tuple[str, str, AuthorityKind, str]:
        name, kind, country = self.feeds[item.feed]
        return name, item.authority or f"Authority of {name}", kind, item.country or country

    def counting(self, policy: Policy) -> list[Listed]:
        counted = []
        for item in self.listings:
            name, _, kind, country = self.origin(item)
            if policy.kinds and kind not in policy.kinds:
                continue
            if policy.countries and country not in policy.countries:
                continue
            if policy.feeds and name not in policy.feeds:
                continue
            counted.append(item)
        return counted

    def check(self, place: Place, policy: Policy, verdict: Verdict) -> None:
        deciding = [o for o in self.overrides if o.until != EXPIRED and covers(o.rule, place)]
        if deciding:
            event("decided by an override")
            best = most_specific([o.rule for o in deciding])
            newest = {r: max((o for o in deciding if same_target(o.rule, r)), key=lambda o: o.id) for r in best}
            assert verdict.override in {o.action for o in newest.values()}
            assert verdict.listed is (verdict.override is OverrideAction.BLOCK)
            assert verdict.rule in {r.value for r in best}
            return
        assert verdict.override is None
        counting = self.counting(policy)
        hits = [item for item in counting if covers(item.rule, place)]
        if hits and len({self.origin(item)[1] for item in hits}) >= policy.min_authorities:
            event("listed")
            assert verdict.listed
            assert verdict.feeds == tuple(sorted({self.origin(item)[0] for item in hits}))
            best = most_specific([item.rule for item in hits])
            assert (verdict.rule, verdict.scope) in {(rule.value, rule.scope) for rule in best}
            explained = {(s["feed"], s["rule"], s["scope"], s["authority"], s["country"]) for s in verdict.listings}
            assert explained == {
                (
                    *self.origin(item)[:1],
                    item.rule.value,
                    item.rule.scope.value,
                    self.origin(item)[1],
                    self.origin(item)[3],
                )
                for item in hits
            }
            assert len(verdict.listings) == len(hits)
            assert not verdict.partial
            return
        event("not listed")
        assert not verdict.listed
        assert (verdict.rule, verdict.feeds, verdict.listings) == (None, (), ())
        self.check_partial(place, policy, counting, verdict)

    def check_partial(self, place: Place, policy: Policy, counting: list[Listed], verdict: Verdict) -> None:
        if place.path is not None or place.app:
            assert not verdict.partial
            return
        hosts = site_forms(place)
        blocks = [o for o in self.overrides if o.action is OverrideAction.BLOCK]
        urls = [item.rule for item in counting] + [o.rule for o in blocks if o.until != EXPIRED]
        surely = any(rule.kind is RuleKind.URL and url_parts(rule)[0] in hosts for rule in urls)
        expired = any(o.rule.kind is RuleKind.URL and url_parts(o.rule)[0] in hosts for o in blocks)
        if surely:
            event("partial")
        assert verdict.partial is surely or (expired and verdict.partial)


def same_target(one: Rule, other: Rule) -> bool:
    return (one.kind, one.value) == (other.kind, other.value)


# Random worlds.

hosts = st.builds(
    lambda labels, top: ".".join([*labels, top]),
    st.lists(st.sampled_from(["a", "b", "www", "ab"]), max_size=3),
    st.sampled_from(["p.example", "q.example", "pp.example"]),
)
authorities = st.one_of(hosts, st.sampled_from(ADDRESSES))
segments = st.sampled_from(["x", "x", "y", "xy", "x;p", "x;p;q", ";p"])
paths = st.builds(
    lambda parts, end: "/" + "/".join(parts) + (end if parts else ""),
    st.lists(segments, max_size=3),
    st.sampled_from(["", "", "/"]),
)
page_paths = st.builds(
    lambda parts, between, end: "/" + between.join(parts) + (end if parts else ""),
    st.lists(segments, max_size=4),
    st.sampled_from(["/", "/", "//"]),
    st.sampled_from(["", "", "/", "//"]),
)
parameters = st.frozensets(st.sampled_from(["v=1", "v=2", "w", "l=1"]), max_size=3)


def url_rule(authority: str, path: str, params: frozenset[str]) -> Rule:
    host = f"[{authority}]" if ":" in authority else authority
    query = "?" + "&".join(sorted(params)) if params else ""
    return Rule(RuleKind.URL, f"{host}{path}{query}", Scope.PREFIX)


rules = st.one_of(
    st.builds(Rule, st.just(RuleKind.HOST), hosts, st.sampled_from([Scope.SUBTREE, Scope.SUBTREE, Scope.EXACT])),
    st.builds(url_rule, authorities, paths, parameters).filter(lambda rule: not rule.value.endswith("example/")),
    st.builds(Rule, st.just(RuleKind.IP), st.sampled_from(ADDRESSES), st.just(Scope.EXACT)),
    st.builds(Rule, st.just(RuleKind.APP), st.sampled_from(["com.A", "com.a", "1"]), st.just(Scope.EXACT)),
)
kinds = st.sampled_from([AuthorityKind.COURT, AuthorityKind.INDUSTRY, AuthorityKind.REGULATOR])
countries = st.sampled_from(["IT", "DE"])


def some(values: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(values, max_size=2, unique=True).map(tuple)


policies = st.builds(
    Policy,
    st.just("p"),
    some(kinds),
    some(countries),
    some(st.sampled_from(["one", "two", "three"])),
    st.sampled_from([1, 1, 2, 3]),
)
listings = st.builds(
    Listed,
    rules,
    st.sampled_from([1, 2, 3]),
    st.sampled_from([None, None, "Court A"]),
    st.sampled_from([None, None, "IT"]),
    st.sampled_from([None, "R"]),
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    feeds = {number: (name, draw(kinds), draw(countries)) for number, name in enumerate(("one", "two", "three"), 1)}
    named = [
        policy_named(policy, number) for number, policy in enumerate(draw(st.lists(policies, min_size=1, max_size=4)))
    ]
    items = draw(st.lists(listings, max_size=24, unique_by=lambda item: (item.rule, item.feed)))
    decisions = st.tuples(rules, st.sampled_from(list(OverrideAction)), st.sampled_from([None, None, OPEN, EXPIRED]))
    overrides = [
        Override(number, action, rule, "why", "who", SOME_DAY, until)
        for number, (rule, action, until) in enumerate(draw(st.lists(decisions, max_size=4)))
    ]
    return World(feeds, named, items, overrides)


def policy_named(policy: Policy, number: int) -> Policy:
    return Policy(f"p{number}", policy.kinds, policy.countries, policy.feeds, policy.min_authorities)


places = st.one_of(
    st.builds(Place, host=hosts),
    st.builds(Place, host=hosts, path=page_paths, params=parameters),
    st.builds(Place, ip=st.sampled_from(ADDRESSES)),
    st.builds(Place, ip=st.sampled_from(ADDRESSES), path=page_paths, params=parameters),
    st.builds(Place, app=st.sampled_from(["com.A", "com.a", "1", "com.AA"])),
)


def written(place: Place, noise: int) -> str:
    """Write a target as one of the many texts that mean it."""
    authority = place.authority
    if noise & 1:
        authority = authority.upper()
    if noise & 2:
        authority += ":8080"
    if place.path is None:
        return authority
    params = sorted(place.params, reverse=bool(noise & 4))
    query = "?" + "&".join(params) if params else ""
    return f"{'https' if noise & 8 else 'http'}://{'u:p@' if noise & 16 else ''}{authority}{place.path}{query}#f"


@pytest.fixture(scope="module", autouse=True)
def three_keys_make_a_suffix_wide() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prefilter, "WIDE_FROM", 3)
        yield


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds(), st.lists(st.tuples(places, st.integers(0, 31)), min_size=8, max_size=24))
def test_the_compiled_matcher_agrees_with_a_naive_one(world: World, targets: list[tuple[Place, int]]) -> None:
    rows = [
        listed(i.rule, i.feed, authority=i.authority, country=i.country, reference=i.reference) for i in world.listings
    ]
    feeds = {number: source(name, kind, country) for number, (name, kind, country) in world.feeds.items()}
    snapshot = snapshot_of(rows, world.overrides, world.policies, feeds)
    assert snapshot.listings == len(world.listings)
    for place, noise in targets:
        for policy in world.policies:
            if place.app:
                verdict = snapshot.lookup_app(place.app, policy.name, explain=True)
                short = snapshot.lookup_app(place.app, policy.name)
            else:
                text = written(place, noise)
                verdict = snapshot.lookup(text, policy.name, explain=True)
                short = snapshot.lookup(text, policy.name)
                if snapshot.decide_host(place.host or "a.b", policy.name):
                    event("decided by the host alone")
            world.check(place, policy, verdict)
            assert short == verdict._replace(listings=())


def test_the_naive_matcher_itself_is_right() -> None:
    subtree = Rule(RuleKind.HOST, "p.example", Scope.SUBTREE)
    assert covers(subtree, Place("a.p.example")) and not covers(subtree, Place("pp.example"))
    assert not covers(Rule(RuleKind.HOST, "p.example", Scope.EXACT), Place("a.p.example"))
    url = url_rule("p.example", "/x", frozenset({"v=1"}))
    assert covers(url, Place("p.example", path="/x/y", params=frozenset({"v=1", "w"})))
    assert not covers(url, Place("p.example", path="/xy", params=frozenset({"v=1"})))
    assert not covers(url, Place("p.example", path="/x", params=frozenset({"w"})))
    assert not covers(url, Place("p.example"))
