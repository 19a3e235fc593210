"""The HTTP contract of lookups, evidence and errors, on the lookup node and the control plane."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from blocklist.config.settings import Settings
from blocklist.definitions.definition import FeedDefinition
from blocklist.domain.verdict import OverrideAction
from blocklist.lookup.limits import MAX_ITEMS
from blocklist.service import Service
from blocklist.snapshot.follower import Follower
from blocklist.web.app import create_app

BODY = """site,order
pirate.example,HC-1
http://video.example/watch?v=1,HC-2
93.184.215.14,HC-3
<script>alert(1)</script>.example,HC-4
http://video.example/<script>alert(1)</script>,"<img src=x onerror=alert(1)>"
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(Settings(data_dir=tmp_path / "data", policies={"two": {"min_authorities": 2}}))
    body = tmp_path / "orders.csv"
    body.write_text(BODY)
    definition = FeedDefinition.model_validate(
        {
            "name": "orders",
            "authority": {"name": "High Court", "kind": "court", "country": "GB", "contact": "court@court.example"},
            "format": "csv",
            "options": {"column": "site", "reference": "order"},
            "source": {"file": str(body)},
        }
    )
    service.feeds.add(definition, "test")
    service.runs.refresh("orders", "test")
    yield service
    service.close()


@pytest.fixture(params=["lookup", "control"])
def client(request: pytest.FixtureRequest, service: Service) -> FlaskClient:
    follower = Follower(service.snapshots.folder, 86_400)
    return create_app(follower, service if request.param == "control" else None).test_client()


@pytest.fixture
def control(client_as: Callable[[str], FlaskClient]) -> FlaskClient:
    return client_as("viewer")


def test_the_answer_for_a_listed_site_is_that_of_the_contract(client: FlaskClient) -> None:
    answer = client.get("/v1/lookup?domain=www.pirate.example")
    assert answer.content_type == "application/json"
    assert answer.json == {
        **{"verdict": "listed", "listed": True, "rule": "pirate.example", "scope": "subtree"},
        **{"feeds": ["orders"], "version": 1, "stale": False},
    }


def test_the_answer_for_an_unlisted_site_is_that_of_the_contract(client: FlaskClient) -> None:
    expected = {"verdict": "not_listed", "listed": False, "version": 1, "stale": False}
    assert client.get("/v1/lookup?domain=example.com").json == expected
    assert client.get("/v1/lookup?domain=video.example").json == expected | {"partial": True}
    assert client.get("/v1/lookup?url=http://video.example/").json == expected


def test_explain_adds_the_evidence(client: FlaskClient) -> None:
    answer = client.get("/v1/lookup?url=http://video.example/watch%3Fv=1%26t=9&explain=1").json
    assert answer is not None
    (listing,) = answer["listings"]
    assert listing["authority"] == "High Court"
    assert listing["reference"] == "HC-2"
    assert listing["appeal_contact"] == "court@court.example"


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("", 400, "exactly one of url, domain and app"),
        ("domain=a.example&url=http://a.example/", 400, "exactly one"),
        ("domain=", 400, "empty"),
        ("url=javascript:alert(1)", 400, "names no site"),
        ("domain=a..example", 400, "empty label"),
        ("app=%20", 400, "empty"),
        ("domain=a.example&policy=nobody", 404, "no policy 'nobody'"),
    ],
)
def test_an_invalid_lookup_gives_a_problem_document(client: FlaskClient, query: str, status: int, said: str) -> None:
    answer = client.get(f"/v1/lookup?{query}")
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert said in answer.json["detail"]
    assert answer.json["verdict"] == "unknown"


