"""The guards over single entries: hosts that are never blocked, and popular and shared ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocklist.domain.listing import Entry, Rule, RuleKind, Scope
from blocklist.guards.entry_guards import NeverBlock
from blocklist.guards.popular_hosts import Tier, popular_hosts, tier_of, why_it_stands_out
from blocklist.normalize.hosts import parse_target
from blocklist.normalize.rules import matches
from blocklist.normalize.suffixes import is_public_suffix
from tests.support import rule


def refused(names: list[str], text: str, scope: Scope = Scope.SUBTREE) -> bool:
    refusal = NeverBlock(names)
    made = rule(text)
    made = made._replace(scope=scope) if made.kind is RuleKind.HOST else made
    return refusal(Entry(text, 1), made) is not None


@pytest.mark.parametrize(
    "text",
    ["shop.example", "www.shop.example", "a.b.shop.example", "https://shop.example/x", "http://a.shop.example/?b=1"],
)
def test_a_rule_that_blocks_a_name_or_a_host_below_it_is_refused(text: str) -> None:
    assert refused(["shop.example"], text)


@pytest.mark.parametrize("text", ["myshop.example", "shop.example.org", "hop.example", "shop-example.org", "1.2.3.4"])
def test_a_name_that_only_resembles_one_is_not_refused(text: str) -> None:
    assert not refused(["shop.example", "8.8.8.8"], text)


def test_a_rule_above_a_name_is_refused_unless_it_is_exact() -> None:
    assert refused(["pay.shop.example.org"], "shop.example.org")
    assert not refused(["pay.shop.example.org"], "shop.example.org", Scope.EXACT)
    assert refused(["8.8.8.8"], "8.8.8.8")


LABEL = st.sampled_from(["a", "b", "shop", "example", "org"])
HOST = st.lists(LABEL, min_size=2, max_size=5).map(".".join)


@given(st.lists(HOST, min_size=1, max_size=3), HOST, st.sampled_from([Scope.SUBTREE, Scope.EXACT]))
def test_a_rule_is_refused_exactly_if_it_matches_a_name_or_is_below_one(
    names: list[str], host: str, scope: Scope
) -> None:
    refusal = NeverBlock(names)
    made = Rule(RuleKind.HOST, host, scope)
    below = any(host == name or host.endswith("." + name) for name in names)
    covers = any(matches(made, parse_target(name)) for name in names)
    assert (refusal(Entry(host, 1), made) is not None) is (below or covers)


def test_the_lists_of_popular_hosts_have_the_expected_content() -> None:
    names = popular_hosts()
    some = ["archive.org", "bit.ly", "pages.dev", "youtube.com"]
    assert {host: names[host].tier for host in some if host in names} == dict.fromkeys(
        ["archive.org", "bit.ly", "youtube.com"], Tier.SHARED
    )
    assert names["nasa.gov"] == (Tier.RENOWNED, "one of the 500 most linked sites (Moz)")
    assert tier_of("gutenberg.org") is Tier.WELL_LINKED
    assert tier_of("1337x.to") is Tier.MOST_USED
    assert names["embluemail.com"].description == "the host above nt.embluemail.com, which strangers share"
    assert 25_000 < len(names) < 40_000
    assert not any(is_public_suffix(host) for host in names)


def test_a_host_stands_out_if_it_or_a_host_above_it_is_popular() -> None:
    assert why_it_stands_out("bit.ly") in (
        "a link shortener",
        "a platform on which strangers publish",
        "a platform of link pages",
    )
    assert why_it_stands_out("films.archive.org") == "below archive.org"
    assert why_it_stands_out("pirate.example") == ""
