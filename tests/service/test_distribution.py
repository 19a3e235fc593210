"""How the service sends signed snapshots: after publishing, again after a failure, and what it tells people."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from blocklist.config.notifications import Event
from blocklist.domain.access import Role
from blocklist.domain.errors import ConfigurationError
from blocklist.domain.verdict import OverrideAction
from blocklist.service import Service
from blocklist.service import distribution as module
from blocklist.snapshot.follower import Follower
from blocklist.web.app import create_app
from tests.distribution.signed import Publishing
from tests.support import Clock, definition, session_client, settings_for


@pytest.fixture
def publishing(tmp_path: Path) -> Publishing:
    return Publishing.begun(tmp_path / "data")


@pytest.fixture
def service(publishing: Publishing) -> Iterator[Service]:
    opened = Service(publishing.settings())
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def _attempts_without_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_DELAY", 0.0)
    monkeypatch.setattr(module, "_LOOK", 0.0)


def publish(service: Service, folder: Path, *sites: str) -> None:
    path = folder / "list.txt"
    path.write_text("\n".join(["stays.example", *sites]))
    if not service.feeds.all():
        guards = {"max_growth": 1000, "max_removed": 1}
        service.feeds.add(definition("court", source={"file": str(path)}, guards=guards), "tester")
    service.runs.refresh("court", "tester")


def block_store(publishing: Publishing) -> Callable[[], None]:
    """Put a file where the store's folder of metadata belongs; return what puts the folder back."""
    metadata, away = publishing.store / "metadata", publishing.store / "away"
    metadata.rename(away)
    metadata.write_text("in the way")

    def back() -> None:
        metadata.unlink()
        away.rename(metadata)

    return back


def test_what_was_published_is_sent_at_the_next_tick(service: Service, publishing: Publishing, tmp_path: Path) -> None:
    service.distribution.tick()
    assert not publishing.store.exists()
    publish(service, tmp_path, "pirate.example")
    service.distribution.tick()
    found = publishing.look(tmp_path / "node")
    assert found.state.version == service.snapshots.pointer().version
    assert found.state.confirmed_at == service.snapshots.pointer().confirmed_at


def test_nothing_is_sent_where_no_store_is_named(tmp_path: Path) -> None:
    service = Service(settings_for(tmp_path / "data"))
    publish(service, tmp_path, "pirate.example")
    service.distribution.tick()
    assert service.distribution.status() is None
    assert list(service.distribution.conditions()) == []
    assert not (tmp_path / "data" / "distribution").exists()
    service.close()


def test_a_store_that_fails_delays_no_publication_and_gets_the_newest_when_it_is_back(
    service: Service, publishing: Publishing, tmp_path: Path
) -> None:
    publish(service, tmp_path, "pirate.example")
    service.distribution.tick()
    back = block_store(publishing)
    for number in range(3):
        publish(service, tmp_path, f"pirate-{number}.example")
        service.distribution.tick()
    status = service.distribution.status()
    assert status is not None
    assert status.unsent is not None
    assert status.waits
    assert status.unsent.attempts == 3
    back()
    service.distribution.tick()
    status = service.distribution.status()
    assert status is not None
    assert (status.unsent, status.waits) == (None, False)
    assert publishing.look(tmp_path / "node").state.version == service.snapshots.pointer().version


def test_what_cannot_be_sent_is_told_everywhere_and_so_is_that_it_is_over(
    service: Service, publishing: Publishing, tmp_path: Path
) -> None:
    publish(service, tmp_path, "pirate.example")
    service.distribution.tick()
    app = create_app(Follower(service.snapshots.folder, 86_400), service)
    client = session_client(app, service, Role.ADMIN)

    def told() -> list[bool]:
        (finding,) = [item for item in service.doctor.diagnose() if item.check == "distribution"]
        events = [condition.event for condition in service.distribution.conditions()]
        pages = "Signed snapshots cannot be sent" in client.get("/admin/").text
        return [not finding.ok, Event.SNAPSHOT_UNSENT in events, pages, metric(client, "failed_attempts") > 0]

    assert told() == [False] * 4
    back = block_store(publishing)
    publish(service, tmp_path, "pirate-2.example")
    service.distribution.tick()
    assert told() == [True] * 4
    assert (metric(client, "waiting"), metric(client, "version")) == (1, 1)
    service.notifier.update_alerts()
    assert [row["event"] for row in service.store.alerts.open()] == ["snapshot_unsent"]
    back()
    service.distribution.tick()
    assert told() == [False] * 4
    service.notifier.update_alerts()
    assert not list(service.store.alerts.open())


