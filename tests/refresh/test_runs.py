"""Runs of a feed from its body to its outcome, and the review of those that were held."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from blocklist.definitions.definition import FeedDefinition
from blocklist.domain.clock import now, seconds_between
from blocklist.domain.errors import ConflictError, NotFoundError, UsageError
from blocklist.domain.listing import Feed
from blocklist.domain.run import Effect, Outcome, Run, Stage
from blocklist.service import Service
from blocklist.store import Store
from tests.support import Clock, definition

SITES = [f"site-{number}.example" for number in range(20)]


class Court:
    """A feed in a file, with a clock that each refresh moves on by a day."""

    def __init__(self, service: Service, file: Path, clock: Clock, **more: Any) -> None:
        self.service = service
        self.file = file
        self.clock = clock
        clock.move_to("2025-12-31T00:00:00Z")
        service.feeds.add(definition("court", source={"file": str(file)}, **more), "tester")

    @property
    def day(self) -> int:
        """The day of January 2026: the first refresh is on the first."""
        return int(now()[8:10])

    @property
    def feed(self) -> Feed:
        return self.service.store.feeds.get("court")

    def publish(self, body: str | bytes | list[str]) -> Run:
        """Put a body into the file and refresh the feed from it, a day later."""
        text = "\n".join(body) + "\n" if isinstance(body, list) else body
        self.file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return self.refresh()

    def refresh(self) -> Run:
        self.clock.advance(86_400)
        return self.service.runs.refresh("court", "tester")

    def listed(self, target: str) -> bool:
        return self.service.snapshots.current().lookup(target).listed

    @property
    def times(self) -> tuple[int, int, int]:
        """The days of the last attempt, success and change."""
        moments = (self.feed.last_attempt, self.feed.last_success, self.feed.last_change)
        return tuple(int(moment[8:10]) if moment else 0 for moment in moments)  # type: ignore[return-value]


@pytest.fixture
def court(service: Service, tmp_path: Path, clock: Clock) -> Court:
    return Court(service, tmp_path / "list.txt", clock)


def redefine(store: Store, wanted: FeedDefinition) -> None:
    """Change a feed's definition as an upgrade would."""
    with store.database.transaction():
        store.database.execute(
            "UPDATE feeds SET definition = ? WHERE name = ?",
            (wanted.model_dump_json(exclude_defaults=True), wanted.name),
        )


def test_a_new_list_is_applied_and_used_for_lookups(court: Court) -> None:
    run = court.publish(["www.a.example", "a.example", "b.example", "co.uk", "# a comment", "not a host"])
    assert (run.outcome, run.stage, run.trigger) == (Outcome.APPLIED, Stage.RECORD, "tester")
    assert run.reason == "2 sites: 2 added, 0 removed, 0 restated"
    counts = run.counts
    assert (counts.entries, counts.rules, counts.rejected, counts.duplicates) == (5, 2, 2, 1)
    assert run.rejected_by_code == {"public_suffix": 1, "unreadable": 1}
    assert [(item.position, item.code) for item in court.service.store.runs.rejections(run.id)] == [
        (4, "public_suffix"),
        (6, "unreadable"),
    ]
    assert court.listed("http://www.a.example/")
    assert not court.listed("c.example")
    assert court.feed.listed == 2
    assert court.times == (1, 1, 1)


def test_the_same_body_is_unchanged_and_counts_as_a_success(court: Court) -> None:
    court.publish(SITES)
    version = court.service.snapshots.current().version
    run = court.refresh()
    assert (run.outcome, run.reason) == (Outcome.UNCHANGED, "the body is the one that serves already: 20 sites")
    assert court.times == (2, 2, 1)
    assert court.service.snapshots.current().version == version


def test_another_body_with_the_same_sites_is_unchanged(court: Court) -> None:
    court.publish(SITES)
    run = court.publish([*reversed(SITES), "# a comment"])
    assert (run.outcome, run.reason) == (
        Outcome.UNCHANGED,
        "the body was read again and lists the same 20 sites",
    )
    assert court.times == (2, 2, 1)
    assert court.refresh().reason == "the body is the one that serves already: 20 sites"


def test_additions_and_removals_are_counted(court: Court) -> None:
    court.publish(SITES)
    run = court.publish([*SITES[2:], "new.example"])
    assert (run.outcome, run.reason) == (Outcome.APPLIED, "19 sites: 1 added, 2 removed, 0 restated")
    assert (court.listed("new.example"), court.listed(SITES[0])) == (True, False)
    assert court.times == (2, 2, 2)


