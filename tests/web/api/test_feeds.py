"""API: feeds are added, changed, removed, refreshed and previewed."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from blocklist.domain.access import Role
from blocklist.service import Service
from tests.plans import traced
from tests.support import definition
from tests.web.api.checked import CheckedClient
from tests.web.api.conftest import SITES

NEW = {
    "name": "rulings",
    "format": "csv",
    "options": {"column": "Site"},
    "authority": {"name": "Registry", "kind": "court", "country": "DK"},
    "source": {"url": "https://registry.example/rulings.csv"},
}


def pointers(answer: Any) -> list[str]:
    return [fault["pointer"] for fault in answer.json["errors"]]


def ended(api: CheckedClient, address: str) -> dict[str, Any]:
    """Return a run when it has ended."""
    for _ in range(500):
        run: dict[str, Any] = api.get(address).json or {}
        if run["outcome"]:
            return run
        time.sleep(0.01)
    raise AssertionError(f"{address} does not end")


def test_a_feed_is_added_shown_and_listed(api: CheckedClient) -> None:
    added = api.post("/v1/feeds", json=NEW)
    assert (added.status_code, added.headers["Location"]) == (201, "/v1/feeds/rulings")
    shown = api.get(added.headers["Location"])
    assert shown.json == added.json
    assert shown.headers["ETag"] == added.headers["ETag"]
    assert shown.json is not None
    assert shown.json["definition"]["options"] == {"column": "Site"}
    assert [feed["name"] for feed in (api.get("/v1/feeds").json or {})["feeds"]] == ["rulings"]


def test_missing_members_of_a_new_feed_come_from_the_catalog(api: CheckedClient) -> None:
    added = api.post("/v1/feeds", json={"name": "it-agcom", "source": {"url": "https://lists.example/agcom"}}).json
    assert added is not None
    assert (added["country"], added["definition"]["format"]) == ("IT", "hosts")
    assert added["definition"]["source"] == {"url": "https://lists.example/agcom"}


def test_a_second_feed_with_the_same_name_is_a_conflict(api: CheckedClient) -> None:
    api.post("/v1/feeds", json=NEW)
    assert api.post("/v1/feeds", json=NEW).status_code == 409


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"every": "soon"}, ["#/every"]),
        (
            {"authority": {"name": "", "kind": "x", "country": "dk"}},
            ["#/authority/name", "#/authority/kind", "#/authority/country"],
        ),
        ({"source": {"url": "gopher://x"}}, ["#/source/url"]),
        ({"format": "excel"}, ["#/format"]),
        ({"options": {}}, ["#/options"]),
        ({"guards": {"must_match": ["a..b"]}}, ["#/guards/must_match/0"]),
        ({"verified": "true"}, ["#/verified"]),
        ({"a/b": 1}, ["#/a~1b"]),
        ({"name": "No"}, ["#/name"]),
    ],
)
def test_a_problem_points_to_each_invalid_field(api: CheckedClient, change: Any, expected: list[str]) -> None:
    answer = api.post("/v1/feeds", json=NEW | change)
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert pointers(answer) == expected


def test_the_error_for_a_definition_without_a_name_does_not_say_none(api: CheckedClient) -> None:
    answer = api.post("/v1/feeds", json={"source": {"url": "https://lists.example/agcom"}}).json
    assert answer is not None
    assert answer["detail"].startswith("the feed: name: is missing; ")


def test_a_body_that_is_not_json_is_400_and_one_of_another_type_415(api: CheckedClient) -> None:
    assert api.post("/v1/feeds", data=b"{", content_type="application/json").status_code == 400
    assert api.post("/v1/feeds", data=b"[]", content_type="application/json").status_code == 422
    assert api.post("/v1/feeds", data=b"name=x").status_code == 415
    refused = api.post("/v1/feeds", data=b"{}", content_type="text/plain")
    assert (refused.status_code, refused.headers["Accept-Post"].split(",")[0]) == (415, "application/json")


def test_a_change_needs_the_current_version(api: CheckedClient, court: str) -> None:
    seen = api.get("/v1/feeds/court").headers["ETag"]
    assert api.patch("/v1/feeds/court", json={"title": "A"}).status_code == 428
    first = api.patch("/v1/feeds/court", json={"title": "A"}, headers={"If-Match": seen})
    assert (first.status_code, (first.json or {})["title"]) == (200, "A")
    assert first.headers["ETag"] != seen
    second = api.patch("/v1/feeds/court", json={"title": "B"}, headers={"If-Match": seen})
    assert second.status_code == 412
    assert api.delete("/v1/feeds/court", headers={"If-Match": seen}).status_code == 412
    assert api.post("/v1/feeds/court/pause", headers={"If-Match": seen}).status_code == 412
    knowing = api.patch("/v1/feeds/court", json={"title": "B"}, headers={"If-Match": f'"x", {first.headers["ETag"]}'})
    assert (knowing.json or {})["title"] == "B"
    assert api.patch("/v1/feeds/court", json={"title": "C"}, headers={"If-Match": "*"}).status_code == 200


def test_a_patch_keeps_missing_members_and_null_resets_to_the_default(api: CheckedClient) -> None:
    api.post("/v1/feeds", json=NEW | {"title": "Rulings", "every": "1h"})
    changed = api.patch(
        "/v1/feeds/rulings",
        json={"title": None, "guards": {"max_removed": 0.5}},
        headers={"If-Match": "*"},
        content_type="application/merge-patch+json",
    ).json
    assert changed is not None
    assert (changed["title"], changed["every"]) == ("rulings", 3_600)
    assert changed["definition"]["guards"] == {"max_removed": 0.5}
    renamed = api.patch("/v1/feeds/rulings", json={"name": "other"}, headers={"If-Match": "*"})
    assert pointers(renamed) == ["#/name"]


def test_the_time_of_the_next_run_does_not_change_the_version(api: CheckedClient, service: Service, court: str) -> None:
    seen = api.get("/v1/feeds/court").headers["ETag"]
    service.runs.refresh("court", "test")
    assert api.get("/v1/feeds/court").headers["ETag"] == seen
    assert api.post("/v1/feeds/court/pause").headers["ETag"] != seen
    assert api.post("/v1/feeds/court/resume").headers["ETag"] == seen


def test_removing_a_feed_returns_the_number_of_delisted_sites(api: CheckedClient, court: str) -> None:
    assert api.delete("/v1/feeds/court").json == {"name": "court", "delisted": 10}
    assert api.get("/v1/feeds/court").status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"source": {"file": "/etc/passwd"}},
        {"source": {"url": "file:///etc/passwd"}},
        {"source": {"url": "https://thief.example/", "credentials": {"kind": "bearer", "env": "TOKEN"}}},
    ],
)
def test_only_an_admin_can_use_files_and_secrets_of_the_server(
    api_as: Callable[[Role], CheckedClient], change: Any
) -> None:
    editor, admin = api_as(Role.EDITOR), api_as(Role.ADMIN)
    assert editor.post("/v1/feeds", json=NEW | change).status_code == 403
    assert editor.post("/v1/feeds/preview", json=NEW | change).status_code == 403
    assert admin.post("/v1/feeds", json=NEW | change).status_code == 201
    elsewhere = {"source": {"url": "https://elsewhere.example/"}}
    moved = editor.patch("/v1/feeds/rulings", json=elsewhere, headers={"If-Match": "*"})
    assert moved.status_code == (403 if "credentials" in change["source"] else 200)
    assert editor.patch("/v1/feeds/rulings", json={"every": "2h"}, headers={"If-Match": "*"}).status_code == 200


def test_a_refresh_responds_when_it_starts_and_the_run_shows_the_outcome(
    api: CheckedClient, court: str, listing: Path
) -> None:
    listing.write_text("\n".join([*SITES, "one-more.example"]) + "\n")
    begun = api.post("/v1/feeds/court/refresh")
    assert begun.status_code == 202
    assert (begun.json or {})["trigger"].startswith("test admin (token")
    run = ended(api, begun.headers["Location"])
    assert (run["outcome"], run["counts"]["added"], run["progress"]) == ("applied", 1, None)


def test_a_run_in_progress_shows_its_progress_and_prevents_another_run(
    api: CheckedClient, service: Service, court: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def look(*_: Any) -> None:
        address = f"/v1/runs/{service.store.runs.all('court', 1)[0].id}"
        again, by_mail = api.post("/v1/feeds/court/refresh"), {"content_type": "application/octet-stream"}
        seen.append((api.get(address).json, again.headers["Location"] == address))
        seen.append(api.post("/v1/feeds/court/refresh", data=b"b.example", **by_mail).status_code)
        seen.append(api.patch("/v1/feeds/court", json={"title": "X"}, headers={"If-Match": "*"}).status_code)

    monkeypatch.setattr("blocklist.web.api.feeds.WAIT_FOR_RUN", 0)
    monkeypatch.setattr("blocklist.refresh.guard_evaluation.judge", look)
    api.post("/v1/feeds/court/refresh?wait=true", data=b"a.example\n", content_type="application/octet-stream")
    run, same = seen[0]
    assert (run["outcome"], run["stage"], run["progress"]) == (None, "guard", {"done": 1, "unit": "rows"})
    assert (same, seen[1:]) == (True, [409, 409])


@pytest.mark.parametrize("form", [True, False])
def test_a_list_can_be_uploaded(api: CheckedClient, service: Service, court: str, form: bool) -> None:
    body = "\n".join([*SITES, "by-mail.example", ""]).encode()
    how: dict[str, Any] = {"data": body, "content_type": "application/octet-stream"}
    if form:
        how = {"data": {"file": (io.BytesIO(body), "list.txt")}, "content_type": "multipart/form-data"}
    run = api.post("/v1/feeds/court/refresh?wait=true", **how).json
    assert run is not None
    assert (run["outcome"], run["counts"]["added"]) == ("applied", 1)
    assert api.get(f"/v1/runs/{run['id']}/body").data == body
    assert list((service.settings.data_dir / "incoming").iterdir()) == []


def test_an_empty_object_is_no_upload_and_other_json_is_refused(api: CheckedClient, court: str) -> None:
    for nothing in (b"{}", b"{ }\n"):
        run = api.post("/v1/feeds/court/refresh?wait=true", data=nothing, content_type="application/json")
        assert (run.json or {})["outcome"] == "unchanged"
    for other in (b"[]", b'{"wait": true}', b"{"):
        refused = api.post("/v1/feeds/court/refresh", data=other, content_type="application/json")
        assert refused.status_code == 415


def test_an_upload_in_the_background_leaves_no_file_behind(api: CheckedClient, service: Service, court: str) -> None:
    begun = api.post("/v1/feeds/court/refresh", data=b"x.example\n", content_type="application/octet-stream")
    assert ended(api, begun.headers["Location"])["outcome"] == "held"
    service.close()
    assert list((service.settings.data_dir / "incoming").iterdir()) == []


def test_an_upload_is_limited_as_a_download_is(api: CheckedClient, service: Service, court: str) -> None:
    small = service.settings.fetch.model_copy(update={"max_bytes": 5})
    service.settings.__dict__["fetch"] = small
    refused = api.post("/v1/feeds/court/refresh", data=b"x.example\n", content_type="application/octet-stream")
    assert refused.status_code == 413
    assert "fetch.max_bytes" in refused.text
    assert api.post("/v1/feeds/court/refresh", data=b"x", content_type="text/plain").status_code == 415


def test_a_preview_with_an_upload_saves_nothing(api: CheckedClient, service: Service) -> None:
    form = {"definition": '{"name": "it-agcom"}', "file": (io.BytesIO(b"0.0.0.0 pirate.example\n"), "list")}
    seen = api.post("/v1/feeds/preview", data=form, content_type="multipart/form-data").json
    assert seen is not None
    assert (seen["fetched"], seen["outcome"], seen["rules"]) == ("the upload", "applied", 1)
    assert seen["first"][0]["value"] == "pirate.example"
    assert (api.get("/v1/feeds").json or {})["feeds"] == []
    assert list((service.settings.data_dir / "incoming").iterdir()) == []


def test_a_feed_is_previewed_by_its_name_and_a_fetch_error_points_to_the_source(
    api: CheckedClient, court: str, listing: Path
) -> None:
    seen = api.post("/v1/feeds/preview", json={"name": "court"}).json
    assert (seen or {})["rules"] == 10
    listing.unlink()
    answer = api.post("/v1/feeds/preview", json={"name": "court"})
    assert (answer.status_code, pointers(answer)) == (422, ["#/source"])


@pytest.mark.parametrize(
    ("form", "status"),
    [({"definition": "{"}, 400), ({"x": "y"}, 400), ({"definition": "[]"}, 422), ({"definition": "{}", "z": ""}, 400)],
)
def test_an_invalid_form_is_refused(api: CheckedClient, form: Any, status: int) -> None:
    answer = api.post("/v1/feeds/preview", data=form, content_type="multipart/form-data")
    assert answer.status_code == status


def test_the_catalog_comes_in_pages(api: CheckedClient) -> None:
    first = api.get("/v1/catalog?limit=20").json
    assert first is not None
    rest = api.get(f"/v1/catalog?limit=20&cursor={first['next']}").json
    assert rest is not None
    names = [feed["name"] for feed in first["feeds"] + rest["feeds"]]
    assert (names, rest["next"]) == (sorted(set(names)), None)
    assert len(names) > 20


def test_every_page_of_feeds_costs_the_same(api: CheckedClient, service: Service) -> None:
    for number in range(25):
        service.feeds.add(definition(f"feed-{number:02}"), "test")
    api.get("/v1/feeds")
    counts, names, cursor = [], [], ""
    while cursor is not None:
        asked: list[str] = []
        with traced(service.store, asked.append):
            page = api.get(f"/v1/feeds?limit=5{cursor and f'&cursor={cursor}'}").json
        assert page is not None
        counts.append(len(asked))
        names += [feed["name"] for feed in page["feeds"]]
        cursor = page["next"]
    assert names == [f"feed-{number:02}" for number in range(25)]
    assert len(counts) == 5
    assert max(counts) == min(counts)
