"""What the service publishes after small changes: compiled above a base, and the same as if it were compiled whole."""

from __future__ import annotations

import contextlib
import random
import sqlite3
from pathlib import Path

import pytest

from blocklist import Snapshot
from blocklist.config.settings import PolicySettings
from blocklist.daemon.scheduler import Scheduler
from blocklist.domain.clock import now
from blocklist.domain.verdict import OverrideAction
from blocklist.service import Service
from blocklist.snapshot.compile import delta
from tests.support import Clock, definition, settings_for

HOSTS = [f"{label}{site}.example" for site in ("p", "q", "r") for label in ("", "www.", "a.")]
ENTRIES = [*HOSTS, *(f"{host}/x" for host in HOSTS), *(f"{host}/x?v=1" for host in HOSTS), "93.184.215.14/film"]
TARGETS = [*ENTRIES, *(f"http://b.{host}/x/y?v=1&w" for host in HOSTS), "http://93.184.215.14/film", "93.184.215.14"]


@pytest.fixture(autouse=True)
def small_snapshots_get_deltas_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delta, "MIN_RULES", 0)
    monkeypatch.setattr("blocklist.service.publishing.max_changed_rules", lambda _: 1_000)


def whole(service: Service, folder: Path) -> Snapshot:
    """Return the snapshot that a service which has the same database and no snapshot yet compiles."""
    folder.mkdir()
    with (
        contextlib.closing(sqlite3.connect(service.store.database.path)) as database,
        contextlib.closing(sqlite3.connect(folder / "blocklist.db")) as copy,
    ):
        database.backup(copy)
    other = Service(service.settings.model_copy(update={"data_dir": folder}))
    other.publisher.publish(force=True)
    snapshot = other.snapshots.current()
    other.close()
    return snapshot


def write(folder: Path, feed: str, *entries: str) -> None:
    (folder / f"{feed}.txt").write_text("\n".join([*entries, "stays.example"]) + "\n")


def add(service: Service, folder: Path, feed: str, *entries: str) -> None:
    write(folder, feed, *entries)
    guards = {"max_removed": 1, "max_growth": 1000}
    service.feeds.add(definition(feed, source={"file": str(folder / f"{feed}.txt")}, guards=guards), "tester")
    service.runs.refresh(feed, "tester")


