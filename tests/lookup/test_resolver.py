"""Requests for verdicts and their answers, as in the contract."""

from __future__ import annotations

import json
from typing import Any

import pytest

from blocklist import Snapshot
from blocklist.domain.listing import Rule, RuleKind, Scope
from blocklist.domain.verdict import OverrideAction
from blocklist.lookup.http import Answer, problem
from blocklist.lookup.limits import MAX_BYTES, MAX_ITEMS
from blocklist.lookup.resolver import Resolver
from tests.support import listed, override, rule, snapshot_of, source


class Holder:
    """Holds a snapshot, or none."""

    def __init__(self, snapshot: Snapshot | None, stale: bool = False) -> None:
        self.snapshot = snapshot
        self.stale = stale
        self.reason = ""


@pytest.fixture
def resolver() -> Resolver:
    rows = [
        listed(rule("pirate.example"), reference="R-1"),
        listed(rule("video.example/watch?v=1")),
        listed(Rule(RuleKind.APP, "com.Pirate.App", Scope.EXACT)),
    ]
    overrides = [
        override(1, OverrideAction.ALLOW, rule("good.pirate.example")),
        override(2, OverrideAction.BLOCK, rule("bad.example")),
    ]
    return Resolver(Holder(snapshot_of(rows, overrides, feeds={1: source("it-agcom")}, version=7)))


def body_of(answer: Answer) -> dict[str, Any]:
    return dict(json.loads(answer.encoded()))


def ask(resolver: Resolver, **query: str) -> dict[str, Any]:
    answer = resolver.lookup(query)
    assert answer.status == 200, answer.body
    return body_of(answer)


def refused(resolver: Resolver, status: int, **query: str) -> str:
    answer = resolver.lookup(query)
    assert answer.status == status
    assert answer.content_type == "application/problem+json"
    assert body_of(answer)["status"] == status
    return str(body_of(answer)["detail"])


def batch(resolver: Resolver, request: Any) -> Answer:
    return resolver.batch(json.dumps(request).encode())


def test_the_three_answers_of_the_contract(resolver: Resolver) -> None:
    assert ask(resolver, domain="www.pirate.example") == {
        "verdict": "listed",
        "listed": True,
        "rule": "pirate.example",
        "scope": "subtree",
        "feeds": ["it-agcom"],
        "version": 7,
        "stale": False,
    }
    assert ask(resolver, domain="example.com") == {
        "verdict": "not_listed",
        "listed": False,
        "version": 7,
        "stale": False,
    }
    assert ask(resolver, domain="video.example") == {
        "verdict": "not_listed",
        "listed": False,
        "partial": True,
        "version": 7,
        "stale": False,
    }


def test_a_url_is_judged_with_its_path_a_domain_without(resolver: Resolver) -> None:
    assert ask(resolver, url="http://video.example/watch?v=1")["rule"] == "video.example/watch?v=1"
    assert ask(resolver, domain="http://video.example/watch?v=1")["partial"] is True


def test_an_app_is_judged_by_its_id(resolver: Resolver) -> None:
    assert ask(resolver, app="com.Pirate.App")["scope"] == "exact"
    assert ask(resolver, app="com.pirate.app")["listed"] is False


def test_explain_adds_the_listings(resolver: Resolver) -> None:
    for word in ("1", "true", "YES"):
        (listing,) = ask(resolver, domain="pirate.example", explain=word)["listings"]
        assert set(listing) >= {
            *("feed", "authority", "kind", "country", "reference", "legal_basis", "published_at", "listed_from"),
            *("appeal_contact", "entry"),
        }
        assert listing["reference"] == "R-1"
    assert "listings" not in ask(resolver, domain="pirate.example", explain="0")


def test_an_override_is_named(resolver: Resolver) -> None:
    assert ask(resolver, url="http://good.pirate.example/")["override"] == "allow"
    blocked = ask(resolver, url="http://bad.example/")
    assert (blocked["verdict"], blocked["override"], blocked["feeds"]) == ("listed", "block", [])


def test_what_no_browser_could_open_is_400_with_verdict_unknown(resolver: Resolver) -> None:
    assert "names no site" in refused(resolver, 400, url="javascript:alert(1)")
    assert body_of(resolver.lookup({"url": "http://"}))["verdict"] == "unknown"
    assert "app id is empty" in refused(resolver, 400, app="")


