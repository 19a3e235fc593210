"""Refreshes that go on while whoever asked has the answer already."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from blocklist.errors import BusyError, ConflictError, NotFoundError, StoreError
from blocklist.service import Service
from blocklist.vocabulary import Outcome
from tests.support import definition, settings_for


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    body = tmp_path / "list.txt"
    body.write_text("pirate.example\n")
    service = Service(settings_for(tmp_path / "data"))
    service.add_feed(definition(source={"file": str(body)}), "test")
    yield service
    service.close()


def wait(service: Service) -> None:
    for thread in tuple(service._under_way):
        thread.join()


def test_the_run_is_returned_as_it_begins_and_ends_by_itself(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = threading.Event()
    read = service.refresher._stages
    monkeypatch.setattr(service.refresher, "_stages", lambda *given: (goes_on.wait(10), read(*given)))
    run = service.start_refresh("court", "test")
    assert run.outcome is None
    assert service.start_refresh("court", "test").id == run.id
    with pytest.raises(ConflictError, match="being refreshed"):
        service.start_refresh("court", "test", file=Path("/nowhere"))
    goes_on.set()
    wait(service)
    assert service.store.runs.get(run.id).outcome is Outcome.APPLIED


def test_what_keeps_a_run_from_beginning_is_told_and_what_it_brought_is_let_go(service: Service) -> None:
    ended: list[str] = []
    with pytest.raises(NotFoundError):
        service.start_refresh("nobody", "test", then=lambda: ended.append("unknown"))
    with pytest.raises(ConflictError), service.refresher.locked("court"):
        service.start_refresh("court", "test", file=Path("/nowhere"), then=lambda: ended.append("locked"))
    wait(service)
    assert ended == ["unknown", "locked"]


def test_no_more_go_on_than_there_are_places(service: Service) -> None:
    places = [service._places.acquire(blocking=False) for _ in range(100)]
    ended: list[str] = []
    with pytest.raises(BusyError, match="under way already"):
        service.start_refresh("court", "test", then=lambda: ended.append("busy"))
    assert ended == ["busy"]
    for taken in places:
        if taken:
            service._places.release()
    assert service.start_refresh("court", "test").feed == "court"


def test_a_fault_after_the_run_is_logged_and_spoils_nothing(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(**_: Any) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(service, "publish", full)
    run = service.start_refresh("court", "test")
    wait(service)
    assert service.store.runs.get(run.id).outcome is Outcome.APPLIED
    assert "the disk is full" in capsys.readouterr().out


def test_a_thread_that_ends_leaves_no_connection_behind(service: Service) -> None:
    before = len(service.store.database._all)
    for _ in range(5):
        service.start_refresh("court", "test")
        wait(service)
    assert len(service.store.database._all) == before
