"""API: changes, exports and notifications; every response is compared with the description."""

from __future__ import annotations

import json

import pytest

from blocklist.exports import EXPORTS
from blocklist.service import Service
from tests.web.api.checked import CheckedClient
from tests.web.api.conftest import SITES


def test_the_pages_of_changes_are_consecutive(api: CheckedClient, court: str) -> None:
    found, query = [], {"since": "2020-01-01", "limit": "4"}
    while True:
        page = api.get("/v1/changes", query_string=query).json
        assert page is not None
        found += [item["rule"] for item in page["changes"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert sorted(found) == sorted(SITES)
    since = api.get("/v1/changes", query_string={"since": "1", "feed": court}).json
    assert since is not None
    assert len(since["changes"]) == len(SITES)


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("", 400, "since: is missing"),
        ("since=soon", 400, "since: 'soon' is not a time"),
        ("since=999", 404, "there was no snapshot of version 999"),
        ("since=1&feed=nosuch", 404, "there is no feed 'nosuch'"),
        ("since=1&cursor=x", 400, "cursor: is not `next` of a page of this list"),
    ],
)
def test_an_invalid_request_for_changes_says_what_is_wrong(
    api: CheckedClient, court: str, query: str, status: int, said: str
) -> None:
    answer = api.get(f"/v1/changes?{query}")
    assert answer.status_code == status
    assert said in (answer.json or {})["detail"]


@pytest.mark.parametrize("name", EXPORTS)
def test_every_format_is_downloaded_with_its_media_type(api: CheckedClient, court: str, name: str) -> None:
    answer = api.get(f"/v1/exports/{name}", headers={"Accept": "*/*"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == EXPORTS[name].media_type
    assert answer.headers["Content-Disposition"].endswith(f'.{EXPORTS[name].suffix}"')
    assert all(site in answer.text for site in SITES)
    assert "archive.org" not in answer.text, "what waits alone does not count"


def test_an_invalid_export_is_a_problem_and_not_a_partial_file(api: CheckedClient, court: str) -> None:
    for path, status in (("xml", 404), ("csv?policy=x", 404), ("csv?feed=x", 404), ("csv?part=2", 400)):
        answer = api.get(f"/v1/exports/{path}")
        assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")


def test_an_export_is_streamed(api: CheckedClient, court: str) -> None:
    answer = api.get("/v1/exports/jsonl", buffered=False)
    assert not answer.is_sequence
    assert [json.loads(line)["feed"] for line in answer.text.splitlines()] == [court] * len(SITES)


def test_messages_are_listed_and_a_test_without_channels_says_how_to_configure_them(
    api: CheckedClient, service: Service
) -> None:
    with service.store.database.transaction():
        for number in range(3):
            service.store.alerts.queue(
                f"msg_{number}", "webhook:x", "a test", "{}", "2026-01-01T00:00:00Z", "2999-01-01T00:00:00Z"
            )
    first = api.get("/v1/notifications?limit=2").json
    assert first is not None
    assert [item["message"] for item in first["messages"]] == ["msg_2", "msg_1"]
    second = api.get(f"/v1/notifications?limit=2&cursor={first['next']}").json
    assert second is not None
    assert ([item["message"] for item in second["messages"]], second["next"]) == (["msg_0"], None)
    assert api.get("/v1/notifications?state=delivered").json == {"messages": [], "next": None}
    answer = api.post("/v1/notifications/test", json={})
    assert answer.status_code == 422
    assert "no channel is configured: see [notify]" in (answer.json or {})["detail"]
