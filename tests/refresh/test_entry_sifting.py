"""Entries that are refused or held for a person alone, and the decisions on them."""

from __future__ import annotations

from pathlib import Path

import pytest

from blocklist.domain.errors import ConflictError, UsageError
from blocklist.domain.run import Effect, HoldState, Outcome
from blocklist.normalize.hosts import parse_target
from blocklist.service import Service
from tests.refresh.test_runs import SITES, Court
from tests.support import Clock, definition


@pytest.fixture
def court(service: Service, tmp_path: Path, clock: Clock) -> Court:
    return Court(service, tmp_path / "list.txt", clock)


def waiting(court: Court) -> list[str]:
    return [hold.rule.value for hold in court.service.store.holds.all()]


def test_a_never_blocked_name_is_refused_and_the_rest_of_the_list_applies(
    service: Service, tmp_path: Path, clock: Clock
) -> None:
    court = Court(service, tmp_path / "list.txt", clock, guards={"never_block": ["our-shop.example"]})
    run = court.publish([*SITES, "www.our-shop.example"])
    assert (run.outcome, run.counts.rules, run.rejected_by_code) == (Outcome.APPLIED, 20, {"never_block": 1})
    (rejection,) = service.store.runs.rejections(run.id)
    assert rejection.reason == (
        "'www.our-shop.example' would block our-shop.example, which the setting guards.never_block names"
    )
    assert not court.listed("our-shop.example")


def test_a_popular_host_is_held_alone_even_on_a_first_list_and_the_rest_is_applied(court: Court) -> None:
    run = court.publish(
        [*SITES, "www.archive.org", "nasa.gov", "films.archive.org", "https://archive.org/details/film"]
    )
    assert run.outcome is Outcome.APPLIED
    assert run.reason == "22 sites: 22 added, 0 removed, 0 restated; 2 held alone for a person; 1 worth a look"
    assert (run.counts.held, run.counts.duplicates, run.counts.rejected) == (2, 0, 0)
    assert waiting(court) == ["archive.org", "nasa.gov"]
    assert not court.listed("archive.org")
    assert court.listed("films.archive.org")
    assert court.listed("https://archive.org/details/film/1")
    said = court.service.store.guard_findings.of_run(run.id)
    assert [(item.guard, item.effect) for item in said] == [
        ("popular_host", Effect.HOLDS_ENTRY),
        ("shared_host", Effect.HOLDS_ENTRY),
        ("below_popular_host", Effect.FLAGS),
    ]
    assert said[0].sentence == "1 newly listed waits for a person: nasa.gov"


def test_a_list_with_only_a_popular_host_is_not_empty(court: Court) -> None:
    run = court.publish(["archive.org"])
    assert (run.outcome, run.counts.rules, run.counts.held) == (Outcome.UNCHANGED, 0, 1)
    assert waiting(court) == ["archive.org"]


def test_an_approved_entry_is_listed_at_once_with_its_evidence_and_in_later_lists(court: Court) -> None:
    run = court.publish([*SITES, "archive.org"])
    (hold,) = court.service.store.holds.all()
    done = court.service.holds.approve(hold.id, "approver", "the court named it")
    assert (done.state, done.decided_by, done.reason) == (HoldState.APPROVED, "approver", "the court named it")
    assert court.listed("https://www.archive.org/")
    assert court.feed.listed == 21
    (listing,) = court.service.evidence.history(parse_target("archive.org"))
    assert (listing.run, listing.position, listing.body_sha256) == (run.id, 21, run.body_sha256)
    later = court.publish([*SITES[1:], "archive.org"])
    assert (later.reason, later.counts.held) == ("20 sites: 0 added, 1 removed, 0 restated", 0)
    court.publish(SITES)
    again = court.publish([*SITES, "archive.org"])
    assert (again.counts.added, again.counts.held) == (1, 0)
    assert [event["action"] for event in court.service.store.audit.events(1)] == ["hold.approve"]


def test_a_refused_entry_is_rejected_in_later_lists_with_the_reason(court: Court) -> None:
    court.publish([*SITES, "archive.org"])
    (hold,) = court.service.store.holds.all()
    court.service.holds.refuse(hold.id, "approver", "a library")
    run = court.publish([*SITES, "new.example", "archive.org"])
    assert (run.outcome, run.rejected_by_code, waiting(court)) == (Outcome.APPLIED, {"refused": 1}, [])
    (rejection,) = court.service.store.runs.rejections(run.id)
    assert "'archive.org' was refused by approver on " in rejection.reason
    assert rejection.reason.endswith(f"(hold {hold.id}): a library")
    assert not court.listed("archive.org")