FAILING = {
    "an empty body": (b"", "the body is empty"),
    "an HTML page": (b"<html><body>site-1.example</body></html>", "HTML or XML page"),
    "an archive": (b"PK\x03\x04" + bytes(50), "a zip archive"),
    "comments alone": (b"# nothing today\n", "the body gives no rules: it has no rows"),
    "only junk": (b"one two\nthree four\n", "the body gives no rules: all 2 rows were rejected"),
    "a line without end": (b"a" * 100_000, "line 1 is longer than 65536 characters"),
}


@pytest.mark.parametrize(("body", "reason"), FAILING.values(), ids=FAILING)
def test_after_a_failed_run_the_previous_list_serves(court: Court, body: bytes, reason: str) -> None:
    court.publish(SITES)
    version = court.service.snapshots.current().version
    run = court.publish(body)
    assert run.outcome is Outcome.FAILED
    assert reason in run.reason
    assert run.review is None
    assert court.times == (2, 1, 1)
    assert court.feed.listed == 20
    assert all(court.listed(site) for site in SITES)
    assert court.service.snapshots.current().version == version


def test_a_source_that_cannot_be_fetched_fails_the_run(court: Court) -> None:
    court.publish(SITES)
    court.file.unlink()
    run = court.refresh()
    assert (run.outcome, run.stage) == (Outcome.FAILED, Stage.FETCH)
    assert "list.txt: cannot be read: No such file or directory" in run.reason
    assert court.listed(SITES[0])
    assert court.times == (2, 1, 1)


def test_the_back_off_of_a_failing_feed_doubles_up_to_a_day(court: Court) -> None:
    waits = []
    for _ in range(12):
        court.publish(b"")
        waits.append(seconds_between(now(), court.feed.next_due))
    assert 900 <= waits[0] <= 1_800
    assert waits[-1] == 86_400
    assert court.service.store.feeds.failures(court.service.store.feeds.get("court").id) == 12
    court.publish(SITES)
    assert court.service.store.feeds.failures(court.service.store.feeds.get("court").id) == 0
    assert abs(seconds_between(now(), court.feed.next_due) - 21_600) <= 2_160


def test_a_list_of_half_its_size_is_held_and_the_previous_list_serves(court: Court) -> None:
    court.publish(SITES)
    run = court.publish([*SITES[:10], "new.example"])
    assert run.outcome is Outcome.HELD
    assert run.reason == "would remove 10 of 20 sites (50%); this feed allows 20%"
    assert run.review is not None
    assert run.review["state"] == "pending"
    assert (run.counts.added, run.counts.removed, run.counts.listed) == (1, 10, 20)
    assert court.times == (2, 1, 1)
    assert court.listed(SITES[15])
    assert not court.listed("new.example")


def test_a_list_with_too_many_unreadable_rows_is_held(court: Court) -> None:
    run = court.publish([*SITES, *(f"junk number {number}" for number in range(60))])
    assert (run.outcome, run.reason) == (Outcome.HELD, "rejected 60 of 80 rows (75%); this feed allows 50%")
    assert court.feed.last_success is None


def test_a_feed_may_set_its_own_limit(service: Service, tmp_path: Path, clock: Clock) -> None:
    court = Court(service, tmp_path / "list.txt", clock, guards={"max_removed": 0.6})
    court.publish(SITES)
    assert court.publish(SITES[:10]).outcome is Outcome.APPLIED
    assert court.publish(SITES[:2]).reason == "would remove 8 of 10 sites (80%); this feed allows 60%"


def test_approving_applies_exactly_the_held_body_even_after_the_source_changed(court: Court) -> None:
    court.publish(SITES)
    held = court.publish([*SITES[:10], "new.example"])
    court.file.write_text("something-else.example\n")
    court.clock.advance(86_400)
    run = court.service.runs.approve(held.id, "approver", "the court confirmed it")
    assert (run.id, run.outcome) == (held.id, Outcome.APPLIED)
    assert run.reason == "11 sites: 1 added, 10 removed, 0 restated"
    assert run.review is not None
    assert (run.review["state"], run.review["by"], run.review["reason"]) == (
        "approved",
        "approver",
        "the court confirmed it",
    )
    assert court.listed("new.example")
    assert not court.listed(SITES[15])
    assert not court.listed("something-else.example")
    assert court.times == (2, 3, 3)
    assert court.service.store.audit.events(1)[0]["action"] == "run.approve"


