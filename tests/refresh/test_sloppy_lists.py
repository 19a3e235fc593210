"""Runs of lists as sloppy publishers write them: what is held, and what is recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from blocklist.domain.run import Outcome
from blocklist.service import Service
from tests.refresh.test_inspection import inspect
from tests.refresh.test_runs import SITES, Court
from tests.support import Clock

SAMPLES = Path(__file__).parents[1] / "formats" / "sloppy"


@pytest.fixture
def court(service: Service, tmp_path: Path, clock: Clock) -> Court:
    return Court(service, tmp_path / "list.txt", clock)


@pytest.mark.parametrize(
    ("sample", "options", "guard"),
    [
        ("count-stated.txt", {}, "stated_count"),
        ("end-marker.txt", {}, "stated_count"),
        ("first-page.json", {"rows": "rows", "field": "domain"}, "incomplete"),
        ("partial.json", {"rows": "rows", "field": "domain"}, "incomplete"),
        ("total.json", {"rows": "data.sites", "field": "domain"}, "incomplete"),
        ("ends-in-error.ndjson", {"field": "domain"}, "incomplete"),
        ("second-table.html", {"column": "Site"}, "incomplete"),
    ],
)
def test_a_list_that_is_not_whole_is_held(service: Service, sample: str, options: dict[str, str], guard: str) -> None:
    kind = sample.rpartition(".")[2]
    body = (SAMPLES / sample).read_bytes()
    found = inspect(service, body, format="lines" if kind == "txt" else kind, options=options)
    assert found.failure is None
    assert guard in [finding.guard for finding in found.holding]


def test_a_body_that_is_only_the_name_of_another_file_fails(service: Service) -> None:
    failure = inspect(service, (SAMPLES / "symbolic-link.txt").read_bytes()).failure
    assert "the body is only the name of another file, 'lists/pirates.txt'" in str(failure)


def test_dates_are_recorded_as_rfc_3339_and_those_that_cannot_be_read_are_counted(service: Service) -> None:
    options = {"column": "domain", "published_at": "day"}
    found = inspect(service, (SAMPLES / "dates.csv").read_bytes(), 20, format="csv", options=options)
    dates = {entry.site[7]: entry.published_at for entry, _ in found.first}
    assert {site: read for site, read in dates.items() if read} == dict.fromkeys("abf", "2025-08-29")
    assert (found.read.unread_dates.entries, found.read.unread_dates.position) == (8, 4)
    assert "8 entries state a date that is none, or that can be read in two ways, such as '03/04/2025'" in (
        found.description
    )
    options["dates"] = "day-first"
    ordered = inspect(service, (SAMPLES / "dates.csv").read_bytes(), 20, format="csv", options=options)
    assert {entry.site[7]: entry.published_at for entry, _ in ordered.first}["c"] == "2025-04-03"


def test_a_run_says_how_many_dates_it_could_not_read(service: Service, tmp_path: Path, clock: Clock) -> None:
    table = {"format": "csv", "options": {"column": "Site", "published_at": "Day"}}
    court = Court(service, tmp_path / "list.csv", clock, **table)
    run = court.publish(["Site,Day", "a.example,29/08/2025", "b.example,soon"])
    assert run.outcome is Outcome.APPLIED
    assert service.store.runs.get(run.id).seen.startswith("csv; 1 entry states a date that is none")


def test_the_last_line_that_every_body_had_must_not_be_missing(court: Court) -> None:
    assert court.publish([*SITES, "# EOF"]).outcome is Outcome.APPLIED
    run = court.publish(SITES[:18])
    assert (run.outcome, "has no last line that says it is the end" in run.reason) == (Outcome.HELD, True)
    assert court.publish([*SITES[:19], "# EOF"]).outcome is Outcome.APPLIED


def test_a_list_that_never_had_such_a_line_needs_none(court: Court) -> None:
    assert court.publish(SITES).outcome is Outcome.APPLIED
    assert court.publish([*SITES[:19], "# EOF"]).outcome is Outcome.APPLIED
    assert court.publish(SITES).outcome is Outcome.APPLIED


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_byte_order_mark_is_read_in_the_order_of_its_bytes(service: Service, encoding: str) -> None:
    body = "a.example\nb.example\n".encode(encoding)
    for options in ({"encoding": "utf-16"}, {"encoding": encoding}):
        found = inspect(service, body, options=options)
        assert (found.failure, found.counts.rules) == (None, 2)
    assert "set encoding=utf-16" in str(inspect(service, body).failure)


@pytest.mark.parametrize("body", [b"\0\0\0\0\1\1\1\1", "ж.рф\n".encode("cp1251"), b"a.example\n"])
def test_bytes_that_are_no_utf_16_fail_in_a_sentence(service: Service, body: bytes) -> None:
    failure = inspect(service, body, options={"encoding": "utf-16"}).failure
    assert failure is not None
    assert "utf-16" in str(failure)
