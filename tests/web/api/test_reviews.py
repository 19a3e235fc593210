"""API: runs, their changes and review, and held entries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from blocklist.domain.access import Role
from blocklist.service import Service, read_target
from tests.support import definition
from tests.web.api.checked import CheckedClient
from tests.web.api.conftest import SITES

WHY = {"reason": "the court confirmed it"}


def pages(api: CheckedClient, address: str, member: str) -> list[list[dict[str, Any]]]:
    """Return every page of a list."""
    found, cursor = [], None
    while True:
        page = api.get(address + (f"&cursor={cursor}" if cursor else "")).json
        assert page is not None
        found.append(page[member])
        cursor = page["next"]
        if cursor is None:
            return found


def test_runs_are_listed_newest_first_by_feed_outcome_and_review(
    api: CheckedClient, service: Service, held: int
) -> None:
    service.feeds.add(definition("other", source={"file": "/nowhere"}), "test")
    failed = service.runs.refresh("other", "test").id
    assert [run["id"] for page in pages(api, "/v1/runs?limit=1", "runs") for run in page] == [failed, held, 1]
    for narrowed, expected in (
        ("feed=court", [held, 1]),
        ("outcome=failed", [failed]),
        ("review=pending", [held]),
        ("feed=court&outcome=failed", []),
        ("feed=nobody", []),
    ):
        assert [run["id"] for run in (api.get(f"/v1/runs?{narrowed}").json or {})["runs"]] == expected, narrowed


def test_a_held_run_shows_its_figures_its_guards_and_what_it_would_change(api: CheckedClient, held: int) -> None:
    run = api.get(f"/v1/runs/{held}").json
    assert run is not None
    assert (run["outcome"], run["review"]["state"], run["counts"]["removed"]) == ("held", "pending", 9)
    assert [said["guard"] for said in run["guards"]] == ["removed"]
    assert (run["changes_found"], len(run["changes"])) == (10, 10)
    one = api.get(f"/v1/runs/{held}?change=removed&search=PIRATE-7&limit=1").json
    assert one is not None
    assert (one["changes_found"], [change["target"] for change in one["changes"]]) == (1, ["pirate-7.example"])


def test_changes_come_in_pages_in_the_order_of_a_review(api: CheckedClient, service: Service, held: int) -> None:
    every = service.runs.detail(held).changes
    found = pages(api, f"/v1/runs/{held}/changes?limit=3", "changes")
    assert [len(page) for page in found] == [3, 3, 3, 1]
    assert [change["target"] for page in found for change in page] == [change.rule.value for change in every]
    assert pages(api, f"/v1/runs/{held}/changes?change=added", "changes")[0][0]["target"] == "new.example"
    assert pages(api, f"/v1/runs/{held}/changes?standing_out=true", "changes") == [[]]
    assert pages(api, f"/v1/runs/{held}/changes?search=%25", "changes") == [[]]


def test_pages_continue_from_notable_changes_to_the_others(api: CheckedClient, service: Service, held: int) -> None:
    database = service.store.database
    with database.transaction():
        database.execute(
            "UPDATE held_changes SET stands_out = 'popular' WHERE value IN ('new.example', 'pirate-4.example')"
        )
    every = [change.rule.value for change in service.runs.detail(held).changes]
    for limit in (1, 2, 3):
        found = pages(api, f"/v1/runs/{held}/changes?limit={limit}", "changes")
        assert [change["target"] for page in found for change in page] == every
    assert every[:2] == ["new.example", "pirate-4.example"]


def test_a_foreign_or_invalid_cursor_is_refused(api: CheckedClient, held: int) -> None:
    cursor = (api.get(f"/v1/runs/{held}/changes?limit=1").json or {})["next"]
    for address in ("/v1/runs", "/v1/feeds", "/v1/audit", "/v1/holds", "/v1/overrides", "/v1/tokens", "/v1/catalog"):
        for wrong in (cursor, "x", "é", "WyJydW5zIiwxZTk5OV0", "WyJydW5zIiw5OTk5OTk5OTk5OTk5OTk5OTk5OV0"):
            answer = api.get(address, query_string={"cursor": wrong})
            assert answer.status_code == 400, (address, wrong)
            assert (answer.json or {})["errors"][0]["parameter"] == "cursor"


def test_approving_lists_and_rejecting_does_not(
    api: CheckedClient, service: Service, held: int, api_as: Callable[[Role], CheckedClient]
) -> None:
    assert api_as(Role.EDITOR).post(f"/v1/runs/{held}/approve", json=WHY).status_code == 403
    done = api_as(Role.APPROVER).post(f"/v1/runs/{held}/approve", json=WHY).json
    assert done is not None
    assert (done["outcome"], done["review"]["reason"]) == ("applied", WHY["reason"])
    assert done["review"]["by"].startswith("test approver (token")
    assert api.post(f"/v1/runs/{held}/reject", json=WHY).status_code == 409
    assert (api.get("/v1/feeds/court").json or {})["listed"] == 2


def test_a_rejected_run_keeps_the_list(api: CheckedClient, held: int) -> None:
    done = api.post(f"/v1/runs/{held}/reject", json=WHY).json
    assert (done or {})["review"]["state"] == "rejected"
    assert (api.get("/v1/feeds/court").json or {})["listed"] == len(SITES)


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": " \n"}, {"reason": 7}, {"reason": "x", "more": 1}])
def test_a_decision_needs_a_reason_and_nothing_else(api: CheckedClient, held: int, body: Any) -> None:
    answer = api.post(f"/v1/runs/{held}/approve", json=body)
    assert answer.status_code == 422
    assert (answer.json or {})["errors"][0]["pointer"] in ("#/reason", "#/more")


def test_the_body_of_a_run_is_downloaded_unchanged(api: CheckedClient, service: Service, held: int) -> None:
    answer = api.get(f"/v1/runs/{held}/body")
    assert answer.data == f"{SITES[0]}\nnew.example\n".encode()
    assert "attachment" in answer.headers["Content-Disposition"]
    assert api.head(f"/v1/runs/{held}/body").status_code == 200
    service.feeds.add(definition("nobody", source={"file": "/nowhere"}), "test")
    assert api.get(f"/v1/runs/{service.runs.refresh('nobody', 'test').id}/body").status_code == 404


@pytest.mark.parametrize("id_", ["0", "-1", "abc", "1e3", str(2**63), "9" * 40, "١"])
def test_an_unknown_run_is_not_found(api: CheckedClient, id_: str) -> None:
    assert api.get(f"/v1/runs/{id_}").status_code == 404


def test_a_held_entry_is_approved_revoked_and_refused(api: CheckedClient, service: Service, court: str) -> None:
    (hold,) = (api.get("/v1/holds?state=waiting").json or {})["holds"]
    assert (hold["target"], hold["state"]) == ("archive.org", "waiting")
    address = f"/v1/holds/{hold['id']}"
    assert (api.post(f"{address}/approve", json=WHY).json or {})["state"] == "approved"
    assert service.evidence.lookup(read_target("archive.org"), "default").listed
    assert api.post(f"{address}/refuse", json=WHY).status_code == 409
    assert (api.post(f"{address}/revoke", json=WHY).json or {})["state"] == "waiting"
    assert (api.post(f"{address}/refuse", json=WHY).json or {})["state"] == "refused"
    assert (api.get(address).json or {})["reason"] == WHY["reason"]
    assert (api.get("/v1/holds?feed=court&state=waiting").json or {})["holds"] == []
    assert [event["action"] for event in service.store.audit.events(3)] == [
        "hold.refuse",
        "hold.revoke",
        "hold.approve",
    ]


def test_a_flagged_entry_is_dismissed_or_allowed(api: CheckedClient, service: Service, tmp_path: Path) -> None:
    (tmp_path / "used.txt").write_text("1337x.to\nbt1.archive.org\n")
    service.feeds.add(definition("used", source={"file": str(tmp_path / "used.txt")}), "test")
    service.runs.refresh("used", "test")
    found = api.get("/v1/flags?state=open&feed=used").json or {}
    one, two = found["flags"]
    assert [(item["target"], item["guard"], item["state"]) for item in (one, two)] == [
        ("1337x.to", "most_used_host", "open"),
        ("bt1.archive.org", "below_popular_host", "open"),
    ]
    assert len((api.get("/v1/flags?limit=1").json or {})["flags"]) == 1
    assert (api.post(f"/v1/flags/{one['id']}/dismiss", json=WHY).json or {})["state"] == "dismissed"
    assert api.post(f"/v1/flags/{one['id']}/allow", json=WHY).status_code == 409
    made = api.post(f"/v1/flags/{two['id']}/allow", json=WHY).json or {}
    assert (made["action"], made["target"], made["reason"]) == ("allow", "bt1.archive.org", WHY["reason"])
    assert (api.get(f"/v1/flags/{two['id']}").json or {})["state"] == "allowed"
    assert not service.evidence.lookup(read_target("bt1.archive.org"), "default").listed
    assert api.get("/v1/flags/99").status_code == 404