def test_after_an_approval_the_same_body_is_unchanged(court: Court) -> None:
    court.publish(SITES)
    held = court.publish(SITES[:10])
    court.service.runs.approve(held.id, "approver", "yes")
    assert court.refresh().outcome is Outcome.UNCHANGED


def test_rejecting_makes_the_same_body_fail_later_with_that_reason(court: Court) -> None:
    court.publish(SITES)
    held = court.publish(SITES[:10])
    run = court.service.runs.reject(held.id, "approver", "the list was cut off")
    assert run.outcome is Outcome.HELD
    assert run.review is not None
    assert run.review["state"] == "rejected"
    again = court.refresh()
    assert again.outcome is Outcome.FAILED
    assert "this very body was rejected by approver on " in again.reason
    assert f"(run {held.id}): the list was cut off" in again.reason
    assert court.listed(SITES[15])
    assert court.publish(SITES[1:]).outcome is Outcome.APPLIED


def test_a_review_needs_a_reason_and_a_run_that_waits_for_it(court: Court) -> None:
    applied = court.publish(SITES)
    held = court.publish(SITES[:10])
    with pytest.raises(UsageError, match="a review needs a reason"):
        court.service.runs.approve(held.id, "approver", " ")
    with pytest.raises(UsageError, match="a review needs a reason"):
        court.service.runs.reject(held.id, "approver", "")
    with pytest.raises(ConflictError, match=f"run {applied.id} does not wait for review: it is not held"):
        court.service.runs.approve(applied.id, "approver", "yes")
    court.service.runs.reject(held.id, "approver", "no")
    with pytest.raises(ConflictError, match=r"it is rejected \(no\)"):
        court.service.runs.approve(held.id, "approver", "yes")
    with pytest.raises(NotFoundError, match="there is no run 99"):
        court.service.runs.reject(99, "approver", "no")


def test_a_held_body_is_superseded_by_the_same_body_held_again(court: Court) -> None:
    court.publish(SITES)
    first, second = court.publish(SITES[:10]), court.refresh()
    runs = court.service.store.runs
    assert second.outcome is Outcome.HELD
    assert [run.id for run in runs.pending()] == [second.id]
    review = runs.get(first.id).review
    assert review is not None
    assert (review["state"], review["reason"]) == ("superseded", f"superseded by run {second.id}")


def test_a_held_body_is_superseded_by_a_list_that_is_applied_or_unchanged(court: Court) -> None:
    court.publish(SITES)
    runs = court.service.store.runs
    held = court.publish(SITES[:10])
    court.publish([*SITES, "new.example"])
    assert runs.pending() == []
    with pytest.raises(ConflictError, match="it is superseded"):
        court.service.runs.approve(held.id, "approver", "yes")
    court.publish(SITES[:9])
    assert len(runs.pending()) == 1
    assert court.publish([*SITES, "new.example"]).outcome is Outcome.UNCHANGED
    assert runs.pending() == []


def test_a_failed_run_leaves_a_held_one_waiting(court: Court) -> None:
    court.publish(SITES)
    held = court.publish(SITES[:10])
    court.publish(b"")
    assert [run.id for run in court.service.store.runs.pending()] == [held.id]


def test_after_a_change_of_the_definition_an_unchanged_body_is_read_again(court: Court) -> None:
    court.publish(["www.a.example", "b.example"])
    assert not court.listed("x.co.uk")
    redefine(court.service.store, definition("court", source={"file": str(court.file)}, rules={"www": "keep"}))
    run = court.refresh()
    assert (run.outcome, run.reason) == (Outcome.APPLIED, "2 sites: 1 added, 1 removed, 0 restated")
    assert (court.listed("a.example"), court.listed("www.a.example")) == (False, True)
    assert court.refresh().outcome is Outcome.UNCHANGED


def test_a_body_from_a_file_goes_through_the_same_stages(court: Court, tmp_path: Path) -> None:
    upload = tmp_path / "mail.txt"
    upload.write_text("a.example\n")
    assert court.service.runs.refresh("court", "tester", file=upload).outcome is Outcome.APPLIED
    upload.write_text("<html>")
    assert court.service.runs.refresh("court", "tester", file=upload).outcome is Outcome.FAILED
    assert court.listed("a.example")


