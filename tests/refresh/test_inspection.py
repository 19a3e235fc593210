"""The inspection of a body: the same stages for runs, previews and reviews."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from blocklist.domain.errors import GuardError, UnreadableFeedError
from blocklist.domain.run import Outcome, RunCounts, Stage
from blocklist.refresh.inspection import Arrival, Inspection
from blocklist.service import Service
from tests.refresh.test_runs import SITES, Court, redefine
from tests.support import Clock, definition


@pytest.fixture
def court(service: Service, tmp_path: Path, clock: Clock) -> Court:
    return Court(service, tmp_path / "list.txt", clock)


def inspect(service: Service, body: bytes | str, first: int = 0, **more: Any) -> Inspection:
    content = io.BytesIO(body if isinstance(body, bytes) else body.encode())
    try:
        return service.refresher.inspector.inspect(definition("court", **more), 0, content, Arrival(""), first=first)
    finally:
        service.store.staging.clear()


def test_an_observer_is_called_at_each_stage_with_what_was_found_so_far(service: Service) -> None:
    calls: list[Any] = []

    def observe(stage: Stage, found: Inspection) -> None:
        calls.append((stage, found.description, found.scan.ends_open, found.counts.rules, len(found.findings)))

    feed = definition("court", guards={"min_entries": 9})
    body = io.BytesIO(b"a.example\nb.example")
    found = service.refresher.inspector.inspect(feed, 0, body, Arrival(""), observer=observe, progress=calls.append)
    assert calls == [
        (Stage.PARSE, "lines", False, 0, 0),
        (Stage.NORMALIZE, "lines", True, 0, 0),
        2,
        (Stage.DIFF, "lines", True, 0, 0),
        (Stage.GUARD, "lines", True, 2, 0),
    ]
    assert [finding.guard for finding in found.holding] == ["too_few"]


@pytest.mark.parametrize("count", [1, 5, 40])
def test_the_first_entries_are_those_of_the_body_in_order(service: Service, count: int) -> None:
    hosts = [f"site-{number}.example" for number in range(30)]
    found = inspect(service, "\n".join([*hosts, "http://video.example/x", "www.site-1.example", ""]), count)
    expected = [*hosts, "http://video.example/x", "www.site-1.example"][:count]
    assert [entry.site for entry, _ in found.first] == expected
    assert [entry.position for entry, _ in found.first] == list(range(1, len(expected) + 1))
    assert (found.counts.entries, found.counts.rules, found.counts.duplicates) == (32, 31, 1)


def test_a_body_that_cannot_be_read_to_its_end_has_the_figures_of_what_was_read(service: Service) -> None:
    rows = [*(f"site-{number}.example" for number in range(3)), "not a host", '"never closed.example']
    found = inspect(service, "\n".join(["Domain", *rows]), format="csv", options={"column": "Domain"})
    assert type(found.failure) is UnreadableFeedError
    assert (found.counts, found.diff) == (RunCounts(entries=4, rejected=1), None)
    assert found.rejected_by_code == {"unreadable": 1}
    assert found.description == "csv"


def test_a_body_that_a_guard_fails_says_which(service: Service) -> None:
    for body, guard in ((b"<html>", "markup"), (b"# nothing\n", "no_entries")):
        failure = inspect(service, body).failure
        assert isinstance(failure, GuardError)
        assert failure.guard == guard


def test_an_approval_does_not_override_a_guard_that_fails_runs(court: Court) -> None:
    court.publish(SITES)
    held = court.publish(SITES[:10])
    stricter = definition("court", source={"file": str(court.file)}, guards={"must_not_match": [SITES[3]]})
    redefine(court.service.store, stricter)
    with pytest.raises(GuardError, match=r"guards\.must_not_match"):
        court.service.runs.approve(held.id, "approver", "yes")
    run = court.service.store.runs.get(held.id)
    assert (run.outcome, run.review and run.review["state"]) == (Outcome.HELD, "pending")
    assert court.listed(SITES[15])
