"""The figures of the overview, against the listings, runs and counters that they sum up."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
import sqlite_utils

from blocklist.domain.run import Outcome, RunCounts
from blocklist.exports import changes
from blocklist.service import Service
from blocklist.status import statistics
from blocklist.status.statistics import Statistics
from blocklist.store import Store
from blocklist.store.engine.sqlite.schema.migrations import MIGRATIONS
from blocklist.store.engine.sqlite.schema.statistics_tables import STATEMENTS
from tests.plans import plan_of, scans, statements_of
from tests.support import Clock, definition

COURT, POLICE = "Test Court", "City Police"


def lists(service: Service, folder: Path, feed: str, *rows: str) -> None:
    """Let a feed list these rows (``SITE,AUTHORITY``) from now on."""
    path = folder / f"{feed}.csv"
    path.write_text("site,by\n" + "".join(f"{row}\n" for row in rows))
    if feed not in [known.name for known in service.store.feeds.all()]:
        options = {"column": "site", "header": True, "authority": "by"}
        service.feeds.add(
            definition(feed, format="csv", options=options, source={"file": str(path)}, guards={"max_removed": 1.0}),
            "tester",
        )
    run = service.runs.refresh(feed, "tester")
    assert run.outcome is Outcome.APPLIED, run.reason


def a_week(service: Service, folder: Path, clock: Clock) -> None:
    """Let two feeds list, restate and delist sites over some days; one of them ends."""
    clock.move_to("2026-03-01T12:00:00Z")
    lists(service, folder, "one", "a.example,", "b.example,", "c.example,City Police")
    clock.move_to("2026-03-03T12:00:00Z")
    lists(service, folder, "one", "a.example,", "b.example,City Police", "c.example,City Police", "d.example,")
    lists(service, folder, "two", "a.example,", "x.example,")
    clock.move_to("2026-03-04T12:00:00Z")
    lists(service, folder, "one", "d.example,")
    service.feeds.remove("two", "tester")
    clock.move_to("2026-03-05T12:00:00Z")


def test_listed_sites_are_counted_by_authority_at_the_end_of_each_day(
    service: Service, tmp_path: Path, clock: Clock
) -> None:
    a_week(service, tmp_path, clock)
    rows = Statistics(service.store).listed_over_time(6)
    by_authority = {name: [row.listed for row in rows if row.authority == name] for name in (COURT, POLICE)}
    assert by_authority == {COURT: [0, 2, 2, 4, 1, 1], POLICE: [0, 1, 1, 2, 0, 0]}
    assert [row.day for row in rows[::2]] == [f"2026-02-{28:02}", *(f"2026-03-0{day}" for day in range(1, 6))]
    now = Statistics(service.store).listed_now()
    assert (now.sites, now.by_authority) == (1, ((COURT, 1),))


def test_days_before_the_window_count_into_its_first(service: Service, tmp_path: Path, clock: Clock) -> None:
    a_week(service, tmp_path, clock)
    rows = Statistics(service.store).listed_over_time(2)
    assert [(row.day, row.authority, row.listed) for row in rows if row.authority == COURT] == [
        ("2026-03-04", COURT, 1),
        ("2026-03-05", COURT, 1),
    ]


def test_authorities_beyond_the_most_are_summed(service: Service, tmp_path: Path, clock: Clock) -> None:
    clock.move_to("2026-03-01T12:00:00Z")
    lists(service, tmp_path, "one", "a.example,", "b.example,", "c.example,X", "d.example,Y", "e.example,Y")
    assert Statistics(service.store).listed_over_time(1, most=1) == [
        ("2026-03-01", COURT, 2),
        ("2026-03-01", None, 3),
    ]


def test_a_database_from_before_the_figures_counts_from_its_listings_what_was_counted_as_it_happened(
    service: Service, tmp_path: Path, clock: Clock
) -> None:
    a_week(service, tmp_path, clock)
    before = [Statistics(service.store).listed_over_time(30), service.store.statistics.listed_now()]
    with sqlite3.connect(service.store.database.path) as connection:
        for table in ("listed_daily", "listed_now"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("DROP INDEX listings_authority")
        for statement in STATEMENTS:
            connection.execute(statement)
    connection.close()
    assert [Statistics(service.store).listed_over_time(30), service.store.statistics.listed_now()] == before


def test_a_database_of_an_earlier_version_is_brought_up_to_date_with_what_it_lists(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    old = sqlite_utils.Database(path)
    MIGRATIONS.apply(old, stop_before="m004_figures")
    with old.conn:
        feed = definition("court").model_dump_json(exclude_defaults=True)
        columns = "id, name, definition, created_at, next_due, listed"
        old.execute(f"INSERT INTO feeds ({columns}) VALUES (1, 'court', ?, '', '', 2)", (feed,))
        old.execute("INSERT INTO runs (id, feed_id, started_by, started_at, stage) VALUES (1, 1, 'x', '', 'record')")
        for number, until, closed_by in ((1, None, 0), (2, None, 0), (3, "2026-01-05T00:00:00Z", 1)):
            old.execute(
                "INSERT INTO listings (feed_id, kind, value, scope, position, authority, listed_from, stated_from,"
                " listed_until, run_id, closed_by) VALUES (1, 'host', ?, 'subtree', 1, ?, ?, ?, ?, 1, ?)",
                (f"{number}.example", POLICE if number == 2 else None, *["2026-01-02T00:00:00Z"] * 2, until, closed_by),
            )
    old.close()
    store = Store(path)
    assert store.statistics.listed_now() == [(POLICE, 1), (COURT, 1)]
    assert store.statistics.listed_changes("") == [
        *(("2026-01-02", POLICE, 1), ("2026-01-02", COURT, 2)),
        ("2026-01-05", COURT, -1),
    ]
    assert [(item.change, item.rule.value) for item in changes(store, "2026-01-03").changes] == [
        ("delisted", "3.example")
    ]
    store.close()


def test_counting_what_is_listed_walks_no_listings(store: Store) -> None:
    """A feed of a million bare hosts costs the counts no more than one of ten."""
    feed = store.feeds.add(definition("one"))

    def counting() -> None:
        store.statistics.update_counts(feed.id)
        Statistics(store).listed_now()
        Statistics(store).listed_over_time(30)

    plan = plan_of(store, counting)
    touched = [step for step in plan if "listings" in step]
    assert touched == ["SEARCH listings USING INDEX listings_authority (feed_id=? AND authority>?)"]


def worker(**verdicts: list[int]) -> dict[str, Any]:
    return {"verdicts": verdicts}


def test_what_is_asked_is_sampled_from_the_counters_of_all_workers(store: Store, clock: Clock) -> None:
    board = [worker(default=[5, 5, 5]), worker()]
    clock.move_to("2026-03-01T00:00:00Z")
    sampler = statistics.Sampler(store, lambda: board, timer=time.time)
    for state in [worker(default=[15, 25, 5], strict=[10, 0, 0]), worker(default=[0, 60, 0])], [worker(), worker()]:
        board = state
        clock.advance(60)
        sampler.sample()
    assert store.statistics.samples("2026-03-01T00:00:00Z") == [
        {"at": "2026-03-01T00:01:00Z", "seconds": 60.0, "lookups": 100, "listed": 20, "unknown": 0},
        # A board that could not be read tells of nothing new, and never of less.
        {"at": "2026-03-01T00:02:00Z", "seconds": 60.0, "lookups": 0, "listed": 0, "unknown": 0},
    ]


def test_traffic_is_per_second_and_has_gaps_where_nobody_watched(store: Store, clock: Clock) -> None:
    clock.move_to("2026-03-01T04:00:00Z")
    store.statistics.add_sample("2026-03-01T00:30:00Z", 60.0, 600, 60, 0)
    store.statistics.add_sample("2026-03-01T00:31:00Z", 60.0, 0, 0, 0)
    store.statistics.add_sample("2026-03-01T04:00:00Z", 60.0, 0, 0, 0)
    store.statistics.add_sample("2026-02-28T04:00:00Z", 60.0, 999, 999, 0)
    assert Statistics(store).traffic(4, points=4) == [
        ("2026-03-01T01:00:00Z", 5.0, 0.5, 0.1),
        ("2026-03-01T02:00:00Z", None, None, None),
        ("2026-03-01T03:00:00Z", None, None, None),
        ("2026-03-01T04:00:00Z", 0.0, 0.0, None),
    ]


def test_traffic_is_kept_for_a_week(store: Store) -> None:
    for day in range(1, 11):
        store.statistics.add_sample(f"2026-03-{day:02}T00:00:00Z", 60.0, day, 0, 0)
    assert [row["lookups"] for row in store.statistics.samples("")] == [3, 4, 5, 6, 7, 8, 9, 10]


def test_the_workers_of_the_node_are_seen_with_their_snapshots(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    clock.move_to("1970-01-12T13:46:40Z")
    monkeypatch.setattr("blocklist.status.statistics.socket.gethostname", lambda: "here")
    answering = {
        **{"reported_at": 999_999.0, "snapshot_version": 7, "snapshot_age_seconds": 12.5, "snapshot_stale": 0},
        "values": {"connections": 3},
    }
    seen = statistics.lookup_workers(
        lambda: [answering, answering | {"reported_at": 999_000.0, "snapshot_stale": 1}, {}]
    )
    assert seen[0] == statistics.LookupWorker("here", 0, True, 7, 12.5, False, "1970-01-12T13:46:39Z", 3)
    assert [(node.up, node.stale) for node in seen] == [(True, False), (False, True), (False, False)]
    assert seen[2] == statistics.LookupWorker("here", 2, False, 0, None, False, None, 0)


def test_recent_runs_come_in_one_query_through_the_index(store: Store) -> None:
    for name in ("one", "two", "three"):
        feed = store.feeds.add(definition(name))
        for number in range(4 if name == "one" else 1):
            id_ = store.runs.start(feed.id, "tester", f"2026-03-0{number + 1}T00:00:00Z")
            if name != "three":
                store.runs.finish(id_, Outcome.APPLIED, "", RunCounts(added=number, listed=10 + number))
    found: dict[str, list[statistics.RunMark]] = {}

    def asking() -> None:
        found.update(Statistics(store).recent_runs(["one", "three", "unknown"], 2))

    assert len(statements_of(store, asking)) == 1
    plan = plan_of(store, asking)
    assert [(mark.started_at, mark.outcome, mark.added, mark.listed) for mark in found["one"]] == [
        ("2026-03-03T00:00:00Z", "applied", 2, 12),
        ("2026-03-04T00:00:00Z", "applied", 3, 13),
    ]
    assert [mark.outcome for mark in found["three"]] == [None]
    assert found["unknown"] == []
    assert any("runs_feed (feed_id=?)" in step for step in plan)
    assert scans(plan, "runs") == []
