"""Guards that compare a list with those of the last 30 days."""

from __future__ import annotations

from typing import Any

import pytest

from blocklist.domain.run import AppliedList, Effect, RunCounts
from blocklist.guards.drift import largest_recent
from blocklist.guards.guard import BodyScan
from blocklist.guards.guard_settings import GuardSettings
from blocklist.refresh.guard_evaluation import judge
from tests.guards.test_list_guards import facts
from tests.support import Clock

COUNTS = RunCounts(entries=100, rules=100, listed=100)


def applied(*sizes: int, approved: int | None = None) -> list[AppliedList]:
    """Return lists of these sizes, each applied on the next day of January; ``approved`` is the index of one."""
    befores = (0, *sizes[:-1])
    return [
        AppliedList(f"2026-01-{day:02}T00:00:00Z", f"body-{day}", size, before, day - 1 == approved)
        for day, (size, before) in enumerate(zip(sizes, befores, strict=True), 1)
    ]


def bodies(*names: str) -> list[AppliedList]:
    return [AppliedList(f"2026-01-{day:02}T00:00:00Z", name, 100, 100, False) for day, name in enumerate(names, 1)]


def sentences(counts: RunCounts = COUNTS, **more: Any) -> dict[str, str]:
    return {item.guard: item.sentence for item in judge(facts(counts, **more), GuardSettings())}


def test_small_steps_are_measured_against_the_largest_list_of_30_days() -> None:
    recent = applied(100, 95, 90, 85)
    counts = RunCounts(entries=79, rules=79, removed=6, listed=85)
    assert sentences(counts, recent=lambda: recent) == {
        "removed": "would leave 79 of the 100 sites of 2026-01-01: in small steps, 21% would go within 30 days; "
        "this feed allows 20%"
    }
    still_allowed = RunCounts(entries=80, rules=80, removed=5, listed=85)
    assert sentences(still_allowed, recent=lambda: recent) == {}


def test_a_list_that_loses_nothing_is_not_held_for_what_it_lost_before() -> None:
    grown = RunCounts(entries=60, rules=60, added=5, listed=55)
    assert sentences(grown, recent=lambda: applied(100, 55)) == {}


def test_what_a_person_approved_is_the_new_measure() -> None:
    recent = applied(100, 60, 58, approved=1)
    largest = largest_recent(recent)
    assert largest is not None
    assert largest.sites == 60
    assert sentences(RunCounts(entries=55, rules=55, removed=3, listed=58), recent=lambda: recent) == {}


def test_the_list_that_served_when_the_30_days_began_counts_too() -> None:
    first = AppliedList("2026-01-10T00:00:00Z", "b", 90, 100, False)
    largest = largest_recent([first])
    assert largest is not None
    assert largest.sites == 100
    assert largest_recent([]) is None


def test_sites_that_return_are_no_growth() -> None:
    counts = RunCounts(entries=200, rules=200, added=150, listed=50)
    assert "growth" in sentences(counts)
    assert sentences(counts, returning=lambda: 120) == {}
    assert sentences(counts, returning=lambda: 90)["growth"].startswith("would add 60 to 50 sites (120%)")


@pytest.mark.parametrize(
    ("before", "held"),
    [
        (["a", "b"], False),
        (["a", "b", "a"], True),
        (["a", "a", "b"], False),
        (["a", "b", "a", "b"], True),
    ],
)
def test_a_body_may_return_once_and_is_held_the_second_time(before: list[str], held: bool) -> None:
    found = sentences(recent=lambda: bodies(*before), served_before=lambda: "2026-01-02T00:00:00Z")
    assert ("returned_body" in found) is held
    if held:
        assert found["returned_body"].startswith("this is the list of 2026-01-02 again")
    assert sentences(recent=lambda: bodies(*before)) == {}


def test_an_older_last_modified_is_held() -> None:
    served = lambda: "2026-01-07T00:00:00Z"  # noqa: E731
    older = sentences(modified="2025-10-01T00:00:00Z", served_modified=served)
    assert older == {
        "last_modified": "its Last-Modified is 2025-10-01T00:00:00Z, older than 2026-01-07T00:00:00Z of the list that "
        "serves"
    }
    assert sentences(modified="2026-01-07T00:00:00Z", served_modified=served) == {}
    assert sentences(modified=None, served_modified=served) == {}


def test_a_later_date_in_the_body_outweighs_an_older_last_modified() -> None:
    found = sentences(
        modified="2025-10-01T00:00:00Z",
        served_modified=lambda: "2026-01-07T00:00:00Z",
        scan=BodyScan(stated_date="2026-01-08T00:00:00Z"),
        served_date=lambda: "2026-01-07T00:00:00Z",
    )
    assert found == {}


def test_dates_in_the_future_are_not_believed_and_noted(clock: Clock) -> None:
    clock.move_to("2026-01-10T00:00:00Z")
    (finding,) = judge(facts(COUNTS, scan=BodyScan(stated_date="2062-01-01T00:00:00Z")), GuardSettings())
    assert (finding.guard, finding.effect) == ("future_date", Effect.NOTES)
    assert (
        finding.sentence == "states the date 2062-01-01T00:00:00Z, more than two days in the future: it is not believed"
    )
    tomorrow = BodyScan(stated_date="2026-01-11T12:00:00Z")
    assert sentences(scan=tomorrow) == {}
    assert "stated_date" in sentences(scan=tomorrow, served_date=lambda: "2026-01-12T00:00:00Z")
    assert sentences(modified="2026-01-09T00:00:00Z", served_modified=lambda: "2062-01-01T00:00:00Z") == {}


def test_the_list_of_another_authority_is_noted() -> None:
    found = judge(facts(COUNTS, twin=lambda: "mirror of Another Court"), GuardSettings())
    assert [(item.guard, item.effect, item.sentence) for item in found] == [
        ("same_list", Effect.NOTES, "has the same sites as mirror of Another Court: the two count as one authority")
    ]