def test_a_decision_still_holds_after_the_feed_is_removed_and_added_again(court: Court) -> None:
    court.publish([*SITES, "archive.org"])
    court.service.holds.refuse(court.service.store.holds.all()[0].id, "approver", "a library")
    court.service.feeds.remove("court", "tester")
    court.service.feeds.add(definition("court", source={"file": str(court.file)}), "tester")
    assert court.refresh().rejected_by_code == {"refused": 1}


def test_after_a_decision_is_revoked_the_entry_waits_again_and_is_delisted(court: Court) -> None:
    court.publish([*SITES, "archive.org"])
    (hold,) = court.service.store.holds.all()
    for _ in range(2):
        court.service.holds.approve(hold.id, "approver", "yes")
        court.service.holds.revoke(hold.id, "approver", "on second thought")
        assert not court.listed("archive.org")
        assert court.feed.listed == 20
        assert waiting(court) == ["archive.org"]
    assert len(court.service.evidence.history(parse_target("archive.org"))) == 2
    assert court.publish([*SITES[1:], "archive.org"]).counts.held == 1


def test_a_decision_needs_a_reason_and_an_entry_that_waits(court: Court) -> None:
    court.publish([*SITES, "archive.org"])
    (hold,) = court.service.store.holds.all()
    with pytest.raises(UsageError, match="a decision needs a reason"):
        court.service.holds.approve(hold.id, "approver", " ")
    with pytest.raises(ConflictError, match="has no decision to revoke: it is waiting"):
        court.service.holds.revoke(hold.id, "approver", "no")
    court.service.holds.refuse(hold.id, "approver", "a library")
    with pytest.raises(ConflictError, match="does not wait: it is refused by approver: a library; revoke that first"):
        court.service.holds.approve(hold.id, "approver", "yes")


def test_an_entry_that_leaves_its_list_before_a_decision_is_withdrawn(court: Court) -> None:
    court.publish([*SITES, "archive.org"])
    court.publish(SITES)
    assert [hold.state for hold in court.service.store.holds.all(state=None)] == [HoldState.WITHDRAWN]
    court.publish([*SITES, "archive.org", "new.example"])
    assert waiting(court) == ["archive.org"]


def test_a_host_that_was_listed_before_it_was_popular_stays_listed(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    court.publish([*SITES, "pirate.example"])
    monkeypatch.setattr("blocklist.guards.entry_guards.hosts_of", lambda guard: {"pirate.example": "popular"})
    assert court.publish([*SITES[1:], "pirate.example"]).counts.held == 0
    assert court.listed("pirate.example")


@pytest.mark.parametrize(("off", "held"), [([], 2), (["shared_host"], 1), (["shared_host", "popular_host"], 0)])
def test_a_feed_may_switch_these_guards_off(
    service: Service, tmp_path: Path, clock: Clock, off: list[str], held: int
) -> None:
    court = Court(service, tmp_path / "list.txt", clock, guards={"off": off})
    assert court.publish([*SITES, "archive.org", "nasa.gov"]).counts.held == held


def test_held_entries_are_counted_in_the_list_of_feeds_and_by_the_doctor(court: Court) -> None:

    court.publish([*SITES, "archive.org", "nasa.gov"])
    assert [row["waiting"] for row in court.service.feeds.rows()] == [2]
    (finding,) = [item for item in court.service.doctor.diagnose() if item.check == "entries of court"]
    assert not finding.ok
    assert finding.found == "2 held alone wait for a decision and are not listed meanwhile"


def test_an_entry_keeps_waiting_while_its_list_changes(court: Court) -> None:
    court.publish([*SITES, "archive.org"])
    for number in range(3):
        run = court.publish([*SITES, *(f"more-{n}.example" for n in range(number + 1)), "archive.org"])
        assert (run.counts.held, run.counts.added) == (1, 1)
        assert waiting(court) == ["archive.org"]


def test_a_decision_still_holds_while_its_list_changes(court: Court) -> None:
    court.publish([*SITES, "archive.org", "nasa.gov"])
    one, two = court.service.store.holds.all()
    court.service.holds.approve(one.id, "approver", "yes")
    court.service.holds.refuse(two.id, "approver", "no")
    for number in range(3):
        run = court.publish([*SITES[number + 1 :], "archive.org", "nasa.gov"])
        assert (run.counts.rules, run.counts.held, run.rejected_by_code) == (20 - number, 0, {"refused": 1})
        assert (court.listed("archive.org"), court.listed("nasa.gov")) == (True, False)
    court.publish([*SITES[4:], "archive.org"])
    court.publish([*SITES[5:], "archive.org"])
    court.service.holds.revoke(one.id, "approver", "no")
    run = court.publish([*SITES[6:], "archive.org"])
    assert (run.counts.held, court.listed("archive.org")) == (1, False)
