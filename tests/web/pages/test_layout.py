"""What all pages share: security, navigation by role, error pages, and messages."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from blocklist.domain.access import Role
from blocklist.service import Service
from tests.web.pages.conftest import As, populate
from tests.web.pages.html import harms, listed, only, page, problem, text

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
def test_every_page_loads_and_uses_nothing_from_other_hosts(
    populated: Service, read_only_client: As, path: str
) -> None:
    answer = read_only_client(Role.ADMIN).get(f"/admin/{path}")
    assert answer.status_code == 200
    assert harms(answer) == []
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert len(page(answer).css("h1")) == 1


def test_the_navigation_has_only_pages_that_the_role_allows(read_only_client: As) -> None:
    offered = {
        (link.text().split() or [""])[0]
        for link in page(read_only_client(Role.VIEWER).get("/admin/")).css("nav.main a")
    }
    assert offered == {"Overview", "Feeds", "Review", "Lookup", "Overrides", "Audit"}


@pytest.mark.parametrize(
    "path", ["feeds", "feeds/court", "runs/2", "review", "overrides", "lookup?target=pirate.example"]
)
def test_a_viewer_sees_no_form_that_changes_anything(populated: Service, read_only_client: As, path: str) -> None:
    shown = page(read_only_client(Role.VIEWER).get(f"/admin/{path}"))
    changing = [form.attributes.get("action") for form in shown.css("form[method=post]")]
    assert set(changing) <= {"/admin/lookup"}
    assert "Add a feed" not in text(read_only_client(Role.VIEWER).get(f"/admin/{path}"))


def test_an_action_without_the_role_gives_an_error_page(populated: Service, read_only_client: As) -> None:
    answer = read_only_client(Role.VIEWER).post("/admin/feeds/court/remove", data={"sure": "yes"})
    assert answer.status_code == 403
    assert "this needs the role editor" in text(answer)
    assert [feed.name for feed in populated.store.feeds.all()] == ["court"]


def test_an_unknown_feed_gives_an_error_page(read_only_client: As) -> None:
    answer = read_only_client(Role.ADMIN).get("/admin/feeds/nosuch")
    assert answer.status_code == 404
    assert "there is no feed 'nosuch'" in text(answer)


def test_an_unknown_address_under_admin_gives_an_error_page_without_sign_in(
    populated: Service, read_only_client: As
) -> None:
    known = read_only_client(Role.VIEWER)
    for client in (known, known.application.test_client()):
        answer = client.get("/admin/nosuch")
        assert answer.status_code == 404
        assert "Not found" in text(answer)
        assert harms(answer) == []


def test_a_message_after_a_redirect_is_shown_once(
    service: Service, tmp_path: Path, signed_in_client: FlaskClient
) -> None:
    populate(service, tmp_path)
    answer = signed_in_client.post("/admin/feeds/court/pause")
    assert answer.status_code == 303
    assert "court is paused" in text(signed_in_client.get(answer.headers["Location"]))
    assert "court is paused:" not in text(signed_in_client.get(answer.headers["Location"]))


def test_the_navigation_shows_how_many_decisions_wait(populated: Service, read_only_client: As) -> None:
    assert only(page(read_only_client(Role.ADMIN).get("/admin/")), ".badge").text(strip=True).startswith("2")


def test_the_overview_begins_with_what_needs_attention(populated: Service, read_only_client: As) -> None:
    shown = text(read_only_client(Role.ADMIN).get("/admin/"))
    assert "2 items need your attention." in shown
    assert "court: held, would remove 9 of 10 sites (90%)" in shown
    assert "1 held entry of court waits for a decision." in shown


def test_the_overview_without_feeds_leads_to_adding_one(signed_in_client: FlaskClient) -> None:
    shown = text(signed_in_client.get("/admin/"))
    assert "1 item needs your attention." in shown
    assert "There are no feeds yet" in shown


def test_everything_is_ok_if_nothing_needs_attention(
    service: Service, tmp_path: Path, signed_in_client: FlaskClient
) -> None:
    listed(service, tmp_path, "pirate.example\n")
    assert "Everything is OK." in text(signed_in_client.get("/admin/"))


def test_a_form_shows_errors_next_to_fields_and_keeps_the_input(signed_in_client: FlaskClient) -> None:
    answer = signed_in_client.post(
        "/admin/overrides", data={"target": "a..b", "reason": "typed", "action": "block", "until": ""}
    )
    assert answer.status_code == 422
    assert "the host has an empty label" in problem(answer, "target")
    assert only(page(answer), "[id=reason]").attributes["value"] == "typed"