def metric(client: FlaskClient, name: str) -> float:
    lines = client.get("/metrics").text.splitlines()
    (line,) = [line for line in lines if line.startswith(f"blocklist_distribution_{name} ")]
    return float(line.split()[1])


def test_the_timestamp_is_signed_again_on_schedule(
    service: Service, publishing: Publishing, tmp_path: Path, clock: Clock
) -> None:
    publish(service, tmp_path, "pirate.example")
    service.distribution.tick()
    first = publishing.look(tmp_path / "node").number
    service.distribution.tick()
    assert publishing.look(tmp_path / "node").number == first
    clock.advance(301)
    service.distribution.tick()
    assert publishing.look(tmp_path / "node").number > first


def test_trust_metadata_that_expires_soon_is_told(service: Service, tmp_path: Path, clock: Clock) -> None:
    publish(service, tmp_path, "pirate.example")
    assert [item.check for item in service.doctor.diagnose() if item.check.startswith("trust") and not item.ok] == []
    clock.advance(86_400 * 340)
    bad = [item.check for item in service.doctor.diagnose() if item.check.startswith("trust") and not item.ok]
    assert bad == ["trust root", "trust targets"]
    assert {item.subject for item in service.distribution.conditions() if item.event is Event.TRUST_EXPIRES} == {
        "root",
        "targets",
    }


def test_a_control_plane_that_lost_its_data_continues_above_the_version_in_the_store(
    service: Service, publishing: Publishing, tmp_path: Path, clock: Clock
) -> None:
    for number in range(4):
        publish(service, tmp_path, f"pirate-{number}.example")
    service.distribution.tick()
    before = publishing.look(tmp_path / "node")
    lost = Publishing(tmp_path / "restored", publishing.address)
    lost.folder.mkdir()
    shutil.copy(publishing.folder / "online.pem", lost.folder)
    shutil.copytree(publishing.folder / "trust", lost.folder / "trust")
    other = Service(lost.settings())
    publish(other, tmp_path, "pirate-5.example")
    assert other.snapshots.pointer().version < before.state.version
    other.distribution.tick()
    status = other.distribution.status()
    assert status is not None
    assert status.unsent is not None
    assert "two must not publish into one place" in status.unsent.reason
    clock.advance(901)
    other.distribution.tick()
    assert publishing.look(tmp_path / "node").state.version == before.state.version + 1
    assert other.snapshots.pointer().version == before.state.version + 1
    other.close()


def test_an_override_is_sent_like_a_list(service: Service, publishing: Publishing, tmp_path: Path) -> None:
    publish(service, tmp_path, "pirate.example")
    service.distribution.tick()
    service.overrides.add(OverrideAction.BLOCK, "other.example", "a reason", "tester")
    service.distribution.tick()
    assert publishing.look(tmp_path / "node").state.version == service.snapshots.pointer().version


def test_no_private_key_is_in_what_the_service_keeps_or_tells(
    service: Service, publishing: Publishing, tmp_path: Path
) -> None:
    publish(service, tmp_path, "pirate.example")
    service.distribution.tick()
    secret = (publishing.folder / "online.pem").read_text("utf-8").splitlines()[1].encode()
    kept = [path for path in publishing.folder.rglob("*") if path.is_file() and path.suffix != ".pem"]
    assert len(kept) > 10
    assert [path for path in kept if secret in path.read_bytes()] == []
    assert secret.decode() not in json.dumps(service.settings.shown())
    assert service.settings.shown()["distribution"]["online_key"] == "***"


def test_a_missing_library_is_told_when_the_service_is_opened(
    publishing: Publishing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None if name == "tuf" else object())
    with pytest.raises(ConfigurationError, match=r"need tuf: pip install 'blocklist\[distribution\]'"):
        Service(publishing.settings())