def test_a_feed_without_an_address_says_how_to_bring_its_list(service: Service) -> None:
    service.feeds.add(definition("court"), "tester")
    run = service.runs.refresh("court", "tester")
    assert run.outcome is Outcome.FAILED
    assert "this feed has no address: read its list with 'blocklist refresh NAME --file PATH'" in run.reason


def test_progress_is_reported_stage_by_stage(court: Court) -> None:
    reported: list[tuple[Stage, int]] = []
    court.file.write_text("\n".join(SITES))
    court.service.runs.refresh("court", "tester", progress=lambda stage, done: reported.append((stage, done)))
    assert [stage for stage, _ in reported] == [Stage.NORMALIZE, Stage.GUARD, Stage.RECORD]
    assert {done for _, done in reported} == {20}


def test_two_runs_of_one_feed_never_overlap(court: Court) -> None:
    court.publish(SITES)
    with (
        court.service.refresher.locked("court"),
        pytest.raises(ConflictError, match="feed 'court' is being refreshed already"),
    ):
        court.service.runs.refresh("court", "tester", wait=0)
    assert court.refresh().outcome is Outcome.UNCHANGED


def test_a_run_whose_process_died_is_closed_at_the_next_start(court: Court) -> None:
    court.publish(SITES)
    store = court.service.store
    dead = store.runs.start(court.feed.id, "schedule", "2026-01-02T00:00:00Z")
    store.runs.reach(dead, Stage.NORMALIZE)
    left = court.service.settings.data_dir / "incoming" / f"run-{dead}"
    left.write_bytes(b"half")
    court.service.recover()
    run = store.runs.get(dead)
    assert (run.outcome, run.reason) == (Outcome.FAILED, "interrupted at stage normalize: its process ended")
    assert not left.exists()
    assert court.listed(SITES[0])


def test_the_folder_that_version_0_1_kept_its_readings_in_is_removed_at_the_next_start(court: Court) -> None:
    court.publish(SITES)
    readings = court.service.settings.data_dir / "readings"
    readings.mkdir()
    (readings / "feed-1.json").write_text("{}")
    court.service.recover()
    assert not readings.exists()
    assert court.listed(SITES[0])


def test_a_fault_of_the_code_fails_the_run_and_the_previous_list_serves(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    court.publish(SITES)

    def broken(*_: object) -> None:
        raise ZeroDivisionError("boom")

    monkeypatch.setattr("blocklist.refresh.guard_evaluation.judge", broken)
    run = court.publish(SITES[1:])
    assert run.outcome is Outcome.FAILED
    assert run.reason == "a fault of the service, please report it: ZeroDivisionError: boom"
    assert court.listed(SITES[0])


def test_a_run_leaves_no_file_behind_but_the_evidence(court: Court) -> None:
    court.publish(SITES)
    court.publish(b"")
    data = court.service.settings.data_dir
    assert list((data / "incoming").iterdir()) == []
    with court.service.refresher.bodies.open(court.service.store.runs.get(1).body_sha256 or "") as body:
        assert body.read().decode().split() == SITES


def test_removing_a_feed_delists_its_sites_and_keeps_their_history(court: Court) -> None:
    from blocklist.normalize.hosts import parse_target

    court.publish(SITES)
    assert court.service.feeds.remove("court", "tester") == 20
    assert not court.listed(SITES[0])
    (item,) = court.service.evidence.history(parse_target(SITES[0]))
    assert item.listed_until is not None
    with pytest.raises(NotFoundError):
        court.service.runs.refresh("court", "tester")


def test_a_preview_keeps_nothing(court: Court) -> None:
    court.publish(SITES)
    court.file.write_text("\n".join([*SITES[:5], "new.example", "co.uk", ""]))
    preview = court.service.feeds.preview(definition("court", source={"file": str(court.file)}))
    counts = preview.counts
    assert (counts.entries, counts.rules, counts.rejected, counts.added, counts.removed) == (7, 6, 1, 1, 15)
    assert [rule.value for _, rule in preview.first] == [*SITES[:5], "new.example"]
    assert [item.code for item in preview.rejections] == ["public_suffix"]
    holding = [item.sentence for item in preview.said if item.effect is Effect.HOLDS]
    assert holding == ["would remove 15 of 20 sites (75%); this feed allows 20%"]
    assert court.listed(SITES[10])
    assert len(court.service.store.runs.all()) == 1
