"""The schedule: slow feeds delay no other, and an overdue feed is told of once."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from blocklist.daemon.scheduler import Scheduler
from blocklist.definitions.source import Source
from blocklist.domain.errors import StoreError
from blocklist.domain.run import Outcome
from blocklist.fetch import fetch
from blocklist.service import Service
from blocklist.snapshot.repository import SnapshotRepository
from blocklist.status.feed_status import feed_rows
from tests.e2e.running import wait_for
from tests.support import definition


def _feed(service: Service, name: str, folder: Path) -> None:
    path = folder / f"{name}.txt"
    path.write_text(f"pirate-of-{name}.example\n")
    service.feeds.add(definition(name, source={"file": str(path)}), "tester")


def test_feeds_whose_publishers_are_slow_delay_no_other(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More slow feeds than may be read at a time, due before the quick one."""
    answered = threading.Event()

    def slow(source: Source, *arguments: Any) -> Any:
        if "slow" in str(source.file):
            assert answered.wait(20)
        return fetch(source, *arguments)

    monkeypatch.setattr("blocklist.refresh.run.fetch", slow)
    names = [f"slow-{number}" for number in range(service.settings.refresh.concurrent + 2)]
    for name in [*names, "quick"]:
        _feed(service, name, tmp_path)
    scheduler = Scheduler(service)
    scheduler.start()
    try:
        wait_for(lambda: service.store.feeds.get("quick").last_success is not None)
        assert all(service.store.feeds.get(name).last_success is None for name in names)
    finally:
        answered.set()
        wait_for(lambda: all(service.store.feeds.get(name).last_success for name in names))
        scheduler.stop(wait=True)


def test_a_run_that_cannot_be_published_is_not_called_one_that_never_began(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> Any:
        raise StoreError("the disk is full")

    monkeypatch.setattr(service.publisher.repository, "publish", full)
    _feed(service, "court", tmp_path)
    scheduler = Scheduler(service)
    with capture_logs() as logs:
        scheduler.start()
        wait_for(lambda: any("published" in line["event"] for line in logs))
        scheduler.stop(wait=True)
    (run,) = service.store.runs.all()
    told = [line for line in logs if line.get("feed") == "court" and line["log_level"] in ("warning", "error")]
    assert [(line["event"], line["run"], line["reason"]) for line in told] == [
        ("run recorded, snapshot not published", run.id, "the disk is full")
    ]


def test_a_feed_that_becomes_stale_is_told_of_once_and_again_when_it_has_caught_up(
    service: Service, tmp_path: Path
) -> None:
    _feed(service, "court", tmp_path)
    assert service.runs.refresh("court", "tester").outcome is Outcome.APPLIED
    with service.store.database.transaction():
        service.store.database.execute("UPDATE feeds SET last_success = '2020-01-01T00:00:00Z'")
    scheduler = Scheduler(service)
    with capture_logs() as logs:
        scheduler.tick()
        scheduler.tick()
        (row,) = feed_rows(service.store)
        assert (row["state"], row["last_outcome"]) == ("stale", "applied")
        service.runs.refresh("court", "tester")
        scheduler.tick()
    assert [line["event"] for line in logs if "stale" in line["event"]] == ["feed stale", "feed no longer stale"]


def test_a_current_snapshot_is_opened_once_however_often_the_schedule_asks(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _feed(service, "court", tmp_path)
    service.runs.refresh("court", "tester")
    assert not service.publisher.is_behind()
    opened: list[object] = []
    monkeypatch.setattr(SnapshotRepository, "open", lambda *given: opened.append(given))
    assert not service.publisher.is_behind()
    assert opened == []
    monkeypatch.undo()
    next((service.snapshots.folder).glob("*.snapshot")).unlink()
    assert service.publisher.is_behind()