def step(service: Service, folder: Path, rng: random.Random) -> None:
    """Change something, as an admin or a publisher would."""
    feeds = [feed.name for feed in service.store.feeds.all()]
    what = rng.choice(["list", "list", "list", "override", "override", "end", "feed", "describe"])
    if what == "list":
        feed = rng.choice(feeds)
        write(folder, feed, *rng.sample(ENTRIES, rng.randrange(12)))
        service.runs.refresh(feed, "tester")
    elif what == "override":
        service.overrides.add(rng.choice(list(OverrideAction)), rng.choice(ENTRIES), "why", "tester")
    elif what == "end":
        for item in service.store.overrides.all()[:1]:
            service.overrides.remove(item.id, "tester")
    elif what == "feed" and len(feeds) > 1:
        service.feeds.remove(rng.choice(feeds), "tester")
    elif what == "feed":
        add(service, folder, f"feed-{rng.randrange(10**6)}", *rng.sample(ENTRIES, 5))
    else:
        title = f"Title {rng.randrange(100)}"
        service.feeds.edit(feeds[0], lambda known: known.model_copy(update={"title": title}), "tester")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_after_any_sequence_of_changes_the_snapshot_is_what_a_whole_one_would_be(
    service: Service, tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    service.settings.policies["all"] = PolicySettings()
    add(service, tmp_path, "one", *rng.sample(ENTRIES, 8))
    add(service, tmp_path, "two", *rng.sample(ENTRIES, 8))
    bases = set()
    for number in range(12):
        step(service, tmp_path, rng)
        snapshot, rebuilt = service.snapshots.current(), whole(service, tmp_path / f"whole-{number}")
        snapshot.verify()
        bases.add((snapshot.base_version, snapshot.base_version < snapshot.version))
        assert (snapshot.rules, snapshot.listings) == (rebuilt.rules, rebuilt.listings)
        for target in TARGETS:
            for policy in ("default", "all"):
                for explain in (False, True):
                    said = snapshot.lookup(target, policy, explain=explain)
                    expected = rebuilt.lookup(target, policy, explain=explain)._replace(version=snapshot.version)
                    assert said == expected, (target, policy)
    assert any(above for _, above in bases), "nothing was compiled above a base"
    assert len({version for version, _ in bases}) < 9, "nearly everything was compiled whole"


def test_a_small_change_is_compiled_above_the_base_and_build_compiles_whole(service: Service, tmp_path: Path) -> None:
    add(service, tmp_path, "court", "a.example", "b.example")
    service.overrides.add(OverrideAction.BLOCK, "c.example", "why", "tester")
    changed = service.snapshots.current()
    assert (changed.version, changed.base_version, changed.changed_keys) == (2, 1, 1)
    service.publisher.publish(force=True)
    built = service.snapshots.current()
    assert (built.version, built.base_version, built.changed_keys) == (3, 3, 0)
    assert built.lookup("c.example").override is OverrideAction.BLOCK


def test_many_changes_are_compiled_whole(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blocklist.service.publishing.max_changed_rules", delta.max_changed_rules)
    sites = [f"site-{number}.example" for number in range(40)]
    add(service, tmp_path, "court", *sites)
    write(tmp_path, "court", *sites[2:])
    service.runs.refresh("court", "tester")
    assert service.snapshots.current().base_version == 1
    write(tmp_path, "court", *sites[5:])
    service.runs.refresh("court", "tester")
    assert service.snapshots.current().base_version == 3
    assert not service.snapshots.current().lookup("site-4.example").listed


def test_a_listing_that_ended_by_a_clock_set_back_is_noticed(
    service: Service, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(service, tmp_path, "court", "a.example", "b.example")
    clock.move_to("2020-01-01T00:00:00Z")
    # As a version did that took the time as it was.
    monkeypatch.setattr(service.store.feeds, "next_moment", lambda _: now())
    write(tmp_path, "court", "b.example")
    service.runs.refresh("court", "tester")
    snapshot = service.snapshots.current()
    assert snapshot.base_version == snapshot.version
    assert not snapshot.lookup("a.example").listed


def test_a_restored_database_is_not_compiled_above_what_it_does_not_know(service: Service, tmp_path: Path) -> None:
    add(service, tmp_path, "court", "a.example")
    with service.store.database.transaction():
        service.store.database.execute("UPDATE snapshots SET sha256 = 'of another database'")
    service.publisher.publish()
    snapshot = service.snapshots.current()
    assert (snapshot.version, snapshot.base_version) == (2, 2)


def test_a_base_that_was_damaged_is_not_copied(service: Service, tmp_path: Path) -> None:
    add(service, tmp_path, "court", "a.example")
    path = service.snapshots.folder / service.publisher.publish().file
    data = bytearray(path.read_bytes())
    data[-40] ^= 1
    path.unlink()
    path.write_bytes(data)
    with service.store.database.transaction():
        service.store.snapshots.contents_changed()
    service.publisher.publish()
    snapshot = service.snapshots.current()
    snapshot.verify()
    assert snapshot.base_version == snapshot.version == 2


def test_a_damaged_snapshot_is_built_again_from_the_database_by_the_schedule(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "data")
    service = Service(settings)
    add(service, tmp_path, "a", "pirate.example")
    before = service.snapshots.pointer()
    service.close()
    path = settings.data_dir / "snapshots" / before.file
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)

    again = Service(settings)
    assert again.publisher.is_behind()
    assert "its checksum does not match" in again.publisher.damage
    Scheduler(again).tick()
    assert again.snapshots.pointer().version == before.version + 1
    assert again.snapshots.verify().lookup("pirate.example").listed
    assert again.publisher.damage == ""
    again.close()


def test_no_version_is_given_twice_after_the_pointer_was_lost(service: Service, tmp_path: Path) -> None:
    add(service, tmp_path, "a", "pirate.example")
    service.snapshots.build("tester")
    folder = service.snapshots.folder
    (folder / "00000041-0123456789abcdef.snapshot").write_bytes(b"of a version that no database remembers")
    (folder / "current.json").write_text("{")
    assert service.publisher.publish().version == 42
