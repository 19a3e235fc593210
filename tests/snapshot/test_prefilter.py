"""The prefilter lets every host pass that a key covers, and few others."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocklist.snapshot.format import prefilter as module
from blocklist.snapshot.format.layout import host_key
from blocklist.snapshot.format.prefilter import PASS_ALL, Prefilter, build_prefilter
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
