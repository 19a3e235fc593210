"""Guards over whole runs, each with a body that it holds or fails and one that it just lets pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from blocklist.domain.run import Effect, Outcome, Run
from blocklist.service import Service
from tests.refresh.test_runs import SITES, Court, redefine
from tests.support import Clock, definition, settings_for


def court_with(service: Service, tmp_path: Path, clock: Clock, **more: Any) -> Court:
    return Court(service, tmp_path / "list.txt", clock, **more)


@pytest.fixture
def court(service: Service, tmp_path: Path, clock: Clock) -> Court:
    return court_with(service, tmp_path, clock)


def spoken(court: Court, run: Run) -> list[str]:
    return [item.guard for item in court.service.store.guard_findings.of_run(run.id)]


def test_a_list_that_more_than_doubles_is_held(court: Court) -> None:
    court.publish(SITES * 3 + [f"more-{number}.example" for number in range(30)])
    run = court.publish([*SITES, *(f"more-{number}.example" for number in range(81))])
    assert (run.outcome, run.reason) == (Outcome.HELD, "would add 51 to 50 sites (102%); this feed allows 100%")
    assert spoken(court, run) == ["growth"]
    assert court.publish([*SITES, *(f"more-{number}.example" for number in range(80))]).outcome is Outcome.APPLIED


def test_a_short_list_may_grow_fast(court: Court) -> None:
    court.publish(SITES[:3])
    assert court.publish([*SITES[:3], *(f"more-{number}.example" for number in range(49))]).outcome is Outcome.APPLIED


def test_a_list_with_fewer_sites_than_the_minimum_is_held(service: Service, tmp_path: Path, clock: Clock) -> None:
    court = court_with(service, tmp_path, clock, guards={"min_entries": 20})
    assert court.publish(SITES).outcome is Outcome.APPLIED
    run = court.publish(SITES[1:])
    assert (run.outcome, run.reason) == (Outcome.HELD, "gives 19 sites; this feed has at least 20")


DATED = "# Last modified: 2025-12-{day:02} 00:40 UTC\n{sites}\n"


def dated(day: int, sites: list[str]) -> str:
    return DATED.format(day=day, sites="\n".join(sites))


def test_a_list_with_an_older_date_than_the_one_that_serves_is_held(court: Court) -> None:
    court.publish(dated(6, SITES))
    run = court.publish(dated(5, SITES[1:]))
    assert (run.outcome, run.reason) == (
        Outcome.HELD,
        "states the date 2025-12-05T00:40:00Z, older than 2025-12-06T00:40:00Z of the list that serves",
    )
    assert spoken(court, run) == ["stated_date"]
    assert court.publish(dated(6, SITES[1:])).outcome is Outcome.APPLIED
    assert court.publish(SITES).outcome is Outcome.APPLIED


def test_a_feed_sets_where_its_date_is(service: Service, tmp_path: Path, clock: Clock) -> None:
    court = court_with(service, tmp_path, clock, guards={"stated_date": r"order of (\S+)"})
    court.publish("# order of 2025-12-06\n" + "\n".join(SITES) + "\n")
    assert court.publish("# order of 2025-12-05\n" + "\n".join(SITES[1:]) + "\n").outcome is Outcome.HELD
    redefine(service.store, definition("court", source={"file": str(court.file)}, guards={"stated_date": "off"}))
    assert court.refresh().outcome is Outcome.APPLIED


def test_a_missing_line_break_is_held_where_every_body_had_one(court: Court) -> None:
    court.publish(SITES)
    run = court.publish("\n".join([*SITES, "pirate.co"]))
    assert (run.outcome, run.reason) == (
        Outcome.HELD,
        "the last line, 'pirate.co', has no line break, and every body before had one: it may be cut off in it",
    )
    assert not court.listed("pirate.co")


def test_a_missing_line_break_is_not_held_where_no_body_had_one(court: Court) -> None:
    court.publish("\n".join(SITES))
    assert court.publish("\n".join([*SITES, "new.example"])).outcome is Outcome.APPLIED


def test_a_cut_url_never_widens_to_its_host(court: Court) -> None:
    urls = [f"https://site.example/watch/{number}" for number in range(6)]
    court.publish("\n".join([*SITES, *urls]))
    for cut in ("https://site.example/wat", "https://site.example"):
        run = court.publish("\n".join([*SITES, *urls[:-1], cut]))
        assert (run.outcome, spoken(court, run)) == (Outcome.HELD, ["cut_off"]), cut
        assert run.reason == (
            f"the last line, {cut!r}, has no line break and is the beginning of 'site.example/watch/5', which would go"
        )
    assert spoken(court, court.publish("\n".join([*SITES, *urls[:-1], "https://site.exa"]))) == ["cut_off"]
    assert not court.listed("https://site.example/")


def test_a_last_line_that_cannot_be_read_is_held(court: Court) -> None:
    assert spoken(court, court.publish("\n".join([*SITES, "https://exa"]))) == ["cut_off"]


def test_a_guard_that_is_switched_off_has_no_finding(service: Service, tmp_path: Path, clock: Clock) -> None:
    court = court_with(service, tmp_path, clock, guards={"off": ["cut_off"]})
    court.publish(SITES)
    assert court.publish("\n".join([*SITES, "pirate.co"])).outcome is Outcome.APPLIED


TABLE = {"format": "csv", "options": {"header": False, "delimiter": ";", "column": [3, 2], "skip_rows": 1}}


def table(rows: list[str]) -> str:
    return "Updated: 2016-06-13 12:04:00 +0000\n" + "\n".join(rows)


def test_a_last_row_with_too_few_columns_is_held_even_on_a_first_list(
    service: Service, tmp_path: Path, clock: Clock
) -> None:
    court = court_with(service, tmp_path, clock, **TABLE)
    rows = [f"1.1.1.{n};site-{n}.example;http://site-{n}.example/watch;court;2-{n};2016-01-01" for n in range(9)]
    run = court.publish(table([*rows, "1.1.1.9;site.example"]))
    assert (run.outcome, run.reason) == (
        Outcome.HELD,
        "the last row has 2 columns and the 9 before it at least 6: the body may be cut off in it",
    )
    assert court.publish(table([*rows, "1.1.1.9;site.example;;court;;"])).outcome is Outcome.APPLIED


def test_a_short_last_row_is_not_held_if_another_row_is_as_short(
    service: Service, tmp_path: Path, clock: Clock
) -> None:
    court = court_with(service, tmp_path, clock, **TABLE)
    rows = [f"1.1.1.{n};site-{n}.example;;court" for n in range(5)]
    assert court.publish(table([*rows, "x;short.example", *rows, "y;last.example", ""])).outcome is Outcome.APPLIED


def test_a_list_that_does_not_cover_a_must_match_target_is_held(service: Service, tmp_path: Path, clock: Clock) -> None:
    court = court_with(service, tmp_path, clock, guards={"must_match": ["www.site-0.example", "https://archive.org/x"]})
    assert court.publish([*SITES, "archive.org"]).outcome is Outcome.APPLIED
    run = court.publish([*SITES[1:], "archive.org", "site-0.example.org"])
    assert (run.outcome, run.reason) == (
        Outcome.HELD,
        "would not cover www.site-0.example, which this feed must list (guards.must_match)",
    )


def test_a_must_match_page_is_covered_by_a_rule_on_the_other_form_of_its_host(
    service: Service, tmp_path: Path, clock: Clock
) -> None:
    court = court_with(service, tmp_path, clock, guards={"must_match": ["https://www.video.example/films/new"]})
    assert court.publish([*SITES, "http://video.example//films/"]).outcome is Outcome.APPLIED


def test_a_list_that_covers_a_must_not_match_target_fails(tmp_path: Path, clock: Clock) -> None:
    service = Service(settings_for(tmp_path / "data", guards={"must_not_match": ["www.shop.example"]}))
    court = court_with(service, tmp_path, clock, guards={"must_not_match": ["https://news.example/today"]})
    for bad in ("shop.example", "http://news.example/"):
        run = court.publish([*SITES, bad])
        assert run.outcome is Outcome.FAILED
        assert "which no list of this feed may (guards.must_not_match)" in run.reason
        assert [item.effect for item in service.store.guard_findings.of_run(run.id)] == [Effect.FAILS]
    assert court.publish([*SITES, "other.shop.example", "https://news.example/yesterday"]).outcome is Outcome.APPLIED
    service.close()


def test_each_finding_is_recorded_with_its_sentence(court: Court) -> None:
    court.publish(dated(6, SITES))
    run = court.publish(dated(5, [*SITES[:3], *(f"more-{number}.example" for number in range(60))]))
    assert spoken(court, run) == ["removed", "growth", "stated_date"]
    assert run.reason == "; ".join(item.sentence for item in court.service.store.guard_findings.of_run(run.id))
    failed = court.publish(b"<html>")
    assert spoken(court, failed) == ["markup"]
