"""Bid requests: what is judged in them, however their members are written, and what an override allows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocklist.domain.listing import Rule, RuleKind, Scope
from blocklist.domain.verdict import OverrideAction
from blocklist.lookup.cached_verdicts import CachedVerdicts
from blocklist.lookup.openrtb.bid_request import BidRequest, read_bid_request
from blocklist.lookup.openrtb.judge import judge
from tests.support import listed, override, rule, snapshot_of

SNAPSHOT = snapshot_of(
    [
        *(listed(rule(text)) for text in ("pirate.example", "other-pirate.example", "host.example/films")),
        listed(Rule(RuleKind.APP, "com.pirate", Scope.EXACT)),
    ],
    [
        override(1, OverrideAction.ALLOW, rule("pirate.example/legal")),
        override(2, OverrideAction.ALLOW, rule("good.pirate.example")),
        override(3, OverrideAction.ALLOW, rule("sub.pirate.example/legal")),
    ],
)
PARTNER = "ext.inventorypartnerdomain"
ALLOWED, LISTED = "http://pirate.example/legal/x", "https://pirate.example/film"
_SCHAIN = {"nodes": [{"asi": "pirate.example"}]}


def read(request: Any) -> BidRequest:
    return read_bid_request(request if isinstance(request, bytes) else json.dumps(request).encode())


def answer(request: Any) -> dict[str, Any]:
    return judge(read(request), CachedVerdicts(SNAPSHOT, "default"))


def blocked_by(request: Any) -> str | None:
    return answer(request).get("field")


def fields(request: Any) -> dict[str, Any]:
    return {name: value for name, _, value in read(request).fields}


@pytest.mark.parametrize(
    "body",
    [
        b'{"site":{"page":"https://good.example/","PAGE":"https://pirate.example/"}}',
        b'{"site":{"PAGE":"https://pirate.example/","page":"https://good.example/"}}',
        b'{"site":{"page":"https://good.example/"},"Site":{"page":"https://pirate.example/"}}',
        b'{"site":{"page":"https://good.example/"},"SITE":{}}',
        b'{"site":{"page":"https://good.example/","p\\u0061ge":"https://pirate.example/"}}',
        b'{"site":{"page":"https://good.example/","\\u0050age":"https://pirate.example/"}}',
        '{"site":{"page":"https://good.example/"},"\u017fite":{"page":"https://pirate.example/"}}'.encode(),
        b'{"openrtb":{"request":{}},"OPENRTB":{"request":{"context":{"site":{"page":"https://pirate.example/"}}}}}',
        b'{"source":{"ext":{"schain":{},"SChain":{"nodes":[{"asi":"pirate.example"}]}}}}',
        b'{"source":{"ext":{"schain":{"nodes":[{"asi":"a.example"}]},"s\\u0063hain":{"nodes":[{"asi":"b.example"}]}}}}',
        b'{"source":{"schain":{"nodes":[{"asi":"a.example","Asi":"pirate.example"}]}}}',
        b'{"site":{"ext":{"inventorypartnerdomain":"a.example","InventoryPartnerDomain":"pirate.example"}}}',
    ],
    ids=str,
)
def test_a_member_that_is_there_twice_but_for_its_case_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"twice|ignore case"):
        read_bid_request(body)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"SITE":{"PAGE":"https://pirate.example/"}}', "site.page"),
        (b'{"site":{"Page":"https://pirate.example/"}}', "site.page"),
        (b'{"\\u0073ite":{"\\u0050AGE":"https://pirate.example/"}}', "site.page"),
        (b'{"App":{"Bundle":"com.pirate"}}', "app.bundle"),
        ('{"\u017fite":{"domain":"pirate.example"}}'.encode(), "site.domain"),
        (b'{"OpenRTB":{"Request":{"Context":{"Site":{"Pub":{"Domain":"pirate.example"}}}}}}', "site.pub.domain"),
        (b'{"source":{"ext":{"SCHAIN":{"Nodes":[{"ASI":"pirate.example"}]}}}}', "source.ext.schain.nodes[0].asi"),
        (b'{"app":{"ext":{"InventoryPartnerDomain":"pirate.example"}}}', "app.ext.inventorypartnerdomain"),
        ('{"app":{"ext":{"inventorypartnerdomain":"pirate.example","é":1}}}'.encode(), f"app.{PARTNER}"),
    ],
    ids=str,
)  # fmt: skip
def test_a_member_that_is_there_in_another_case_only_is_judged(body: bytes, field: str) -> None:
    assert blocked_by(body) == field


def test_the_case_of_members_that_are_not_judged_does_not_matter() -> None:
    site = {"page": "https://good.example/", "ID": "1", "id": "2", "ext": {"Page": LISTED, "page": LISTED}}
    request = {"site": site, "imp": [{"Domain": "a", "domain": "b"}], "Id": "1", "id": "2", "siteId": LISTED}
    assert answer(request) == {"block": False, "verdict": "not_listed"}
    assert read(request).id == "2"


def test_unknown_members_do_not_change_what_is_read() -> None:
    request: dict[str, Any] = {
        "site": {
            "page": "a",
            "domain": "b",
            "ref": "c",
            "publisher": {"domain": "d"},
            "ext": {"inventorypartnerdomain": "e"},
            "content": {"url": "f", "producer": {"domain": "g"}},
        },
        "source": {"schain": {"nodes": [{"asi": "h", "domain": "i"}]}, "ext": {"schain": {"nodes": [{"asi": "j"}]}}},
        "ext": {"schain": {"nodes": [{"asi": "k"}]}},
    }
    plain = fields(request)
    assert sorted(plain.values()) == list("abcdefghijk")
    request["site"]["vendor"] = request["site"]["content"]["vendor"] = {"page": "x"}
    assert fields(request) == plain


_VALUES = st.one_of(st.sampled_from(["pirate.example", "a.example", ""]), st.integers(), st.none(), st.lists(st.none()))
_NAMES = st.sampled_from(
    [
        *("page", "domain", "ref", "bundle", "publisher", "ext", "inventorypartnerdomain", "nodes", "asi", "sid", "id"),
        *("site", "app", "source", "schain", "context", "openrtb", "request", "content", "imp", "url", "vendor"),
    ]
)
_OBJECTS = st.recursive(
    _VALUES,
    lambda inner: st.one_of(st.dictionaries(_NAMES, inner, max_size=4), st.lists(inner, max_size=2)),
    max_leaves=20,
)


@given(st.dictionaries(_NAMES, _OBJECTS, max_size=5))
def test_both_ways_to_decode_a_request_read_the_same(request: dict[str, Any]) -> None:
    body = json.dumps(request).encode()
    quick = read_bid_request(body)
    changed = json.dumps({"unknown to OpenRTB": 1, **request}).encode()
    slow = read_bid_request(changed)
    assert (quick.fields, quick.unreadable) == (slow.fields, slow.unreadable)


@pytest.mark.parametrize(
    "site",
    [
        {"domain": "pirate.example"},
        {"domain": "www.pirate.example"},
        {"domain": "PIRATE.example."},
        {"domain": "pirate.example", "publisher": {"domain": "pirate.example"}},
        {"ref": "http://pirate.example/legal/y"},
    ],
    ids=str,
)
def test_an_allowed_page_is_allowed_where_other_fields_name_only_its_own_host(site: dict[str, Any]) -> None:
    assert answer({"site": {"page": ALLOWED} | site}) == {"block": False, "verdict": "not_listed"}
    adcom = {"page": ALLOWED} | {"pub" if name == "publisher" else name: value for name, value in site.items()}
    assert blocked_by({"openrtb": {"request": {"context": {"site": adcom}}}}) is None


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"site": {"page": LISTED, "domain": "pirate.example"}}, "site.page"),
        ({"site": {"domain": "pirate.example"}}, "site.domain"),
        ({"site": {"page": "", "domain": "pirate.example"}}, "site.domain"),
        ({"site": {"page": "http://a..b/legal", "domain": "pirate.example"}}, "site.domain"),
        ({"site": {"page": "https://good.example/", "domain": "pirate.example"}}, "site.domain"),
        ({"site": {"page": ALLOWED, "domain": "other-pirate.example"}}, "site.domain"),
        ({"site": {"page": ALLOWED, "domain": "cdn.pirate.example"}}, "site.domain"),
        ({"site": {"page": "http://sub.pirate.example/legal", "domain": "pirate.example"}}, "site.domain"),
        ({"site": {"page": "http://good.pirate.example/", "domain": "pirate.example"}}, "site.domain"),
        ({"site": {"page": ALLOWED, "ref": LISTED}}, "site.ref"),
        ({"site": {"page": ALLOWED, "publisher": {"domain": "other-pirate.example"}}}, "site.publisher.domain"),
        ({"site": {"page": ALLOWED, "inventorypartnerdomain": "pirate.example"}}, "site.inventorypartnerdomain"),
        ({"site": {"page": ALLOWED, "content": {"url": LISTED}}}, "site.content.url"),
        ({"site": {"page": ALLOWED}, "ext": {"schain": _SCHAIN}}, "ext.schain.nodes[0].asi"),
        ({"site": {"page": ALLOWED}, "app": {"domain": "pirate.example"}}, "app.domain"),
        ({"site": {"page": ALLOWED}, "context": {"site": {"domain": "pirate.example"}}}, "site.domain"),
        ({"site": {"ref": ALLOWED, "domain": "pirate.example"}}, "site.domain"),
    ],
    ids=str,
)  # fmt: skip
def test_an_allowed_page_allows_nothing_else(request_: dict[str, Any], field: str) -> None:
    assert blocked_by(request_) == field


@pytest.mark.parametrize("page", ["", " ", "http://a..b/", 7])
def test_an_answer_is_partial_where_the_page_could_not_be_read(page: Any) -> None:
    assert answer({"site": {"page": page, "domain": "host.example"}})["partial"] is True
    read_page = {"site": {"page": "http://host.example/", "domain": "host.example"}}
    assert "partial" not in answer(read_page)


def test_a_listed_node_is_named_with_the_account_of_its_seller() -> None:
    nodes = [{"asi": "ssp.example", "sid": "17"}, {"asi": "x.example", "sid": 4, "domain": "pirate.example"}]
    for source in ({"schain": {"nodes": nodes}}, {"ext": {"schain": {"nodes": nodes}}}):
        said = answer({"source": source})
        assert (said["nbr"], said["sellers"]) == (17, [{"asi": "x.example", "sid": 4}])


def test_the_sellers_of_a_listed_page_are_named_once_each() -> None:
    chain = {"nodes": [{"asi": "ssp.example", "sid": "17"}, {"asi": "x.example"}, {"sid": [1]}]}
    said = answer({"site": {"page": LISTED}, "source": {"schain": chain, "ext": {"schain": chain}}})
    assert said["sellers"] == [{"asi": "ssp.example", "sid": "17"}, {"asi": "x.example"}]
    assert "sellers" not in answer({"site": {"page": LISTED}})
    many = {"nodes": [{"asi": "x.example", "sid": str(number)} for number in range(100)]}
    assert len(answer({"site": {"page": LISTED}, "source": {"schain": many}})["sellers"]) == 20
