"""Decisions on pages: held runs and entries, overrides, tokens; and lookups."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from blocklist.domain.access import Role
from blocklist.domain.run import FlagState, HoldState
from blocklist.domain.verdict import OverrideAction
from blocklist.normalize.hosts import parse_target
from blocklist.service import Service
from tests.web.pages.conftest import populate
from tests.web.pages.html import listed, only, page, problem, text


@pytest.fixture
def waiting(service: Service, tmp_path: Path) -> Service:
    populate(service, tmp_path)
    return service


def test_a_run_needs_a_reason_and_is_approved_with_one(waiting: Service, signed_in_client: FlaskClient) -> None:
    bare = signed_in_client.post("/admin/runs/2/decide", data={"decision": "approve", "reason": " "})
    assert "Enter the reason" in problem(bare, "reason")
    answer = signed_in_client.post("/admin/runs/2/decide", data={"decision": "approve", "reason": "the court said so"})
    assert answer.status_code == 303
    assert waiting.store.feeds.get("court").listed == 1
    assert "approved by" in text(signed_in_client.get("/admin/runs/2"))
    assert "the court said so" in text(signed_in_client.get("/admin/runs/2"))
    again = signed_in_client.post("/admin/runs/2/decide", data={"decision": "reject", "reason": "late"})
    assert "run 2 does not wait for review: it is approved" in text(again)


def test_a_run_is_rejected(waiting: Service, signed_in_client: FlaskClient) -> None:
    signed_in_client.post("/admin/runs/2/decide", data={"decision": "reject", "reason": "cut off"})
    assert waiting.store.feeds.get("court").listed == 10
    assert (waiting.store.runs.get(2).review or {})["state"] == "rejected"


def test_proposed_changes_can_be_searched_and_have_pages(
    service: Service, tmp_path: Path, signed_in_client: FlaskClient
) -> None:
    many = "".join(f"pirate{number:03d}.example\n" for number in range(120))
    listed(service, tmp_path, many)
    listed(service, tmp_path, "pirate000.example\n")
    shown = signed_in_client.get("/admin/runs/2?page=3")
    assert "101–119 of 119" in text(shown)
    found = page(signed_in_client.get("/admin/runs/2?search=pirate11&change=removed"))
    assert len(found.css('[aria-label="Changes"] tbody tr')) == 10
    assert "No results" in text(signed_in_client.get("/admin/runs/2?change=added"))


def test_applied_changes_have_pages_and_exclude_other_runs(
    service: Service, tmp_path: Path, signed_in_client: FlaskClient
) -> None:
    many = [f"pirate{number:03d}.example" for number in range(60)]
    listed(service, tmp_path, "\n".join(many) + "\n")
    first = page(signed_in_client.get("/admin/runs/1"))
    assert len(first.css('[aria-label="Applied changes"] tbody tr')) == 50
    rest = page(signed_in_client.get(only(first, '[aria-label="Pages of applied changes"] a').attributes["href"] or ""))
    shown = first.css("#changed ~ div tbody th") + rest.css("#changed ~ div tbody th")
    assert sorted(row.css("bdi")[0].text() for row in shown) == many
    # Times are whole seconds: changes of two runs in the same second are shown for both runs.
    with service.store.database.transaction():
        earlier = "2026-01-01T00:00:00Z"
        service.store.database.execute("UPDATE listings SET listed_from = ?, stated_from = ?", (earlier, earlier))
    listed(service, tmp_path, "\n".join([*many[2:], "new.example"]) + "\n")
    words = text(signed_in_client.get("/admin/runs/2"))
    for said in ("new.example host, subtree listed", "pirate000.example host, subtree delisted"):
        assert said in words
    assert "pirate059.example" not in words
    assert signed_in_client.get("/admin/runs/2?after=x~y~z~1").status_code == 200


def test_held_entries_are_approved_and_revoked(waiting: Service, signed_in_client: FlaskClient) -> None:
    (hold,) = waiting.store.holds.all()
    data = {"entry": str(hold.id), "reason": "the order names it", "decision": "approve", "state": "waiting"}
    assert "Select at least one entry" in text(
        signed_in_client.post("/admin/review/entries", data={**data, "entry": ""})
    )
    assert "Enter the reason" in problem(
        signed_in_client.post("/admin/review/entries", data={**data, "reason": ""}), "reason"
    )
    assert signed_in_client.post("/admin/review/entries", data=data).status_code == 303
    assert waiting.store.holds.get(hold.id).state is HoldState.APPROVED
    assert "the order names it" in text(signed_in_client.get("/admin/review?state=approved"))
    assert "it is approved" in text(signed_in_client.post("/admin/review/entries", data=data))
    signed_in_client.post("/admin/review/entries", data={**data, "decision": "revoke"})
    assert waiting.store.holds.get(hold.id).state is HoldState.WAITING


def test_flagged_entries_are_allowed_or_left_with_one_click(
    service: Service, tmp_path: Path, signed_in_client: FlaskClient
) -> None:
    listed(service, tmp_path, "1337x.to\nbt1.archive.org\nworldwind.arc.nasa.gov\n")
    shown = text(signed_in_client.get("/admin/review"))
    assert "3 entries" in shown
    assert "1337x.to is one of the 10,000 most used sites (Tranco)" in shown
    assert "3 listed entries are worth a look" in text(signed_in_client.get("/admin/"))
    # Enter in a field presses the first button of its form.
    buttons = page(signed_in_client.get("/admin/review")).css('form[action*="/review/flags"] button')
    assert "disabled" in buttons[0].attributes
    one, two, three = service.flags.all()
    address = "/admin/review/flags"
    assert "Select at least one entry" in text(signed_in_client.post(address, data={"decision": "dismiss"}))
    assert "Choose allow or leave" in text(signed_in_client.post(address, data={"decision": "x", "flag": str(one.id)}))
    assert signed_in_client.post(address, data={"decision": f"allow-{two.id}"}).status_code == 303
    (override,) = service.overrides.all()
    assert (override.rule.value, override.reason) == (
        "bt1.archive.org",
        "not an infringing site, seen in the review of flagged entries",
    )
    assert signed_in_client.post(address, data={"decision": f"dismiss-{one.id}"}).status_code == 303
    assert service.flags.get(one.id).state is FlagState.DISMISSED
    chosen = {"decision": "dismiss", "flag": str(three.id), "flag_reason": "the order names it"}
    assert signed_in_client.post(address, data=chosen).status_code == 303
    assert service.flags.get(three.id).reason == "the order names it"
    assert "is not open" in text(signed_in_client.post(address, data=chosen))
    assert "No listed entries to look at" in text(signed_in_client.get("/admin/review"))


def test_an_override_is_added_shown_on_lookups_and_removed(
    service: Service, tmp_path: Path, signed_in_client: FlaskClient
) -> None:
    listed(service, tmp_path, "pirate.example\n")
    data = {"target": "pirate.example", "action": "allow", "reason": "settled in court", "until": "2099-01-01"}
    assert "is in the past" in problem(
        signed_in_client.post("/admin/overrides", data={**data, "until": "2020-01-01"}), "until"
    )
    assert signed_in_client.post("/admin/overrides", data=data).status_code == 303
    shown = text(signed_in_client.get("/admin/lookup?target=pirate.example"))
    assert "Not listed" in shown
    assert "settled in court" in shown
    assert signed_in_client.post("/admin/overrides/1/remove").status_code == 303
    assert service.evidence.lookup(parse_target("pirate.example"), "default").listed
    assert "removed already" in text(signed_in_client.post("/admin/overrides/1/remove"))
    assert "settled in court" in text(signed_in_client.get("/admin/overrides?all=1"))


def test_a_token_is_shown_once_and_revoked(service: Service, signed_in_client: FlaskClient) -> None:
    made = signed_in_client.post("/admin/access/tokens", data={"name": "nightly", "role": "viewer"})
    secret = only(page(made), "pre").text()
    assert service.tokens.identity(secret).role is Role.VIEWER
    assert secret not in signed_in_client.get("/admin/access").get_data(as_text=True)
    id_ = next(token.id for token in service.store.tokens.all() if token.name == "nightly")
    signed_in_client.post(f"/admin/access/tokens/{id_}/revoke")
    assert service.store.tokens.get(id_).revoked_at


def test_a_person_is_added_with_a_link_shown_once_and_disabled(service: Service, signed_in_client: FlaskClient) -> None:
    added = signed_in_client.post("/admin/access/people", data={"person": "anna", "person_role": "editor"})
    link = only(page(added), "pre").text()
    assert link.startswith("http://127.0.0.1:8080/admin/set-up?key=")
    assert link not in signed_in_client.get("/admin/access").get_data(as_text=True)
    assert "a person 'anna' already" in problem(
        signed_in_client.post("/admin/access/people", data={"person": "anna", "person_role": "viewer"}), "person"
    )
    for change, more in (("role", {"role": "approver"}), ("sign-out", {}), ("disable", {})):
        answer = signed_in_client.post("/admin/access/people/anna", data={"change": change, **more})
        assert answer.status_code == 303
    anna = service.store.people.get("anna")
    assert (anna.role, bool(anna.disabled_at)) == (Role.APPROVER, True)
    assert "was shut out" in text(signed_in_client.post("/admin/access/people/anna", data={"change": "link"}))
    signed_in_client.post("/admin/access/people/anna", data={"change": "enable"})
    assert "Send this link to anna" in text(signed_in_client.post("/admin/access/people/anna", data={"change": "link"}))


def test_a_lookup_shows_authority_order_date_and_appeal_contact(
    service: Service, tmp_path: Path, signed_in_client: FlaskClient
) -> None:
    options = {"column": "site", "reference": "order"}
    listed(service, tmp_path, "site,order\npirate.example,HC-2026-7\n", format="csv", options=options)
    shown = text(signed_in_client.get("/admin/lookup?target=https://www.pirate.example/film"))
    for said in (
        "Listed: no ads here",
        "Test Court",
        "HC-2026-7",
        "appeals@court.example",
        "Listed since",
        "still listed",
    ):
        assert said in shown


def test_a_lookup_shows_in_which_address_a_listed_page_was_found(
    service: Service, tmp_path: Path, signed_in_client: FlaskClient
) -> None:
    listed(service, tmp_path, "pirate.example\n")
    answer = signed_in_client.get(
        "/admin/lookup?target=https://web.archive.org/web/2024/https://www.pirate.example/film"
    )
    assert "found within the address of web.archive.org" in text(answer)
    # The override is for the listed site, not for the archive.
    assert "target=pirate.example" in answer.text or "target=www.pirate.example" in answer.text
    several = signed_in_client.post(
        "/admin/lookup", data={"target": "view-source:https://pirate.example/\na.example\n" + "b.example\n" * 4_000}
    )
    assert "via view-source" in text(several)


def test_a_short_list_of_targets_has_an_address(
    service: Service, tmp_path: Path, signed_in_client: FlaskClient
) -> None:
    listed(service, tmp_path, "pirate.example\n")
    lines = "pirate.example\nother.example\na..b\napp:com.example\n"
    answer = signed_in_client.post("/admin/lookup", data={"target": lines})
    assert answer.status_code == 303
    shown = page(signed_in_client.get(answer.headers["Location"]))
    verdicts = [" ".join(row.text(separator=" ").split()) for row in shown.css('[aria-label="Verdicts"] tbody tr')]
    assert [line.split()[1] for line in verdicts] == ["listed", "unknown", "not", "not"]
    thousand = "".join(f"site{number}.example\n" for number in range(1_000))
    assert "Targets 1,000" in text(signed_in_client.post("/admin/lookup", data={"target": thousand}))
    over = signed_in_client.post("/admin/lookup", data={"target": thousand + "one.example"})
    assert "more than 1,000" in problem(over, "target")


def test_an_invalid_target_is_unknown_with_the_reason(signed_in_client: FlaskClient) -> None:
    answer = signed_in_client.get("/admin/lookup?target=a..b")
    assert answer.status_code == 400
    assert "Unknown" in text(answer)
    assert "the host has an empty label" in text(answer)


def test_the_audit_log_is_filtered_and_verified(waiting: Service, signed_in_client: FlaskClient) -> None:
    assert "The chain is intact" in text(signed_in_client.get("/admin/audit?verify=1"))
    rows = page(signed_in_client.get("/admin/audit?action=override&target=OTHER")).css("tbody tr")
    assert len(rows) == 1
    bad = signed_in_client.get("/admin/audit?verify=1&expected=5")
    assert "is not ID:HASH" in problem(bad, "expected")
    with waiting.store.database.transaction():
        waiting.store.database.execute("DROP TRIGGER audit_stays")
        waiting.store.database.execute("UPDATE audit SET actor = 'nobody' WHERE id = 1")
    assert "The chain is broken at 1 event: 1." in text(signed_in_client.get("/admin/audit?verify=1"))


def test_the_audit_log_is_downloaded_without_formulas(service: Service, signed_in_client: FlaskClient) -> None:
    service.overrides.add(OverrideAction.BLOCK, "other.example", "=cmd", "=somebody")
    taken = signed_in_client.get("/admin/audit/export?format=csv")
    assert taken.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'
    rows = list(csv.reader(taken.text.splitlines()))
    assert rows[0][:3] == ["id", "at", "actor"]
    assert [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))] == []
    lines = signed_in_client.get("/admin/audit/export?format=jsonl").text.splitlines()
    assert json.loads(lines[-1])["actor"] == "=somebody"
