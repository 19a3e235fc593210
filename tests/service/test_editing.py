"""Changing a definition in place: history stays whole, and what is read otherwise is read again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from blocklist.definitions.merge import amend_definition
from blocklist.domain.clock import later
from blocklist.domain.errors import ChangedError, ConflictError, UsageError
from blocklist.domain.listing import Feed, Listing
from blocklist.domain.run import Outcome
from blocklist.service import Service, read_target
from blocklist.service.feeds import version_of
from tests.support import definition, settings_for


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    body = tmp_path / "list.txt"
    body.write_text("www.pirate.example\nother.example\n")
    service = Service(settings_for(tmp_path / "data"))
    service.feeds.add(definition(source={"file": str(body)}), "test")
    service.runs.refresh("court", "test")
    yield service
    service.close()


def edit(service: Service, patch: dict[str, Any], **more: Any) -> Feed:
    return service.feeds.edit("court", lambda known: amend_definition(known, patch), "an admin", **more)


def history(service: Service, site: str = "pirate.example") -> list[Listing]:
    return service.evidence.history(read_target(site))


@pytest.mark.parametrize("patch", [{"title": "Orders"}, {"every": "12h"}, {"notes": "by mail"}])
def test_a_new_title_interval_or_note_leaves_every_listing_as_it_is(service: Service, patch: dict[str, Any]) -> None:
    before = history(service)
    edit(service, patch)
    service.runs.refresh("court", "test")
    assert history(service) == before


def test_a_feed_that_moves_keeps_one_unbroken_history(service: Service, tmp_path: Path) -> None:
    before = history(service)
    moved = tmp_path / "moved.txt"
    moved.write_text("www.pirate.example\nnew.example\n")
    edited = edit(service, {"source": {"url": moved.as_uri()}})
    assert edited.definition["source"] == {"url": moved.as_uri()}
    assert service.runs.refresh("court", "test").outcome is Outcome.APPLIED
    assert history(service) == before
    assert history(service, "other.example")[0].listed_until is not None
    assert history(service, "new.example")[0].listed_until is None


def test_a_feed_that_moved_is_not_asked_for_what_the_old_address_had(service: Service, tmp_path: Path) -> None:
    with service.store.database.transaction():
        service.store.feeds.note_success("court", "2026-01-01T00:00:00Z", {"etag": '"old"'})
    edit(service, {"title": "Orders"})
    assert service.store.feeds.applied("court")[2] == {"etag": '"old"'}
    edit(service, {"source": {"url": (tmp_path / "list.txt").as_uri()}})
    assert service.store.feeds.applied("court")[2] == {}


def test_what_changes_how_rows_are_read_makes_the_next_run_read_the_same_body_again(service: Service) -> None:
    edited = edit(service, {"rules": {"www": "keep"}})
    assert edited.next_due < later(edited.created_at, 3_600)
    assert service.runs.refresh("court", "test").outcome is Outcome.APPLIED
    assert [item.listed_until is None for item in history(service)] == [False]
    assert [item.rule.value for item in history(service, "www.pirate.example") if item.listed_until is None] == [
        "www.pirate.example"
    ]


def test_answers_tell_of_the_new_authority_at_once(service: Service) -> None:
    version = service.snapshots.current().version
    edit(service, {"authority": {"name": "High Court"}})
    assert service.snapshots.current().version == version + 1
    verdict = service.evidence.lookup(read_target("pirate.example"), "default", explain=True)
    assert verdict.listings[0]["authority"] == "High Court"


def test_the_audit_log_says_what_was_and_what_is(service: Service) -> None:
    edit(service, {"every": "12h", "title": "Orders"})
    event = service.store.audit.events(1)[0]
    assert (event["actor"], event["action"], event["target"]) == ("an admin", "feed.edit", "court")
    assert event["detail"]["before"] == {"every": 21_600, "title": ""}
    assert event["detail"]["after"] == {"every": 43_200, "title": "Orders"}


def test_a_change_that_changes_nothing_leaves_no_trace(service: Service) -> None:
    events, version = len(service.store.audit.events()), version_of(service.store.feeds.get("court"))
    edit(service, {"every": "6h"})
    assert len(service.store.audit.events()) == events
    assert version_of(service.store.feeds.get("court")) == version


def test_the_second_of_two_admins_is_told_that_the_first_was_there(service: Service) -> None:
    seen = version_of(service.store.feeds.get("court"))
    edit(service, {"title": "First"}, seen=[seen])
    with pytest.raises(ChangedError, match="changed since you looked"):
        edit(service, {"title": "Second"}, seen=[seen])
    with pytest.raises(ChangedError):
        service.feeds.pause("court", "test", [seen])
    with pytest.raises(ChangedError):
        service.feeds.remove("court", "test", seen=[seen])
    assert service.store.feeds.get("court").title == "First"


def test_a_feed_that_is_being_refreshed_is_not_changed_meanwhile(service: Service) -> None:
    with service.refresher.locked("court"), pytest.raises(ConflictError, match="being refreshed"):
        edit(service, {"title": "Orders"}, wait=0)


@pytest.mark.parametrize(
    ("patch", "path"),
    [
        ({"name": "other"}, ("name",)),
        ({"every": "soon"}, ("every",)),
        ({"source": {"url": "gopher://x"}}, ("source", "url")),
        ({"format": "excel"}, ("format",)),
        ({"format": "csv"}, ("options",)),
        ({"colour": "red"}, ("colour",)),
        ({"authority": None}, ("authority",)),
    ],
)
def test_a_change_that_gives_no_definition_names_the_field(
    service: Service, patch: dict[str, Any], path: tuple[str, ...]
) -> None:
    with pytest.raises(UsageError) as error:
        edit(service, patch)
    assert [way for way, _ in error.value.faults] == [path]


def test_another_format_begins_without_the_options_of_the_last(service: Service) -> None:
    edit(service, {"options": {"encoding": "latin-1"}})
    assert edit(service, {"format": "csv", "options": {"column": "1"}}).definition["options"] == {"column": "1"}
