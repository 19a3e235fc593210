"""Where two people must agree, nobody agrees with themselves, through whatever they act."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from blocklist.definitions.definition import FeedDefinition
from blocklist.domain.errors import ConflictError, ForbiddenError
from blocklist.domain.run import Outcome
from blocklist.domain.verdict import OverrideAction, VerdictKind
from blocklist.service import Service, read_target
from tests.support import Clock, definition, settings_for

ANNA = ("anna", "anna (command line)", "nightly (token 3 of anna)")


@pytest.fixture
def careful(tmp_path: Path) -> Iterator[Service]:
    opened = Service(settings_for(tmp_path / "data", access={"two_people": True}))
    yield opened
    opened.close()


def listed(service: Service, host: str) -> bool:
    return service.evidence.lookup(read_target(host), "default").verdict is VerdictKind.LISTED


def held_run(service: Service, folder: Path, by: str, added_by: str = "bert") -> int:
    """Return a run that was held since it would remove half of what its feed lists."""
    path = folder / "list.txt"
    path.write_text("".join(f"pirate-{number}.example\n" for number in range(10)))
    service.feeds.add(definition("court", source={"file": str(path)}), added_by)
    assert service.runs.refresh("court", "schedule").outcome is Outcome.APPLIED
    path.write_text("pirate-1.example\n")
    run = service.runs.refresh("court", by)
    assert run.outcome is Outcome.HELD
    return run.id


def test_an_override_waits_until_somebody_else_confirms_it(careful: Service) -> None:
    made = careful.overrides.add(OverrideAction.BLOCK, "pirate.example", "order 7", "anna")
    assert made.confirmed_at is None
    careful.publisher.publish(force=True)
    assert not listed(careful, "pirate.example")
    for same in ANNA:
        with pytest.raises(ForbiddenError, match="anna's own change"):
            careful.overrides.confirm(made.id, same)
    assert careful.overrides.confirm(made.id, "bert").confirmed_by == "bert"
    assert listed(careful, "pirate.example")
    with pytest.raises(ConflictError, match="does not wait"):
        careful.overrides.confirm(made.id, "carl")


def test_an_override_that_was_removed_before_anybody_confirmed_it_never_counts(careful: Service) -> None:
    made = careful.overrides.add(OverrideAction.BLOCK, "pirate.example", "order 7", "anna")
    careful.overrides.remove(made.id, "anna")
    with pytest.raises(ConflictError):
        careful.overrides.confirm(made.id, "bert")
    assert not listed(careful, "pirate.example")


def test_without_the_setting_an_override_counts_at_once(service: Service) -> None:
    assert service.overrides.add(OverrideAction.BLOCK, "pirate.example", "order 7", "anna").confirmed_by == "anna"
    assert listed(service, "pirate.example")


def test_whoever_brought_a_body_cannot_approve_it(careful: Service, tmp_path: Path) -> None:
    run = held_run(careful, tmp_path, "anna")
    for same in ANNA:
        with pytest.raises(ForbiddenError, match=f"run {run} is anna's own change"):
            careful.runs.approve(run, same, "right")
    assert careful.runs.approve(run, "carl", "right").outcome is Outcome.APPLIED


def test_whoever_changed_the_feed_since_its_list_last_applied_cannot_approve_it(
    careful: Service, tmp_path: Path, clock: Clock
) -> None:
    run = held_run(careful, tmp_path, "schedule", added_by="anna")
    # Added before the list applied, which somebody saw: that alone is no reason.
    clock.move_to("2099-01-01T00:00:00Z")
    careful.feeds.pause("court", "carl")
    careful.feeds.edit("court", lambda old: old.model_copy(update={"every": 60}), "bert (command line)")
    with pytest.raises(ForbiddenError, match="bert's own change"):
        careful.runs.approve(run, "bert", "right")
    careful.runs.approve(run, "carl", "right")


def test_a_run_of_the_schedule_may_be_approved_by_anybody(careful: Service, tmp_path: Path) -> None:
    run = held_run(careful, tmp_path, "schedule")
    careful.runs.approve(run, "carl", "right")


def test_an_entry_that_is_held_alone_needs_somebody_else_than_who_brought_it(careful: Service, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("archive.org\npirate.example\n")
    careful.feeds.add(definition("court", source={"file": str(path)}), "bert")
    careful.runs.refresh("court", "anna")
    (hold,) = careful.store.holds.all()
    with pytest.raises(ForbiddenError, match="anna's own change"):
        careful.holds.approve(hold.id, "anna", "right")
    careful.holds.refuse(hold.id, "anna", "not whole")
    careful.holds.revoke(hold.id, "anna", "on second thoughts")
    careful.holds.approve(hold.id, "carl", "right")


def test_an_entry_that_is_held_alone_needs_somebody_else_than_who_changed_the_feed(
    careful: Service, tmp_path: Path, clock: Clock
) -> None:
    def at(hour: int) -> None:
        clock.move_to(f"2026-01-02T0{hour}:00:00Z")

    def listing(name: str, *hosts: str) -> FeedDefinition:
        (tmp_path / name).write_text("\n".join(hosts))
        return definition("court", source={"file": str(tmp_path / name)})

    at(1)
    careful.feeds.add(listing("list.txt", "pirate.example"), "bert")
    at(2)
    careful.runs.refresh("court", "schedule")
    at(3)
    moved = listing("other.txt", "pirate.example", "archive.org")
    careful.feeds.edit("court", lambda _: moved, "anna")
    # That the rest of the list applies, and later once more, is nobody's word on the entry.
    for hour, more in ((4, "pirate-4.example"), (5, "pirate-5.example")):
        at(hour)
        listing("other.txt", "pirate.example", "archive.org", more)
        assert careful.runs.refresh("court", "schedule").outcome is Outcome.APPLIED
    (hold,) = careful.store.holds.all()
    with pytest.raises(ForbiddenError, match="anna's own change"):
        careful.holds.approve(hold.id, "anna", "right")
    careful.holds.approve(hold.id, "bert", "right")
