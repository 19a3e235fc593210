"""What a snapshot answers: rules, scopes, policies, overrides, explanations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from blocklist.domain.clock import rfc3339
from blocklist.domain.errors import ConfigurationError, NotFoundError
from blocklist.domain.listing import AuthorityKind, Rule, RuleKind, Scope
from blocklist.domain.verdict import OverrideAction, Policy, VerdictKind
from blocklist.normalize.rules import Reading
from tests.support import (
    DEFAULT_POLICY,
    EVERYTHING,
    SOME_DAY,
    Clock,
    compiled,
    host_rule,
    listed,
    override,
    rule,
    snapshot_of,
    source,
)

ALLOW, BLOCK = OverrideAction.ALLOW, OverrideAction.BLOCK
APP = Rule(RuleKind.APP, "com.Pirate.App", Scope.EXACT)


def from_now(**delta: int) -> str:
    return rfc3339(datetime.now(UTC) + timedelta(**delta))


def test_an_empty_snapshot_lists_nothing() -> None:
    verdict = snapshot_of([], version=7).lookup("http://example.com/")
    assert (verdict.verdict, verdict.listed, verdict.version) == (VerdictKind.NOT_LISTED, False, 7)
    assert (verdict.rule, verdict.scope, verdict.feeds, verdict.partial) == (None, None, (), False)


@pytest.mark.parametrize(
    "target",
    [
        "HTTP://WWW.Pirate.example:8080/film",
        "pirate.example.",
        "http://pirate%2Eexample/",
        "http://x@pirate.example/",
        "http:\\\\pirate.example\\x",
        "http://ｐｉｒａｔｅ.example/",
    ],
)
def test_a_listed_host_is_found_however_it_is_written(target: str) -> None:
    verdict = snapshot_of([listed(rule("pirate.example"))]).lookup(target)
    assert verdict.listed
    assert (verdict.rule, verdict.scope, verdict.feeds) == ("pirate.example", Scope.SUBTREE, ("court",))


@pytest.mark.parametrize(
    "target",
    [
        "notpirate.example",
        "pirate.example.com",
        "example",
        "http://example.com/?u=pirate.example",
        "http://pirate.example@example.com/",
    ],
)
def test_a_host_that_only_looks_like_a_listed_one_is_not_listed(target: str) -> None:
    assert not snapshot_of([listed(rule("pirate.example"))]).lookup(target).listed


def test_an_exact_host_does_not_reach_below_itself() -> None:
    snapshot = snapshot_of([listed(host_rule("pirate.example", Scope.EXACT))])
    assert snapshot.lookup("http://pirate.example/x").scope is Scope.EXACT
    assert not snapshot.lookup("www.pirate.example").listed


def test_exact_and_subtree_of_one_host_are_two_listings() -> None:
    feeds = {1: source("one"), 2: source("two")}
    rows = [listed(host_rule("pirate.example", Scope.EXACT), 1), listed(host_rule("pirate.example"), 2)]
    snapshot = snapshot_of(rows, feeds=feeds)
    assert snapshot.lookup("pirate.example").feeds == ("one", "two")
    below = snapshot.lookup("www.pirate.example", explain=True)
    assert (below.feeds, below.scope, [listing["feed"] for listing in below.listings]) == (
        ("two",),
        Scope.SUBTREE,
        ["two"],
    )


def test_the_most_specific_rule_is_named_and_every_feed_counted() -> None:
    feeds = {1: source("one"), 2: source("two"), 3: source("three")}
    rows = [
        listed(rule("pirate.example"), 1),
        listed(rule("films.pirate.example"), 2),
        listed(rule("films.pirate.example/new"), 3),
    ]
    snapshot = snapshot_of(rows, feeds=feeds)
    assert snapshot.lookup("http://a.films.pirate.example/new").rule == "films.pirate.example"
    verdict = snapshot.lookup("http://films.pirate.example/new/1", explain=True)
    assert (verdict.rule, verdict.scope) == ("films.pirate.example/new", Scope.PREFIX)
    assert verdict.feeds == ("one", "three", "two")
    assert [listing["rule"] for listing in verdict.listings] == [
        "films.pirate.example/new",
        "films.pirate.example",
        "pirate.example",
    ]


def test_a_url_rule_covers_its_path_and_below_at_a_slash() -> None:
    snapshot = snapshot_of([listed(rule("http://video.example/a/b"))])
    for covered in ("http://video.example/a/b", "https://video.example:8/a/b/c/d/e/f?x#y", "video.example/a/b/"):
        assert snapshot.lookup(covered).rule == "video.example/a/b", covered
    for other in ("video.example", "video.example/", "video.example/a", "video.example/a/bc", "m.video.example/a/b"):
        assert not snapshot.lookup(other).listed, other


@pytest.mark.parametrize(
    "page",
    [
        *("/films/new", "/films/new/", "//films/new", "/films//new", "/films/new;x=1", "/films;a;b;c;d/new;e/part"),
        *("/;s=1/films/new", "/films/new%3Bx", "/films/new/?q=1"),
    ],
)
@pytest.mark.parametrize("host", ["video.example", "www.video.example"])
@pytest.mark.parametrize("value", ["video.example/films/new", "www.video.example/films/new/"])
def test_a_url_rule_covers_its_page_however_the_server_would_serve_it(value: str, host: str, page: str) -> None:
    verdict = snapshot_of([listed(rule(value))]).lookup(f"http://{host}{page}")
    assert (verdict.listed, verdict.rule) == (True, value)


def test_a_rule_with_parameters_in_its_path_needs_them() -> None:
    snapshot = snapshot_of([listed(rule("video.example/a;p=1;q=2;r=3/b")), listed(rule("video.example/c;p=1"))])
    for covered in ("a;p=1;q=2;r=3/b", "a;p=1;q=2;r=3;s=4/b;t/c", "c;p=1;q", ";x/c;p=1/y"):
        assert snapshot.lookup(f"http://video.example/{covered}").listed, covered
    for other in ("a/b", "a;p=1;q=2/b", "a;p=1;q=2;r=33/b", "c", "c;p=11", "c;q;p=1"):
        assert not snapshot.lookup(f"http://video.example/{other}").listed, other


def test_a_url_with_thousands_of_parameters_takes_no_longer_than_its_rules_allow() -> None:
    snapshot = snapshot_of([listed(rule(f"video.example/a;p={number};q/b;r")) for number in range(50)])
    page = "/".join(["a" + ";p=1" * 500] * 20)
    assert not snapshot.lookup(f"http://video.example/{page}").listed
    assert snapshot.lookup("http://video.example/a;p=7;q;z/b;r;s").listed


def test_a_url_rule_that_an_earlier_version_stored_with_several_slashes_still_counts() -> None:
    stored = Rule(RuleKind.URL, "video.example/films//new?u=http://a.example", Scope.PREFIX)
    for snapshot in (snapshot_of([listed(stored)]), snapshot_of([], [override(1, OverrideAction.BLOCK, stored)])):
        assert snapshot.lookup("http://video.example/films//new?u=http://a.example").listed
        assert snapshot.lookup("http://video.example/films/new?u=http://a.example").listed
        assert not snapshot.lookup("http://video.example/films/new?u=http:/a.example").listed


def test_a_url_rule_with_a_query_needs_each_of_its_parameters() -> None:
    snapshot = snapshot_of([listed(rule("http://video.example/watch?v=1&list=2")), listed(rule("video.example/?id=7"))])
    for covered in ("watch?v=1&list=2", "watch?x=9&list=2&v=1&a=0", "watch/on?%76=1&list=2", "?id=7", "any/where?id=7"):
        assert snapshot.lookup(f"http://video.example/{covered}").listed, covered
    for other in ("watch", "watch?v=1", "watch?v=1&list=22", "watching?v=1&list=2", "?id=77", "?id", "#id=7"):
        assert not snapshot.lookup(f"http://video.example/{other}").listed, other


def test_urls_on_the_root_path_do_not_list_the_host() -> None:
    verdict = snapshot_of([listed(rule("video.example/?id=7"))]).lookup("http://video.example/")
    assert not verdict.listed
    assert not verdict.partial


def test_a_domain_with_listed_urls_is_partial_and_nothing_else_is() -> None:
    snapshot = snapshot_of([listed(rule("video.example/watch?v=1")), listed(rule("www.clips.example/x"))])
    for asked in ("video.example", "www.video.example", "clips.example", "www.clips.example"):
        verdict = snapshot.lookup(asked)
        assert (verdict.listed, verdict.partial) == (False, True), asked
    for asked in ("http://video.example/", "a.video.example", "example", "other.example"):
        assert not snapshot.lookup(asked).partial, asked


def test_a_domain_is_partial_only_under_policies_that_count_the_url() -> None:
    feeds = {1: source("community", AuthorityKind.INDUSTRY)}
    snapshot = snapshot_of([listed(rule("video.example/watch"))], feeds=feeds)
    assert not snapshot.lookup("video.example").partial
    assert snapshot.lookup("video.example", "everything").partial


def test_a_listed_domain_is_listed_and_not_partial() -> None:
    snapshot = snapshot_of([listed(rule("video.example")), listed(rule("video.example/watch"))])
    verdict = snapshot.lookup("video.example")
    assert (verdict.listed, verdict.partial) == (True, False)


def test_an_address_matches_as_the_host_of_a_url_in_any_notation() -> None:
    snapshot = snapshot_of([listed(rule("93.184.215.14")), listed(rule("2606:2800:21f::1"))])
    for covered in ("93.184.215.14", "http://0x5db8d70e:80/x", "http://[::ffff:93.184.215.14]/", "93.184.55054"):
        assert snapshot.lookup(covered).rule == "93.184.215.14", covered
    assert snapshot.lookup("http://[2606:2800:021f:0:0::1]:443/").rule == "2606:2800:21f::1"
    for other in ("93.184.215.15", "http://[2606:2800:21f::2]/", "93.184.215.14.example", "a.93.184.215.14.example"):
        assert not snapshot.lookup(other).listed, other


def test_a_url_on_an_address_is_a_url() -> None:
    snapshot = snapshot_of([listed(rule("93.184.215.14/film")), listed(rule("[2606:2800:21f::1]/film"))])
    assert snapshot.lookup("http://93.184.215.14:8080/film/1").listed
    assert snapshot.lookup("http://[2606:2800:21f::1]/film").listed
    assert not snapshot.lookup("http://93.184.215.14/").listed
    assert snapshot.lookup("93.184.215.14").partial
    assert snapshot.lookup("2606:2800:21f::1").partial


def test_an_app_id_keeps_its_case_and_is_never_a_host() -> None:
    snapshot = snapshot_of([listed(APP), listed(rule("pirate.example"))])
    assert snapshot.lookup_app("com.Pirate.App").rule == "com.Pirate.App"
    assert not snapshot.lookup_app("com.pirate.app").listed
    assert not snapshot.lookup_app("com.Pirate.App.pro").listed
    assert not snapshot.lookup_app("pirate.example").listed
    assert not snapshot.lookup("com.Pirate.App").listed


def test_the_default_policy_counts_what_a_government_confirmed() -> None:
    for kind in AuthorityKind:
        snapshot = snapshot_of([listed(rule("pirate.example"))], feeds={1: source("f", kind)})
        confirmed = kind not in (AuthorityKind.INDUSTRY, AuthorityKind.INTERNAL)
        assert snapshot.lookup("pirate.example").listed is confirmed, kind
        assert snapshot.lookup("pirate.example", "everything").listed


def test_a_policy_chooses_by_country_even_where_entries_name_their_own() -> None:
    policies = [Policy("italy", countries=("IT",)), Policy("both", countries=("IT", "DE"))]
    rows = [listed(rule("a.example")), listed(rule("b.example"), country="IT"), listed(rule("c.example"), country="DE")]
    snapshot = snapshot_of(rows, policies=policies, feeds={1: source(country="XX")})
    assert [snapshot.lookup(f"{name}.example", "italy").listed for name in "abc"] == [False, True, False]
    assert [snapshot.lookup(f"{name}.example", "both").listed for name in "abc"] == [False, True, True]


def test_a_policy_chooses_by_feed_and_combines_what_it_asks() -> None:
    feeds = {1: source("one", country="IT"), 2: source("two", country="DE")}
    policies = [Policy("two", feeds=("two",)), Policy("none", feeds=("two",), countries=("IT",))]
    snapshot = snapshot_of(
        [listed(rule("pirate.example"), 1), listed(rule("pirate.example"), 2)], (), policies, feeds=feeds
    )
    assert snapshot.lookup("pirate.example", "two").feeds == ("two",)
    assert not snapshot.lookup("pirate.example", "none").listed


def test_min_authorities_counts_independent_authorities_over_all_rules_that_match() -> None:
    feeds = {
        1: source("one", authority="Court A"),
        2: source("two", authority="Court A"),
        3: source("three", authority="Court B"),
    }
    policies = [Policy("strict", min_authorities=2)]
    rows = [
        listed(rule("a.example"), 1),
        listed(rule("a.example"), 2),
        listed(rule("b.example"), 1),
        listed(rule("films.b.example"), 3),
        listed(rule("c.example"), 1),
        listed(rule("c.example/x"), 3),
        listed(rule("d.example"), 1),
        listed(rule("d.example"), 3, authority="Court A"),
        listed(host_rule("e.example", Scope.EXACT), 1),
        listed(rule("e.example"), 3),
    ]
    snapshot = snapshot_of(rows, policies=policies, feeds=feeds)

    def is_listed(target: str) -> bool:
        return snapshot.lookup(target, "strict").listed

    assert not is_listed("a.example"), "two feeds of one authority are one voice"
    assert not is_listed("b.example")
    assert is_listed("x.films.b.example"), "a host and one above it agree"
    assert snapshot.lookup("films.b.example", "strict").feeds == ("one", "three")
    assert not is_listed("http://c.example/")
    assert is_listed("http://c.example/x"), "a host and a URL on it agree"
    assert not is_listed("d.example"), "a row names its own authority"
    assert is_listed("e.example")
    assert not is_listed("www.e.example"), "the exact host does not reach below itself"


def test_a_policy_that_does_not_exist_is_named_with_those_there_are() -> None:
    with pytest.raises(NotFoundError, match="no policy 'nope'; the configuration names default, everything"):
        snapshot_of([]).lookup("example.com", "nope")


def test_there_may_be_64_policies_and_no_more() -> None:
    policies = [Policy(f"p{number}", feeds=("court",) if number % 2 else ("other",)) for number in range(64)]
    snapshot = snapshot_of([listed(rule("pirate.example"))], policies=policies)
    assert [snapshot.lookup("pirate.example", policy.name).listed for policy in policies] == [False, True] * 32
    with pytest.raises(ConfigurationError, match="65 are configured, at most 64 can be"):
        compiled([], policies=[*policies, Policy("one more")])


def test_a_target_that_no_browser_could_open_is_refused() -> None:
    snapshot = snapshot_of([])
    for target in ("http://exa mple.com/", "a..b", "http://a.example:x/"):
        with pytest.raises(ValueError, match="no browser could open"):
            snapshot.lookup(target)
    with pytest.raises(ValueError, match="is not an app bundle"):
        snapshot.lookup_app("two words")


@pytest.mark.parametrize("target", ["", "null", "javascript:alert(1)", "localhost", "https://${DOMAIN}/", "[PAGE]"])
def test_what_names_no_site_is_unknown_with_a_reason(target: str) -> None:
    snapshot = snapshot_of([])
    for verdict in (snapshot.lookup(target), snapshot.lookup_host(target), *snapshot.lookup_batch([target])):
        assert (verdict.verdict, verdict.listed) == (VerdictKind.UNKNOWN, False)
        assert verdict.reason
    with pytest.raises(NotFoundError):
        snapshot.lookup(target, "nope")


def test_a_host_without_a_dot_is_unknown_until_a_rule_lists_it() -> None:
    intranet = override(1, OverrideAction.BLOCK, host_rule("intranet"))
    snapshot = snapshot_of([], [intranet])
    assert snapshot.lookup("http://intranet/x").listed
    assert snapshot.lookup("http://other/x").reason == "the host 'other' has no dot: it names no site of the internet"
    assert snapshot.lookup("http://a,b.example/").verdict is VerdictKind.UNKNOWN
    assert snapshot_of([listed(rule("b.example"))]).lookup("http://a{x}.b.example/").listed


def test_what_stands_for_no_app_is_unknown_with_a_reason() -> None:
    for app in ("", " ", "null", "${APP_BUNDLE}", "%%APP%%", "-1"):
        assert snapshot_of([]).lookup_app(app).reason


def test_explain_has_authority_legal_basis_and_appeal_contact() -> None:
    feeds = {1: source("court", legal_basis="Art. 15"), 2: source("wipo", AuthorityKind.INTERNATIONAL, "XX")}
    rows = [
        listed(rule("pirate.example"), 1, "http://www.pirate.example/", "R-1", None, "2026-01-01"),
        listed(rule("pirate.example"), 2, None, None, "Law 7", None, "ANCINE", "BR", "2026-02-03T00:00:00Z"),
    ]
    snapshot = snapshot_of(rows, feeds=feeds)
    assert snapshot.lookup("pirate.example").listings == ()
    assert sorted(
        snapshot.lookup("x.pirate.example", explain=True).listings, key=lambda listing: str(listing["feed"])
    ) == [
        {
            "feed": "court",
            "authority": "Authority of court",
            "kind": "court",
            "country": "GB",
            "rule": "pirate.example",
            "scope": "subtree",
            "reference": "R-1",
            "legal_basis": "Art. 15",
            "published_at": "2026-01-01",
            "listed_from": SOME_DAY,
            "appeal_contact": "appeals@court.example",
            "entry": "http://www.pirate.example/",
        },
        {
            "feed": "wipo",
            "authority": "ANCINE",
            "kind": "international",
            "country": "BR",
            "rule": "pirate.example",
            "scope": "subtree",
            "reference": None,
            "legal_basis": "Law 7",
            "published_at": None,
            "listed_from": "2026-02-03T00:00:00Z",
            "appeal_contact": "appeals@wipo.example",
            "entry": "pirate.example",
        },
    ]


def test_explain_leaves_out_what_the_policy_does_not_count() -> None:
    feeds = {1: source("court"), 2: source("community", AuthorityKind.INDUSTRY)}
    snapshot = snapshot_of([listed(rule("pirate.example"), 1), listed(rule("pirate.example"), 2)], feeds=feeds)
    assert [listing["feed"] for listing in snapshot.lookup("pirate.example", explain=True).listings] == ["court"]
    assert len(snapshot.lookup("pirate.example", "everything", explain=True).listings) == 2


def test_explain_keeps_text_of_every_script_and_length() -> None:
    long = "пират" * 10_000
    snapshot = snapshot_of([listed(rule("pirate.example"), reference=long, raw="\ud800 torn")])
    listing = snapshot.lookup("pirate.example", explain=True).listings[0]
    assert (listing["reference"], listing["entry"]) == (long, "\ud800 torn")


def test_an_allow_wins_over_every_listing_and_a_block_needs_none() -> None:
    overrides = [override(1, ALLOW, rule("pirate.example")), override(2, BLOCK, rule("other.example"))]
    snapshot = snapshot_of([listed(rule("pirate.example")), listed(rule("films.pirate.example"))], overrides)
    allowed = snapshot.lookup("a.films.pirate.example")
    assert (allowed.verdict, allowed.override, allowed.rule) == (VerdictKind.NOT_LISTED, ALLOW, "pirate.example")
    blocked = snapshot.lookup("www.other.example")
    assert (blocked.verdict, blocked.override, blocked.feeds) == (VerdictKind.LISTED, BLOCK, ())
    assert (blocked.rule, blocked.scope) == ("other.example", Scope.SUBTREE)


def test_an_override_counts_under_every_policy() -> None:
    snapshot = snapshot_of(
        [], [override(1, BLOCK, rule("pirate.example"))], [DEFAULT_POLICY, Policy("p", countries=("IT",))]
    )
    assert snapshot.lookup("pirate.example").listed
    assert snapshot.lookup("pirate.example", "p").listed


def test_the_most_specific_override_wins() -> None:
    overrides = [
        override(1, BLOCK, rule("pirate.example")),
        override(2, ALLOW, rule("films.pirate.example")),
        override(3, BLOCK, rule("films.pirate.example/new")),
        override(4, ALLOW, rule("films.pirate.example/new/ad?id=1")),
    ]
    snapshot = snapshot_of([], overrides)
    assert snapshot.lookup("pirate.example").listed
    assert snapshot.lookup("music.pirate.example").listed
    assert not snapshot.lookup("http://a.films.pirate.example/new").listed
    assert not snapshot.lookup("http://films.pirate.example/old").listed
    assert snapshot.lookup("http://films.pirate.example/new/x").listed
    assert not snapshot.lookup("http://films.pirate.example/new/ad?id=1&x=2").listed
    assert snapshot.lookup("http://films.pirate.example/new/ad?id=2").listed


def test_an_override_of_a_wider_rule_wins_over_a_narrower_listing() -> None:
    snapshot = snapshot_of([listed(rule("films.pirate.example/new"))], [override(1, ALLOW, rule("pirate.example"))])
    assert not snapshot.lookup("http://films.pirate.example/new").listed


def test_of_two_overrides_of_one_target_the_newer_wins() -> None:
    target = rule("pirate.example")
    assert not snapshot_of([], [override(1, BLOCK, target), override(2, ALLOW, target)]).lookup("pirate.example").listed
    assert snapshot_of([], [override(1, ALLOW, target), override(2, BLOCK, target)]).lookup("pirate.example").listed


def test_overrides_reach_addresses_and_apps() -> None:
    overrides = [override(1, ALLOW, rule("93.184.215.14")), override(2, BLOCK, APP)]
    snapshot = snapshot_of([listed(rule("93.184.215.14"))], overrides)
    assert not snapshot.lookup("http://[::ffff:93.184.215.14]/").listed
    assert snapshot.lookup_app("com.Pirate.App").override is BLOCK


def test_an_exact_override_does_not_reach_below_itself() -> None:
    exact = override(1, ALLOW, host_rule("pirate.example", Scope.EXACT))
    snapshot = snapshot_of([listed(rule("pirate.example"))], [exact])
    assert not snapshot.lookup("pirate.example").listed
    assert snapshot.lookup("www.pirate.example").listed


def test_an_expired_override_stops_counting_by_itself() -> None:
    target = rule("pirate.example")
    expired, open_ = from_now(seconds=-2), from_now(hours=1)
    snapshot = snapshot_of([listed(target)], [override(1, ALLOW, target, expired)])
    assert snapshot.lookup("pirate.example").feeds == ("court",)
    assert not snapshot_of([listed(target)], [override(1, ALLOW, target, open_)]).lookup("pirate.example").listed
    both = [override(1, ALLOW, target), override(2, BLOCK, target, expired)]
    assert not snapshot_of([], both).lookup("pirate.example").listed


def test_an_override_expires_while_its_snapshot_is_open(clock: Clock) -> None:
    until = from_now(hours=1)
    snapshot = snapshot_of([], [override(1, BLOCK, rule("pirate.example"), until)])
    assert snapshot.lookup("pirate.example").listed
    clock.advance(3_601)
    assert not snapshot.lookup("pirate.example").listed


def test_explain_has_the_override() -> None:
    snapshot = snapshot_of([listed(rule("pirate.example"))], [override(9, ALLOW, rule("pirate.example"))])
    (listing,) = snapshot.lookup("pirate.example", explain=True).listings
    assert listing["override"]["id"] == 9
    assert listing["override"]["reason"] == "a reason"


def test_a_www_host_that_its_feed_keeps_is_a_host_like_any_other() -> None:
    snapshot = snapshot_of([listed(rule("www.pirate.example", Reading(www="keep")))])
    assert snapshot.lookup("a.www.pirate.example").listed
    assert not snapshot.lookup("pirate.example").listed


def test_the_figures_of_a_snapshot_count_rules_and_listings() -> None:
    feeds = {1: source("one"), 2: source("two")}
    rows = [
        listed(rule("a.example"), 1),
        listed(rule("a.example"), 2),
        listed(rule("b.example/x?y"), 1),
        listed(APP, 1, reference="R"),
    ]
    overrides = [override(1, BLOCK, rule("c.example"))]
    snapshot = snapshot_of(rows, overrides, [EVERYTHING], feeds, version=12)
    assert (snapshot.version, snapshot.rules, snapshot.listings) == (12, 3, 4)
    assert (snapshot.built_at, snapshot.contents) == (SOME_DAY, 1)
    assert [policy["name"] for policy in snapshot.policies] == ["everything"]


def test_many_distinct_details_stay_distinct() -> None:
    rows = [listed(rule(f"site-{n}.example"), reference=f"R-{n}") for n in range(70_000)]
    snapshot = snapshot_of(rows)
    for n in (0, 255, 256, 65_535, 65_536, 69_999):
        listing = snapshot.lookup(f"www.site-{n}.example", explain=True).listings[0]
        assert (listing["reference"], listing["rule"]) == (f"R-{n}", f"site-{n}.example")
    assert not snapshot.lookup("site-70000.example").listed


def test_an_allowed_domain_with_a_blocked_page_is_partial() -> None:
    allow = override(1, OverrideAction.ALLOW, rule("a.example"))
    snapshot = snapshot_of([], [allow, override(2, OverrideAction.BLOCK, rule("a.example/film"))])
    assert snapshot.lookup("a.example").partial
    assert not snapshot.lookup("http://a.example/").partial
    assert snapshot.lookup("http://a.example/film/1").listed
    assert not snapshot_of([], [allow]).lookup("a.example").partial
