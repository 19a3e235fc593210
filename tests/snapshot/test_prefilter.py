"""The prefilter lets every host pass that a key covers, and few others."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocklist.snapshot.format import prefilter as module
from blocklist.snapshot.format.layout import host_key
from blocklist.snapshot.format.prefilter import PASS_ALL, Prefilter, build_prefilter, passing_host
from tests.support import host_rule, listed, snapshot_of

labels = st.sampled_from(["a", "b", "co", "ж", "xn--p1ai", "long-label-0"])
hosts = st.lists(labels, min_size=1, max_size=4).map(".".join)


def built(listed_hosts: list[str]) -> Prefilter:
    keys = dict.fromkeys(host_key(host) for host in listed_hosts)
    return build_prefilter(keys, keys)


@given(st.lists(hosts, max_size=12), st.lists(hosts, max_size=3))
def test_every_host_that_a_key_covers_passes(listed_hosts: list[str], above: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "WIDE_FROM", 2)
        patch.setattr(module, "MAX_JOINED", 5)
        patch.setattr(module, "MAX_COUNTED", 2)
        prefilter = built(listed_hosts)
    for host in listed_hosts:
        for target in (host, *(f"{label}.{host}" for label in above)):
            assert prefilter.may_cover(target), target


def test_a_sixth_of_the_other_hosts_pass_at_most() -> None:
    rng = random.Random(1)
    listed_hosts = [f"{rng.randbytes(5).hex()}.example" for _ in range(5_000)]
    listed_hosts += [f"www.{rng.randbytes(5).hex()}.co.uk" for _ in range(5_000)]
    prefilter = built(listed_hosts)
    assert prefilter.wide == {b"co.uk"}
    for ending in ("example", "co.uk"):
        others = [f"{rng.randbytes(6).hex()}.{ending}" for _ in range(4_000)]
        passed = sum(prefilter.may_cover(host) for host in others)
        assert passed / len(others) < 1 / 6, ending


def test_a_suffix_that_is_listed_itself_is_not_wide() -> None:
    listed_hosts = [f"site-{number}.platform.example" for number in range(50)]
    assert built(listed_hosts).wide == {b"platform.example"}
    with_platform = built([*listed_hosts, "platform.example"])
    assert with_platform.wide == frozenset()
    assert with_platform.may_cover("another.platform.example")


def test_a_key_of_one_label_covers_everything_below_it() -> None:
    assert built(["example", "pirate.test"]) == PASS_ALL
    snapshot = snapshot_of([listed(host_rule("example")), listed(host_rule("pirate.test"))])
    assert snapshot.lookup("www.any.example").listed
    assert snapshot.lookup("example").listed
    assert not snapshot.lookup("other.test").listed


def test_a_suffix_with_many_listed_sites_is_not_listed_itself() -> None:
    snapshot = snapshot_of([listed(host_rule(f"site-{number}.platform.example")) for number in range(40)])
    for host in ("platform.example", "other.platform.example", "example"):
        assert not snapshot.lookup(host).listed, host
        assert not snapshot.lookup(f"{host}:8080").listed, host
    for host in ("site-7.platform.example", "a.b.site-7.platform.example"):
        assert snapshot.lookup(host).listed
        assert snapshot.lookup(f"{host}:8080").listed


@given(st.lists(hosts, max_size=12), st.lists(hosts, min_size=1, max_size=6), st.lists(hosts, max_size=3))
def test_added_hosts_pass_with_all_below_them_and_no_other_host_is_lost(
    listed_hosts: list[str], added: list[str], above: list[str]
) -> None:
    added = [host for host in added if "." in host]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "WIDE_FROM", 2)
        prefilter = built(listed_hosts)
    passing = prefilter.with_passing([passing_host(host) for host in added])
    for host in (*listed_hosts, *added):
        for target in (host, *(f"{label}.{host}" for label in above)):
            assert passing.may_cover(target), target


def test_a_small_filter_lets_few_more_hosts_pass_for_the_added_ones() -> None:
    prefilter = built([f"site-{number}.example" for number in range(20)])
    passing = prefilter.with_passing([passing_host(f"www.added-{number}.example") for number in range(2_000)])
    others = [f"other-{number}.example" for number in range(5_000)]
    more = sum(map(passing.may_cover, others)) - sum(map(prefilter.may_cover, others))
    assert 0 <= more < 100


def test_wrappers_are_opened_where_their_suffix_is_wide() -> None:
    rows = [
        listed(host_rule(f"h{number}.{suffix}"))
        for suffix in ("translate.goog", "google.com", "co.uk", "archive.org")
        for number in range(module.WIDE_FROM + 1)
    ]
    snapshot = snapshot_of([*rows, listed(host_rule("pirate-one.example"))])
    assert snapshot.prefilter.wide >= {b"translate.goog", b"google.com", b"co.uk"}
    for address in (
        "https://pirate--one-example.translate.goog/",
        "https://www.google.com/amp/s/pirate-one.example/",
        "https://translate.google.co.uk/translate?u=pirate-one.example",
        "https://web.archive.org/web/2024/https://pirate-one.example/",
    ):
        assert snapshot.lookup(address).via, address
    assert not snapshot.lookup("https://news.translate.goog/").listed
