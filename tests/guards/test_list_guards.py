"""The guards over a list as a whole, each with its figures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from blocklist.domain.errors import UnreadableFeedError
from blocklist.domain.run import RunCounts
from blocklist.guards.guard import BodyScan, ListFacts
from blocklist.guards.guard_settings import GuardSettings, limits_of
from blocklist.refresh.guard_evaluation import judge
from tests.support import definition


def facts(counts: RunCounts, **more: Any) -> ListFacts:
    """Return what the guards check of a feed of which nothing is stored but ``more``."""
    stored = ListFacts(
        counts=counts,
        scan=BodyScan(),
        line_based=True,
        cut_row=None,
        last=None,
        last_rule=None,
        held=(),
        served_date=lambda: None,
        always_closed=lambda: False,
        removed_continuation=lambda _: None,
        staged_rules=lambda *_: (),
        modified=None,
        served_modified=lambda: None,
        recent=lambda: [],
        served_before=lambda: None,
        returning=lambda: 0,
        twin=lambda: None,
    )
    return replace(stored, **more)


def test_a_body_without_rules_fails_with_its_figures() -> None:
    with pytest.raises(UnreadableFeedError, match="the body gives no rules: it has no rows"):
        judge(facts(RunCounts()), GuardSettings())
    with pytest.raises(UnreadableFeedError, match="the body gives no rules: all 1,200 rows were rejected"):
        judge(facts(RunCounts(entries=1_200, rejected=1_200)), GuardSettings())
    assert judge(facts(RunCounts(entries=2, rules=1, rejected=1)), GuardSettings()) == []


def held(counts: RunCounts, changes: dict[str, int], service: GuardSettings | None = None, **own: Any) -> list[str]:
    limits = limits_of(definition(guards=own).guards, service or GuardSettings())
    return [finding.sentence for finding in judge(facts(replace(counts, **changes)), limits)]


def removing(removed: int, before: int) -> dict[str, int]:
    return {"removed": removed, "listed": before}


def rejecting(rejected: int, entries: int) -> RunCounts:
    return RunCounts(entries=entries, rules=entries - rejected, rejected=rejected)


def test_a_shrinking_list_is_held_with_its_figures() -> None:
    assert held(rejecting(0, 4_394), removing(12_904, 17_298)) == [
        "would remove 12,904 of 17,298 sites (75%); this feed allows 20%"
    ]


def test_removing_as_much_as_allowed_is_not_held() -> None:
    assert held(rejecting(0, 800), removing(200, 1_000)) == []
    assert len(held(rejecting(0, 799), removing(201, 1_000))) == 1


def test_a_single_removal_is_not_held_even_on_a_short_list() -> None:
    assert held(rejecting(0, 1), removing(1, 2)) == []
    assert len(held(rejecting(0, 1), removing(2, 3))) == 1


def test_many_unreadable_rows_are_held_with_their_figures() -> None:
    assert held(rejecting(600, 1_000), removing(0, 0)) == ["rejected 600 of 1,000 rows (60%); this feed allows 50%"]
    assert held(rejecting(500, 1_000), removing(0, 0)) == []


def test_each_guard_that_is_exceeded_has_a_finding() -> None:
    assert len(held(rejecting(9, 10), removing(90, 100))) == 2


def test_a_feed_may_allow_more_or_less_than_the_service() -> None:
    assert held(rejecting(0, 10), removing(90, 100), max_removed=0.9) == []
    assert held(rejecting(0, 95), removing(5, 100), max_removed=0) == [
        "would remove 5 of 100 sites (5%); this feed allows 0%"
    ]
    assert held(rejecting(600, 1_000), removing(0, 0), max_rejected=1) == []
    assert held(rejecting(0, 10), removing(90, 100), GuardSettings.model_validate({"max_removed": 1})) == []


def test_a_first_list_is_not_held() -> None:
    assert held(rejecting(0, 10), {"added": 10}) == []