def test_a_request_must_name_exactly_one_target(resolver: Resolver) -> None:
    for query in ({}, {"url": "a.example", "domain": "a.example"}):
        assert "name exactly one of url, domain and app" in refused(resolver, 400, **query)


def test_an_unknown_policy_is_404(resolver: Resolver) -> None:
    assert "there is no policy 'nope'" in refused(resolver, 404, domain="a.example", policy="nope")
    assert ask(resolver, domain="pirate.example", policy="everything")["listed"] is True
    assert ask(resolver, domain="pirate.example", policy="")["listed"] is True


def test_without_a_snapshot_the_verdict_is_never_not_listed() -> None:
    resolver = Resolver(Holder(None))
    for answer in (resolver.lookup({"domain": "a.example"}), resolver.batch(b"{}"), resolver.ready()):
        assert (answer.status, body_of(answer)["verdict"]) == (503, "unknown")


def test_a_stale_snapshot_is_served_and_marked_stale() -> None:
    resolver = Resolver(Holder(snapshot_of([listed(rule("pirate.example"))]), stale=True))
    assert ask(resolver, domain="pirate.example")["stale"] is True
    assert ask(resolver, domain="pirate.example")["listed"] is True
    assert body_of(batch(resolver, {"items": []}))["stale"] is True
    assert resolver.ready().status == 200


def test_a_batch_answers_in_the_same_order(resolver: Resolver) -> None:
    items = [
        {"url": "http://video.example/watch?v=1"},
        {"domain": "video.example"},
        {"app": "com.Pirate.App"},
        "https://www.pirate.example/film",
        "example.com",
    ]
    answer = batch(resolver, {"items": items, "policy": "default"})
    assert (answer.status, body_of(answer)["version"], body_of(answer)["stale"]) == (200, 7, False)
    assert [result["verdict"] for result in body_of(answer)["results"]] == [
        *("listed", "not_listed", "listed", "listed", "not_listed"),
    ]
    assert body_of(answer)["results"][1]["partial"] is True


def test_an_unreadable_item_is_unknown_and_the_others_get_verdicts(resolver: Resolver) -> None:
    items: list[Any] = ["pirate.example", "http://", 7, None, {}, {"url": 7}, {"url": "a", "app": "b"}, [], "b.example"]
    results = body_of(batch(resolver, {"items": items}))["results"]
    assert [result["verdict"] for result in results] == ["listed", *["unknown"] * 7, "not_listed"]
    for result in results[1:-1]:
        assert result["error"]
        assert result["listed"] is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"not json", 400),
        (b"\xff", 400),
        (b"[" * 100_000, 400),
        (b"[]", 400),
        (b"{}", 400),
        (b'{"items": {}}', 400),
        (b'{"items": [], "policy": 7}', 400),
        (b'{"items": [], "policy": "nope"}', 404),
        (b'{"items": [' + b",".join([b"1"] * (MAX_ITEMS + 1)) + b"]}", 413),
        (b" " * (MAX_BYTES + 1), 413),
    ],
    ids=range(11),
)
def test_an_unreadable_batch_gets_a_problem_document(resolver: Resolver, body: bytes, status: int) -> None:
    answer = resolver.batch(body)
    assert (answer.status, answer.content_type) == (status, "application/problem+json")
    assert body_of(answer)["detail"]


def test_ten_thousand_items_are_answered(resolver: Resolver) -> None:
    results = body_of(batch(resolver, {"items": ["pirate.example"] * MAX_ITEMS}))["results"]
    assert len(results) == MAX_ITEMS
    assert all(result["listed"] for result in results)


def test_a_batch_can_be_explained(resolver: Resolver) -> None:
    assert body_of(batch(resolver, {"items": ["pirate.example"], "explain": True}))["results"][0]["listings"]


def test_an_answer_is_utf_8_json_on_one_line() -> None:
    assert Answer(200, {"rule": "кино"}).encoded() == '{"rule":"кино"}\n'.encode()
    assert Answer(200, {"rule": "\ud800"}).encoded() == b'{"rule":"?"}\n'
    assert problem(404, "why").body == {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "why"}