def test_a_batch_is_answered_in_order_and_an_invalid_item_does_not_affect_others(client: FlaskClient) -> None:
    items: list[Any] = [
        {"url": "http://pirate.example/x"},
        {"domain": "a b"},
        "https://93.184.215.14/",
        {"app": "x.y"},
        7,
        {},
    ]
    answer = client.post("/v1/lookup", json={"items": items}).json
    assert answer is not None
    assert [result["verdict"] for result in answer["results"]] == [
        *("listed", "unknown", "listed", "not_listed", "unknown", "unknown")
    ]
    assert all(result["error"] for result in answer["results"] if result["verdict"] == "unknown")
    assert (answer["version"], answer["stale"]) == (1, False)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "not JSON"),
        (b"[" * 100_000, 400, "not JSON"),
        (b"[]", 400, "an object with a list"),
        (b'{"items": [], "policy": 5}', 400, "policy must be a string"),
        (b'{"items": [], "policy": "nobody"}', 404, "no policy"),
        (b'{"items": [' + b",".join([b'"a.example"'] * (MAX_ITEMS + 1)) + b"]}", 413, "10,001 items"),
        (b'{"items": ["' + b"a" * 8 * 1024 * 1024 + b'"]}', 413, ""),
    ],
)
def test_an_invalid_batch_gives_a_problem_document(client: FlaskClient, body: bytes, status: int, said: str) -> None:
    answer = client.post("/v1/lookup", data=body)
    assert answer.status_code == status
    assert answer.json is not None
    assert said in answer.json["detail"]


def test_a_whole_batch_of_ten_thousand_is_answered(client: FlaskClient) -> None:
    answer = client.post("/v1/lookup", json={"items": ["pirate.example"] * MAX_ITEMS}).json
    assert answer is not None
    assert len(answer["results"]) == MAX_ITEMS
    assert all(result["listed"] for result in answer["results"])


def test_a_policy_with_two_authorities_needs_two(client: FlaskClient) -> None:
    answer = client.get("/v1/lookup?domain=pirate.example&policy=two").json
    assert answer is not None
    assert answer["verdict"] == "not_listed"


def test_unknown_paths_and_methods_are_problem_documents_too(client: FlaskClient) -> None:
    assert client.get("/v1/nothing").content_type == "application/problem+json"
    answer = client.delete("/v1/lookup")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_the_lookup_plane_gives_no_evidence_of_the_control_plane(service: Service) -> None:
    node = create_app(Follower(service.snapshots.folder, 86_400)).test_client()
    for path in ("/v1/history?target=pirate.example", "/v1/listings?target=pirate.example", "/admin/"):
        assert node.get(path).status_code == 404


def test_an_old_snapshot_is_served_and_says_that_it_is_stale(service: Service) -> None:
    answer = (
        create_app(Follower(service.snapshots.folder, -1)).test_client().get("/v1/lookup?domain=pirate.example").json
    )
    assert answer is not None
    assert answer["listed"] is True
    assert answer["stale"] is True


def test_history_and_listings_have_the_interval(control: FlaskClient) -> None:
    history = control.get("/v1/history?target=www.pirate.example").json
    assert history is not None
    assert history["listings"][0]["listed_until"] is None
    assert control.get("/v1/listings?target=pirate.example&at=2020-01-01").json == {
        **{"target": "pirate.example", "at": "2020-01-01T00:00:00Z", "listings": []}
    }
    assert control.get("/v1/listings?target=pirate.example&at=then").status_code == 400
    assert control.get("/v1/history").status_code == 400
    assert control.get("/v1/history?target=a..b").status_code == 400


def test_the_answer_names_the_override(service: Service) -> None:
    service.overrides.add(OverrideAction.ALLOW, "pirate.example", "appeal won", "test")
    answer = (
        create_app(Follower(service.snapshots.folder, 86_400)).test_client().get("/v1/lookup?domain=pirate.example")
    )
    assert answer.json is not None
    assert (answer.json["verdict"], answer.json["override"], answer.json["rule"]) == (
        "not_listed",
        "allow",
        "pirate.example",
    )


def test_the_overview_shows_each_feed_and_what_waits_for_review(control: FlaskClient, service: Service) -> None:
    text = control.get("/admin/").text
    assert "orders" in text
    assert "High Court" in text
    assert control.get("/").headers["Location"] == "/admin/"
