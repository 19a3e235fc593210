"""Explained lookups on the control plane say what is held; the verdict, and a lookup node, stay as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from blocklist.domain.access import Role
from blocklist.domain.verdict import OverrideAction
from blocklist.service import Service
from blocklist.snapshot.follower import Follower
from blocklist.web.app import create_app
from tests.support import token_for
from tests.web.api.checked import CheckedClient, checked_client

NOT_LISTED = {"verdict": "not_listed", "listed": False}


@pytest.fixture
def client(service: Service, held: int) -> CheckedClient:
    """A caller. A list was applied, with an entry held alone; the next list is held."""
    app = create_app(Follower(service.snapshots.folder, 86_400), service)
    return checked_client(app, token_for(service, Role.VIEWER))


def got(client: FlaskClient, address: str) -> Any:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return answer.json


def looked_up(client: FlaskClient, query: str) -> Any:
    return got(client, f"/v1/lookup?{query}")


def test_an_explained_lookup_says_who_named_a_held_entry_when_and_where_to_decide(
    client: FlaskClient, service: Service
) -> None:
    (hold,) = service.holds.all()
    answer = looked_up(client, "url=https://www.archive.org/film&explain=1")
    assert answer == NOT_LISTED | {
        "version": 1,
        "stale": False,
        "held": [
            {
                **{"feed": "court", "authority": "Test Court", "kind": "court", "country": "GB"},
                **{"rule": "archive.org", "kind_of_rule": "host", "scope": "subtree", "entry": "archive.org"},
                **{"reference": None, "legal_basis": None, "published_at": None, "position": 11},
                **{"run": 1, "hold": hold.id, "since": hold.held_at, "reason": hold.why},
                "review": f"http://127.0.0.1:8080/admin/review?feed=court&after={hold.id - 1}#entries",
            }
        ],
    }


def test_an_explained_lookup_says_which_held_run_names_a_target(client: FlaskClient, service: Service) -> None:
    (item,) = looked_up(client, "domain=new.example&explain=true")["held"]
    run = service.runs.get(2)
    assert (item["run"], item["hold"], item["since"], item["reason"]) == (2, None, run.finished_at, run.reason)
    assert item["review"] == "http://127.0.0.1:8080/admin/runs/2"


def test_a_listed_site_that_is_held_too_has_both(client: FlaskClient, service: Service) -> None:
    service.overrides.add(OverrideAction.BLOCK, "new.example", "by order", "test")
    app = create_app(Follower(service.snapshots.folder, 86_400), service)
    answer = app.test_client().get("/v1/lookup?domain=new.example&explain=1").json
    assert answer is not None
    assert (answer["verdict"], answer["override"], [item["run"] for item in answer["held"]]) == ("listed", "block", [2])


def test_nothing_held_is_an_empty_list_and_without_explain_there_is_none(client: FlaskClient) -> None:
    assert looked_up(client, "domain=example.com&explain=1")["held"] == []
    assert "held" not in looked_up(client, "domain=archive.org")
    assert "held" not in looked_up(client, "domain=archive.org&explain=0")
    assert client.get("/v1/lookup?domain=a..b&explain=1").status_code == 400
    assert client.get("/v1/lookup?domain=archive.org&policy=nope&explain=1").status_code == 404


def test_an_explained_batch_says_it_for_each_item(client: FlaskClient) -> None:
    items = [
        *({"domain": "archive.org"}, "https://x.archive.org/a", {"url": "http://a..b/"}, "example.com"),
        *({"app": "archive.org"}, {"url": "https://new.example/"}, "pirate-1.example", 7),
    ]
    answer = client.post("/v1/lookup", json={"items": items, "explain": True}).json
    assert answer is not None
    assert [result["verdict"] for result in answer["results"]] == [
        *("not_listed", "not_listed", "unknown", "not_listed", "not_listed", "not_listed", "listed", "unknown")
    ]
    assert [[item["rule"] for item in result.get("held", [None])] if "held" in result else None
            for result in answer["results"]] == [
        ["archive.org"], ["archive.org"], None, [], [], ["new.example"], [], None,
    ]  # fmt: skip
    plain = client.post("/v1/lookup", json={"items": items}).json
    assert plain is not None
    assert not any("held" in result for result in plain["results"])


def test_a_lookup_shows_the_first_twenty_and_the_history_all(
    client: FlaskClient, service: Service, listing: Path
) -> None:
    listing.write_text("".join(f"http://new.example/{number}\n" for number in range(30)) + "new.example\n")
    service.runs.refresh("court", "test")
    found = looked_up(client, "domain=new.example&explain=1")["held"]
    assert (found[0]["rule"], len(found)) == ("new.example", 20)
    assert len(got(client, "/v1/history?target=new.example")["held"]) == 31


def test_the_lookup_node_knows_nothing_of_it(client: FlaskClient, service: Service) -> None:
    node = create_app(Follower(service.snapshots.folder, 86_400)).test_client()
    explained = "/v1/lookup?domain=archive.org&explain=1"
    there, here = got(node, explained), got(client, explained)
    assert there == {name: value for name, value in here.items() if name != "held"}


def test_the_history_has_what_is_held_and_what_a_person_refused(api: CheckedClient, held: int) -> None:
    history = got(api, "/v1/history?target=new.example")
    assert ([item["run"] for item in history["held"]], history["listings"], history["refused"]) == ([held], [], [])
    (hold,) = got(api, "/v1/history?target=https://archive.org/x")["held"]
    api.post(f"/v1/holds/{hold['hold']}/refuse", json={"reason": "a library"})
    api.post(f"/v1/runs/{held}/reject", json={"reason": "cut off"})
    refused = got(api, "/v1/history?target=archive.org")
    assert refused["held"] == []
    (item,) = refused["refused"]
    assert (item["hold"], item["decision"], item["decided_by"]) == (
        hold["hold"],
        "a library",
        "test admin (token 1 of test)",
    )
    (item,) = got(api, "/v1/history?target=new.example")["refused"]
    assert (item["run"], item["hold"], item["decision"]) == (held, None, "cut off")


def test_changes_since_0_are_all_from_the_beginning(api: CheckedClient, service: Service, court: str) -> None:
    answer = got(api, "/v1/changes?since=0")
    assert (answer["since"], len(answer["changes"]), answer["next"]) == ("1970-01-01T00:00:00Z", 10, None)
    assert got(api, "/v1/changes?since=000")["changes"] == answer["changes"]
    first = got(api, "/v1/changes?since=0&limit=4")
    rest = got(api, f"/v1/changes?since=0&limit=100&cursor={first['next']}")
    assert first["changes"] + rest["changes"] == answer["changes"]
    assert api.get("/v1/changes?since=99").status_code == 404
