"""What is held of a target: what waits for a person, and what a person keeps off the list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from blocklist.domain.run import HeldListing, Outcome
from blocklist.service import Service, read_target
from blocklist.store import held_changes
from tests.plans import plan_of, scans
from tests.refresh.test_runs import SITES, Court
from tests.support import Clock, definition

APPS = {"rules": {"entries": "apps"}}


@pytest.fixture
def court(service: Service, tmp_path: Path, clock: Clock) -> Court:
    return Court(service, tmp_path / "list.txt", clock)


def waiting(court: Court, target: str, **more: Any) -> tuple[HeldListing, ...]:
    return court.service.held.waiting([read_target(target)], **more)


def rules(held: tuple[HeldListing, ...]) -> list[str]:
    return [item.rule.value if item.rule else "?" for item in held]


def test_an_entry_held_alone_is_found_with_its_run_its_reason_and_since_when(court: Court) -> None:
    court.publish([*SITES, "www.archive.org"])
    court.publish([*SITES, "other.example", "www.archive.org"])
    (item,) = waiting(court, "archive.org")
    assert (item.feed, item.authority.name, item.authority.country) == ("court", "Test Court", "GB")
    assert (item.entry, item.position, item.run) == ("www.archive.org", 22, 2)
    assert item.hold == court.service.store.holds.all()[0].id
    assert item.since == "2026-01-01T00:00:00Z"
    assert "listed whole only when a person agrees" in item.why


def test_what_only_a_held_run_names_waits_with_that_run(court: Court) -> None:
    court.publish(SITES)
    run = court.publish(["new.example", "http://video.example/films/?v=1", *SITES[:3]])
    assert run.outcome is Outcome.HELD
    (item,) = waiting(court, "new.example")
    assert (item.run, item.hold, item.entry, item.position, item.why) == (2, None, "new.example", 1, run.reason)
    assert item.since == "2026-01-02T00:00:00Z"
    assert rules(waiting(court, "https://video.example/films/7?v=1&t=2")) == ["video.example/films/?v=1"]
    assert waiting(court, "https://video.example/films/?v=2") == ()


def test_what_lies_below_a_held_host_is_found_as_matching_would(court: Court) -> None:
    court.publish([*SITES, "archive.org"])
    for target in (
        *("archive.org", "www.archive.org", "a.b.archive.org", "ARCHIVE.ORG.", "https://archive.org/details/film?x=1"),
        *("http://web.archive.org:8080/", "//archive.org/x", "http://archive%2Eorg/"),
    ):
        assert rules(waiting(court, target)) == ["archive.org"], target
    for other in ("notarchive.org", "archive.org.example", "org", "app:archive.org", "192.0.2.1"):
        assert waiting(court, other) == (), other


def test_urls_addresses_and_apps_in_held_runs_are_found(service: Service, tmp_path: Path, court: Court) -> None:
    court.publish(SITES)
    court.publish(["http://video.example/a", "93.184.215.14", "www.host.example", *SITES[:2]])
    assert rules(waiting(court, "video.example")) == ["video.example/a"]
    assert rules(waiting(court, "www.video.example")) == ["video.example/a"]
    assert rules(waiting(court, "http://93.184.215.14/film")) == ["93.184.215.14"]
    assert rules(waiting(court, "x.host.example")) == ["host.example"]
    (tmp_path / "apps.txt").write_text("".join(f"com.app{number}\n" for number in range(20)))
    service.feeds.add(definition("apps", source={"file": str(tmp_path / "apps.txt")}, **APPS), "tester")
    service.runs.refresh("apps", "tester")
    (tmp_path / "apps.txt").write_text("com.app1\ncom.pirate\n")
    assert service.runs.refresh("apps", "tester").outcome is Outcome.HELD
    assert rules(waiting(court, "app:com.pirate")) == ["com.pirate"]
    assert waiting(court, "app:com.Pirate") == ()


def test_an_exact_rule_waits_for_its_host_alone(service: Service, tmp_path: Path, clock: Clock) -> None:
    court = Court(service, tmp_path / "list.txt", clock, rules={"scope": "exact"})
    court.publish(SITES)
    court.publish(["new.example", *SITES[:2]])
    assert rules(waiting(court, "new.example")) == ["new.example"]
    assert waiting(court, "www.new.example") == ()


def test_a_rule_that_several_held_runs_name_is_shown_once_with_the_newest_run(court: Court) -> None:
    court.publish(SITES)
    for number in range(3):
        court.publish(["new.example", *SITES[: 2 + number]])
    (item,) = waiting(court, "new.example")
    assert (item.run, item.since) == (4, "2026-01-02T00:00:00Z")
    court.publish(["other.example", *SITES[:1]])
    assert [item.run for item in waiting(court, "new.example")] == [4]


def test_an_entry_held_alone_comes_before_the_held_run_that_names_it_too(court: Court) -> None:
    court.publish([*SITES, "archive.org"])
    assert court.publish([SITES[0], "archive.org"]).outcome is Outcome.HELD
    (item,) = waiting(court, "archive.org")
    assert (item.hold, item.run) == (1, 1)
    court.service.holds.approve(1, "approver", "named")
    assert court.listed("archive.org")
    assert waiting(court, "archive.org") == ()
    court.service.holds.revoke(1, "approver", "appealed")
    assert [item.hold for item in waiting(court, "archive.org")] == [1]
    court.service.holds.refuse(1, "approver", "a library")
    assert waiting(court, "archive.org") == ()


def test_two_feeds_that_hold_a_name_are_both_shown_and_a_policy_shows_those_it_counts(
    court: Court, service: Service, tmp_path: Path
) -> None:
    court.publish([*SITES, "archive.org"])
    (tmp_path / "other.txt").write_text("archive.org\n")
    industry = {"name": "Trade Group", "kind": "industry", "country": "US"}
    service.feeds.add(definition("trade", source={"file": str(tmp_path / "other.txt")}, authority=industry), "tester")
    service.runs.refresh("trade", "tester")
    assert [item.feed for item in waiting(court, "archive.org")] == ["court", "trade"]
    assert [item.feed for item in waiting(court, "archive.org", policy="default")] == ["court"]


def test_a_decision_on_the_run_ends_the_wait(court: Court) -> None:
    court.publish(SITES)
    run = court.publish(["new.example", *SITES[:3]])
    court.service.runs.approve(run.id, "approver", "the court said so")
    assert waiting(court, "new.example") == ()
    assert court.listed("new.example")
    assert court.service.held.refused([read_target("new.example")]) == ()
    later = court.publish(["later.example"])
    court.service.runs.reject(later.id, "approver", "cut off")
    assert waiting(court, "later.example") == ()


def test_what_waited_at_a_moment_of_the_past_is_found(court: Court) -> None:
    court.publish([*SITES, "archive.org"])
    run = court.publish(["new.example", "archive.org", *SITES[:3]])
    court.clock.move_to("2026-01-05T00:00:00Z")
    court.service.runs.reject(run.id, "approver", "cut off")
    court.service.holds.refuse(1, "approver", "a library")
    for target, first, last in (
        ("archive.org", "2026-01-01", "2026-01-04"),
        ("new.example", "2026-01-02", "2026-01-04"),
    ):
        for day, expected in ((first, [target]), (last, [target]), ("2025-12-31", []), ("2026-01-05", [])):
            assert rules(waiting(court, target, at=f"{day}T00:00:00Z")) == expected


def test_what_a_person_keeps_off_the_list_is_found_with_the_decision(court: Court) -> None:
    court.publish([*SITES, "archive.org"])
    court.service.holds.refuse(1, "anna", "a library")
    (item,) = court.service.held.refused([read_target("https://web.archive.org/x")])
    assert (item.hold, item.decided_by, item.decided_at, item.decision) == (
        *(1, "anna", "2026-01-01T00:00:00Z", "a library"),
    )
    run = court.publish(["new.example", "archive.org", *SITES[:3]])
    assert waiting(court, "archive.org") == ()
    court.service.runs.reject(run.id, "bert", "cut off")
    (item,) = court.service.held.refused([read_target("new.example")])
    assert (item.run, item.hold, item.decided_by, item.decision) == (run.id, None, "bert", "cut off")
    assert court.service.held.refused([read_target("site-1.example")]) == ()


def test_what_a_rejected_run_named_and_the_feed_lists_now_is_not_kept_off_the_list(court: Court) -> None:
    court.publish(SITES)
    run = court.publish(["new.example", *SITES[:3]])
    court.service.runs.reject(run.id, "anna", "cut off")
    assert rules(court.service.held.refused([read_target("new.example")])) == ["new.example"]
    court.publish([*SITES, "new.example"])
    assert court.listed("new.example")
    assert court.service.held.refused([read_target("new.example")]) == ()


def test_rules_of_hosts_come_before_those_of_urls(court: Court) -> None:
    court.publish([*SITES, "archive.org"])
    court.publish([f"archive.org/{number}" for number in range(30)])
    found = rules(waiting(court, "archive.org"))
    assert (found[0], len(found)) == ("archive.org", 31)


def test_held_rules_are_found_through_indexes(court: Court) -> None:
    court.publish([*SITES, "archive.org"])
    court.publish(["new.example", *SITES[:3]])
    plan = plan_of(court.service.store, lambda: waiting(court, "www.archive.org"))
    for table in ("h", "c", "r", "f", "l"):
        assert scans(plan, table) == []


def test_a_removed_feed_holds_nothing_and_its_refusals_stay_known(court: Court) -> None:
    court.publish([*SITES, "archive.org", "nasa.gov"])
    first, second = court.service.store.holds.all()
    court.service.holds.refuse(first.id, "anna", "a library")
    court.publish(["new.example", *SITES[:3]])
    court.service.feeds.remove("court", "tester")
    assert [waiting(court, target) for target in ("archive.org", second.rule.value, "new.example")] == [()] * 3
    assert len(court.service.held.refused([read_target(first.rule.value)])) == 1


def test_a_held_run_with_more_additions_than_are_kept_may_name_a_target(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_changes, "MAX_CHANGES_KEPT", 3)
    court.publish(SITES)
    new = [f"{letter}-new.example" for letter in "abcdwx"]
    assert court.publish([*new, *SITES[:2]]).outcome is Outcome.HELD
    assert rules(waiting(court, "b-new.example")) == ["b-new.example"]
    assert waiting(court, "a-other.example") == ()
    for target in ("x-new.example", "www.zoo.example", "app:zoo"):
        (item,) = waiting(court, target)
        assert (item.rule, item.entry, item.position, item.run, item.feed) == (None, None, None, 2, "court")
    assert court.service.held.refused([read_target("x-new.example")]) == ()


def test_many_targets_get_the_same_as_each_alone(court: Court) -> None:
    court.publish([*SITES, "archive.org"])
    court.publish(["new.example", "http://video.example/a", *SITES[:3]])
    texts = [
        "archive.org",
        "x.archive.org",
        "new.example",
        "http://video.example/a/b",
        "video.example",
        "site-1.example",
    ]
    targets = [read_target(text) for text in texts] * 2
    found = court.service.held.waiting_of([[target] for target in targets], "default")
    assert found == [court.service.held.waiting([target], "default") for target in targets]
    assert [len(item) for item in found[:6]] == [1, 1, 1, 1, 1, 0]
    assert court.service.held.waiting_of([]) == []
    assert rules(court.service.held.waiting(targets)) == ["archive.org", "new.example", "video.example/a"]
