"""Refreshes that go on while whoever asked has the answer already."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from blocklist.domain.errors import BusyError, ConflictError, NotFoundError, StoreError
from blocklist.domain.run import Outcome
from blocklist.fetch import fetch
from blocklist.service import Service
from tests.e2e.running import wait_for
from tests.support import definition, settings_for


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    body = tmp_path / "list.txt"
    body.write_text("pirate.example\n")
    service = Service(settings_for(tmp_path / "data"))
    service.feeds.add(definition(source={"file": str(body)}), "test")
    yield service
    service.close()


@pytest.fixture
def goes_on(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """No run gets its body before this is set."""
    event = threading.Event()

    def waits(*arguments: Any) -> Any:
        assert event.wait(20)
        return fetch(*arguments)

    monkeypatch.setattr("blocklist.refresh.run.fetch", waits)
    yield event
    event.set()


def open_files(path: Path) -> int:
    """Return how often this process has a file open."""
    links = Path("/proc/self/fd").iterdir()
    return sum(link.is_symlink() and os.path.realpath(link) == str(path) for link in links)


def test_the_run_is_returned_as_it_begins_and_ends_by_itself(service: Service, goes_on: threading.Event) -> None:
    ended = threading.Event()
    run = service.background.refresh("court", "test", then=ended.set)
    assert run.outcome is None
    assert service.background.refresh("court", "test").id == run.id
    with pytest.raises(ConflictError, match="being refreshed"):
        service.background.refresh("court", "test", file=Path("/nowhere"))
    goes_on.set()
    assert ended.wait(20)
    assert service.store.runs.get(run.id).outcome is Outcome.APPLIED


def test_what_keeps_a_run_from_beginning_is_told_and_what_it_brought_is_let_go(service: Service) -> None:
    ended: list[str] = []
    with pytest.raises(NotFoundError):
        service.background.refresh("nobody", "test", then=lambda: ended.append("unknown"))
    with pytest.raises(ConflictError), service.refresher.locked("court"):
        service.background.refresh("court", "test", file=Path("/nowhere"), then=lambda: ended.append("locked"))
    wait_for(lambda: ended == ["unknown", "locked"])


def test_no_more_go_on_than_there_are_places(service: Service, goes_on: threading.Event) -> None:
    names = [f"feed-{number}" for number in range(64)]
    for name in names:
        service.feeds.add(definition(name, source={"file": "/nowhere"}), "test")
    ended: list[str] = []
    for name in names:
        service.background.refresh(name, "test", then=partial(ended.append, name))
    with pytest.raises(BusyError, match="64 refreshes are under way already"):
        service.background.refresh("court", "test", then=lambda: ended.append("busy"))
    assert ended == ["busy"]
    goes_on.set()
    wait_for(lambda: len(ended) == 65)
    assert service.background.refresh("court", "test").feed == "court"


def test_a_fault_after_the_run_is_logged_and_spoils_nothing(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(**_: Any) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(service.publisher, "publish", full)
    ended = threading.Event()
    run = service.background.refresh("court", "test", then=ended.set)
    assert ended.wait(20)
    assert service.store.runs.get(run.id).outcome is Outcome.APPLIED
    assert "the disk is full" in capsys.readouterr().out


def test_a_thread_that_ends_leaves_no_connection_behind(service: Service) -> None:
    # Each connection opens its own; SQLite keeps descriptors of the database itself for the next connection.
    log = service.store.database.path.with_suffix(".db-wal").resolve()
    before = open_files(log)
    assert before > 0
    for _ in range(5):
        ended = threading.Event()
        service.background.refresh("court", "test", then=ended.set)
        assert ended.wait(20)
    wait_for(lambda: open_files(log) == before)
