"""What all pages have in common: they harm nobody, offer what a role may do, and say what was done."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from blocklist.domain.access import Role
from blocklist.service import Service
from tests.web.pages.conftest import As, furnish
from tests.web.pages.reading import harms, listed, only, page, problem, text

PAGES = (
    *("", "feeds", "feeds/new", "feeds/new/define", "feeds/new/define?from=wipo-alert", "feeds/court"),
    *(
        "feeds/court/edit",
        "feeds/court/upload",
        "runs",
        "runs/1",
        "runs/2",
        "review",
        "overrides",
        "audit",
        "audit?verify=1",
    ),
    *("access", "settings", "lookup", "lookup?target=pirate.example", "lookup?target=pirate.example%0Aa..b"),
)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_there_and_runs_and_loads_nothing_of_others(furnished: Service, looking: As, path: str) -> None:
    answer = looking(Role.ADMIN).get(f"/admin/{path}")
    assert answer.status_code == 200
    assert harms(answer) == []
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert len(page(answer).css("h1")) == 1


def test_the_frame_offers_a_viewer_only_what_a_viewer_may_see(looking: As) -> None:
    offered = {(link.text().split() or [""])[0] for link in page(looking(Role.VIEWER).get("/admin/")).css("nav.main a")}
    assert offered == {"Overview", "Feeds", "Review", "Lookup", "Overrides", "Audit"}


@pytest.mark.parametrize(
    "path", ["feeds", "feeds/court", "runs/2", "review", "overrides", "lookup?target=pirate.example"]
)
def test_a_viewer_is_offered_no_form_that_changes_anything(furnished: Service, looking: As, path: str) -> None:
    shown = page(looking(Role.VIEWER).get(f"/admin/{path}"))
    changing = [form.attributes.get("action") for form in shown.css("form[method=post]")]
    assert set(changing) <= {"/admin/lookup"}
    assert "Add a feed" not in text(looking(Role.VIEWER).get(f"/admin/{path}"))


def test_who_may_not_do_a_thing_is_told_so_on_a_page(furnished: Service, looking: As) -> None:
    answer = looking(Role.VIEWER).post("/admin/feeds/court/remove", data={"sure": "yes"})
    assert answer.status_code == 403
    assert "this needs the role editor" in text(answer)
    assert [feed.name for feed in furnished.store.feeds.all()] == ["court"]


def test_what_is_not_there_is_said_on_a_page(looking: As) -> None:
    answer = looking(Role.ADMIN).get("/admin/feeds/nosuch")
    assert answer.status_code == 404
    assert "there is no feed 'nosuch'" in text(answer)


def test_an_address_under_admin_that_is_none_is_told_of_on_a_page_to_anybody(furnished: Service, looking: As) -> None:
    known = looking(Role.VIEWER)
    for client in (known, known.application.test_client()):
        answer = client.get("/admin/nosuch")
        assert answer.status_code == 404
        assert "Not found" in text(answer)
        assert harms(answer) == []


def test_what_was_done_is_said_once(service: Service, tmp_path: Path, signed_in_client: FlaskClient) -> None:
    furnish(service, tmp_path)
    answer = signed_in_client.post("/admin/feeds/court/pause")
    assert answer.status_code == 303
    assert "court is paused" in text(signed_in_client.get(answer.headers["Location"]))
    assert "court is paused:" not in text(signed_in_client.get(answer.headers["Location"]))


def test_the_frame_counts_what_waits(furnished: Service, looking: As) -> None:
    assert only(page(looking(Role.ADMIN).get("/admin/")), ".badge").text(strip=True).startswith("2")


def test_the_overview_says_first_what_needs_a_person(furnished: Service, looking: As) -> None:
    shown = text(looking(Role.ADMIN).get("/admin/"))
    assert "2 items need your attention." in shown
    assert "court: held, would remove 9 of 10 sites (90%)" in shown
    assert "1 held entry of court waits for a decision." in shown


def test_an_installation_without_feeds_is_told_where_to_begin(signed_in_client: FlaskClient) -> None:
    shown = text(signed_in_client.get("/admin/"))
    assert "1 item needs your attention." in shown
    assert "There are no feeds yet" in shown


def test_all_is_well_where_nothing_needs_anyone(
    service: Service, tmp_path: Path, signed_in_client: FlaskClient
) -> None:
    listed(service, tmp_path, "pirate.example\n")
    assert "Everything is OK." in text(signed_in_client.get("/admin/"))


def test_a_form_says_beside_its_field_what_is_wrong_and_keeps_what_was_typed(signed_in_client: FlaskClient) -> None:
    answer = signed_in_client.post(
        "/admin/overrides", data={"target": "a..b", "reason": "typed", "action": "block", "until": ""}
    )
    assert answer.status_code == 422
    assert "the host has an empty label" in problem(answer, "target")
    assert only(page(answer), "[id=reason]").attributes["value"] == "typed"
