"""The lookup page of what is held: amber, with who named it, since when it waits, and a link to the decision."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from blocklist.domain.verdict import OverrideAction
from blocklist.service import Service
from tests.web.pages.html import harms, listed, only, page, text

TEN = "".join(f"pirate{number}.example\n" for number in range(10))


@pytest.fixture
def looked_up(service: Service, tmp_path: Path, signed_in_client: FlaskClient) -> FlaskClient:
    """A browser; archive.org is held alone since run 1, and run 2, which names new.example, is held."""
    listed(service, tmp_path, f"{TEN}www.archive.org\n")
    listed(service, tmp_path, "new.example\npirate1.example\nhttp://video.example/films\n")
    return signed_in_client


def test_a_held_entry_is_amber_with_text_and_icon_and_a_link_to_the_review(looked_up: FlaskClient) -> None:
    answer = looked_up.get("/admin/lookup?target=https://web.archive.org/film")
    shown = page(answer)
    verdict = only(shown, ".verdict")
    assert verdict.attributes["class"] == "verdict held"
    assert only(shown, ".verdict h2").text() == "Held: not listed until a person decides"
    assert verdict.css("h2 svg[aria-hidden=true]")
    assert "Named by court in run 1 : archive.org . Waiting for a person since" in text(answer)
    assert "Not listed" not in text(answer)
    assert "No feed has listed it so far." in text(answer)
    links = [link.attributes["href"] for link in shown.css(".verdict a")]
    assert links == ["/admin/runs/1", "/admin/review?feed=court&after=0#entries"]
    for said in ("listed whole only when a person agrees", "www.archive.org", "row 11 of run 1", "Review the entry"):
        assert said in text(answer)
    assert "archive.org" in text(looked_up.get(str(links[1])))
    assert harms(answer) == []


def test_what_only_a_held_run_names_is_amber_with_a_link_to_the_run(looked_up: FlaskClient) -> None:
    answer = looked_up.get("/admin/lookup?target=new.example")
    assert "Held: not listed until a person decides" in text(answer)
    assert "/admin/runs/2" in [link.attributes["href"] for link in page(answer).css(".verdict a")]
    assert "would remove 9 of 10 sites" in text(answer)
    answer = looked_up.get("/admin/lookup?target=http://video.example/films/1")
    assert "http://video.example/films row 3 of run 2" in text(answer)
    assert harms(answer) == []


def test_a_listed_site_that_another_feed_holds_is_listed_and_shows_both(
    service: Service, looked_up: FlaskClient, tmp_path: Path
) -> None:
    listed(service, tmp_path, "archive.org\n", name="other")
    service.holds.approve(2, "anna", "the order names it")
    answer = looked_up.get("/admin/lookup?target=archive.org")
    assert only(page(answer), ".verdict").attributes["class"] == "verdict listed"
    for said in ("Listed: no ads here", "Listed by other", "Named by court in run 1", "Waits for a person"):
        assert said in text(answer)


def test_a_list_of_targets_shows_which_are_held(looked_up: FlaskClient) -> None:
    answer = looked_up.get("/admin/lookup?target=x.archive.org%0Aexample.com%0Apirate1.example%0Anew.example")
    rows = [" ".join(row.text(separator=" ").split()) for row in page(answer).css('[aria-label="Verdicts"] tbody tr')]
    assert rows == [
        "pirate1.example listed pirate1.example court",
        "x.archive.org held waits for a person: court",
        "new.example held waits for a person: court",
        "example.com not listed",
    ]
    assert "Held 2 Not listed 1" in text(answer)


def test_an_override_that_allows_a_held_site_is_shown_with_what_waits(looked_up: FlaskClient, service: Service) -> None:
    service.overrides.add(OverrideAction.ALLOW, "archive.org", "a library", "a test")
    answer = looked_up.get("/admin/lookup?target=archive.org")
    assert only(page(answer), ".verdict").attributes["class"] == "verdict held"
    assert "Decided by an override: allow archive.org ." in text(answer)


def test_a_refusal_stays_in_the_history(looked_up: FlaskClient, service: Service) -> None:
    service.holds.refuse(1, "anna", "a library")
    answer = looked_up.get("/admin/lookup?target=archive.org")
    assert only(page(answer), ".verdict").attributes["class"] == "verdict not_listed"
    for said in ("Kept off the list", "named by court in run 1", "anna", "a library"):
        assert said in text(answer)
    assert harms(answer) == []


def test_a_target_keeps_the_white_space_that_a_request_keeps(looked_up: FlaskClient) -> None:
    for target in ("\u1680pirate1.example", "pirate1.example\u2028"):
        answer = looked_up.post("/admin/lookup", data={"target": target})
        assert "Unknown" in text(looked_up.get(answer.headers["Location"]))
    answer = looked_up.post("/admin/lookup", data={"target": " pirate1.example \r\n\r\n"})
    assert "Listed: no ads here" in text(looked_up.get(answer.headers["Location"]))
