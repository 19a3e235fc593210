"""A mirror: what it takes, what it refuses, what it remembers, and what it tells."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from blocklist import Follower
from blocklist.distribution import mirror as module
from blocklist.distribution.mirror import Mirror
from blocklist.distribution.sources import open_source
from blocklist.domain.clock import now
from blocklist.domain.errors import DistributionError
from tests.distribution.s3 import S3
from tests.distribution.signed import Publishing
from tests.support import Clock

NEW = [f"new-{number}.example" for number in range(40)]


def mirror_of(publishing: Publishing, cache: Path, root: bytes | None = None) -> Mirror:
    source = open_source(publishing.address.url, publishing.address.options)
    return Mirror(source, root or publishing.root, cache, 300)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def served(cache: Path) -> Follower:
    return Follower(cache / "snapshots", 86_400)


def test_a_new_mirror_takes_the_list_and_a_follower_serves_it(publishing: Publishing, cache: Path) -> None:
    publishing.publish(*NEW[:1])
    assert mirror_of(publishing, cache).poll()
    follower = served(cache)
    assert follower.snapshot is not None
    assert follower.snapshot.lookup(NEW[0]).listed
    assert follower.snapshot.version == 1


def test_a_change_arrives_as_a_delta_and_the_base_is_fetched_once(publishing: Publishing, cache: Path) -> None:
    publishing.publish()
    mirror = mirror_of(publishing, cache)
    mirror.poll()
    before = mirror._source.bytes
    for number in (10, 20, 30):
        pointer = publishing.publish(*NEW[:number])
        mirror.poll()
        mine = mirror.repository.pointer()
        assert mine is not None
        assert (mine.file, mine.sha256) == (pointer.file, pointer.sha256)
    assert (mirror.wholes, mirror.deltas) == (1, 3)
    assert mirror._source.bytes - before < (publishing.snapshots.folder / pointer.file).stat().st_size
    follower = served(cache)
    assert follower.snapshot is not None
    assert follower.snapshot.lookup(NEW[29]).listed


def test_versions_that_were_missed_do_not_matter(publishing: Publishing, cache: Path) -> None:
    publishing.publish()
    mirror_of(publishing, cache).poll()
    for number in range(1, 5):
        publishing.publish(*NEW[:number])
    mirror = mirror_of(publishing, cache)
    mirror.poll()
    assert (mirror.deltas, mirror.wholes) == (1, 0)
    publishing.publish(*NEW, whole=True)
    mirror.poll()
    assert (mirror.deltas, mirror.wholes) == (1, 1)
    assert len(list((cache / "base").iterdir())) == 1


def test_an_unchanged_timestamp_costs_one_request_and_no_check(publishing: Publishing, cache: Path) -> None:
    publishing.publish()
    mirror = mirror_of(publishing, cache)
    mirror.poll()
    before = (mirror._source.requests, mirror._source.bytes)
    for _ in range(5):
        assert not mirror.poll()
    assert (mirror._source.requests, mirror._source.bytes) == (before[0] + 5, before[1])


def test_a_new_signature_alone_costs_two_requests_and_tells_when_the_list_was_confirmed(
    publishing: Publishing, cache: Path, clock: Clock
) -> None:
    publishing.publish()
    mirror = mirror_of(publishing, cache)
    mirror.poll()
    clock.advance(300)
    publishing.snapshots.confirm(now())
    publishing.send()
    before = mirror._source.requests
    assert mirror.poll()
    # The timestamp, and the next root, which there is none of.
    assert mirror._source.requests == before + 2
    pointer = mirror.repository.pointer()
    assert pointer is not None
    assert pointer.confirmed_at == now()


def test_a_confirmation_from_the_future_makes_no_list_fresh_for_longer(publishing: Publishing, cache: Path) -> None:
    publishing.publish(confirmed_at="2099-01-01T00:00:00Z")
    mirror = mirror_of(publishing, cache)
    mirror.poll()
    pointer = mirror.repository.pointer()
    assert pointer is not None
    assert pointer.confirmed_at <= now()


def replayed(publishing: Publishing, cache: Path, name: str) -> str:
    """Publish, keep an old object, publish again, let a mirror see it, put the old back; return what a mirror says."""
    publishing.publish()
    path = publishing.store / "metadata" / name
    old = path.read_bytes()
    publishing.publish(*NEW)
    mirror_of(publishing, cache).poll()
    path.write_bytes(old)
    with pytest.raises(DistributionError) as caught:
        mirror_of(publishing, cache).poll()
    return str(caught.value)


def test_an_older_timestamp_is_refused_although_its_signature_is_good_and_after_a_restart_too(
    publishing: Publishing, cache: Path
) -> None:
    said = replayed(publishing, cache, "timestamp.json")
    assert "older metadata than was seen before" in said
    follower = served(cache)
    assert follower.snapshot is not None
    assert follower.snapshot.version == 2


def test_a_list_that_is_held_back_is_told_once_its_signature_expires(
    publishing: Publishing, cache: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    publishing.publish()
    mirror = mirror_of(publishing, cache)
    mirror.poll()
    clock.advance(901)
    monkeypatch.setattr(mirror, "_look_after", 0.0)
    with pytest.raises(DistributionError, match=r"timestamp.json is expired, by this machine's clock .* withheld"):
        mirror.poll()
    publishing.send()
    assert mirror.poll()


def test_a_version_that_is_not_newer_is_refused_even_if_the_online_key_signs_it(
    publishing: Publishing, tmp_path: Path, cache: Path, clock: Clock
) -> None:
    for number in range(1, 4):
        publishing.publish(*NEW[:number])
    mirror_of(publishing, cache).poll()
    clock.advance(60)
    thief = Publishing(tmp_path / "thief", publishing.address)
    thief.folder.mkdir()
    shutil.copy(publishing.folder / "online.pem", thief.folder)
    shutil.copytree(publishing.folder / "trust", thief.folder / "trust")
    shutil.rmtree(publishing.store)
    thief.publish()
    with pytest.raises(DistributionError, match="version 1 is not newer than version 3"):
        mirror_of(publishing, cache).poll()


def test_another_trust_root_is_refused(publishing: Publishing, tmp_path: Path, cache: Path) -> None:
    publishing.publish()
    other = Publishing.begun(tmp_path / "other")
    with pytest.raises(DistributionError):
        mirror_of(publishing, cache, other.root).poll()
    assert served(cache).snapshot is None


def test_a_node_that_knows_the_first_root_follows_every_rotation(publishing: Publishing, cache: Path) -> None:
    publishing.publish()
    mirror = mirror_of(publishing, cache)
    mirror.poll()
    signed_with = [f"file:{publishing.folder / f'{name}.pem'}" for name in ("root", "targets")]
    for number in range(3):
        (old,) = publishing.trust.current().online_keys
        key = f"next-{number}"
        publishing.ceremony.rotate(
            "online", [f"file:{publishing.folder / f'{key}.pem'}"], [old.keyid], None, signed_with
        )
        pointer = publishing.compile(*NEW[: number + 1])
        publishing.repository(key).send(pointer, publishing.snapshots.folder / pointer.file)
        mirror.poll()
        assert mirror.seen is not None
        assert (mirror.seen.root, mirror.seen.state.version) == (number + 2, pointer.version)
    new = mirror_of(publishing, cache.with_name("new"))
    new.poll()
    assert new.seen == mirror.seen


def test_a_key_that_was_taken_out_of_use_signs_nothing_any_more(publishing: Publishing, cache: Path) -> None:
    publishing.publish()
    mirror = mirror_of(publishing, cache)
    mirror.poll()
    before = {path.name: path.read_bytes() for path in (publishing.store / "metadata").iterdir()}
    (old,) = publishing.trust.current().online_keys
    signed_with = [f"file:{publishing.folder / f'{name}.pem'}" for name in ("root", "targets")]
    publishing.ceremony.rotate("online", [f"file:{publishing.folder / 'next.pem'}"], [old.keyid], None, signed_with)
    pointer = publishing.compile(*NEW)
    publishing.repository("next").send(pointer, publishing.snapshots.folder / pointer.file)
    mirror.poll()
    (publishing.store / "metadata" / "timestamp.json").write_bytes(before["timestamp.json"])
    with pytest.raises(DistributionError):
        mirror.poll()


@pytest.mark.parametrize("stage", ["download", "apply", "adopt", "point", "prune"])
def test_a_kill_at_any_stage_leaves_the_old_list_or_the_new_and_the_next_start_takes_the_new(
    publishing: Publishing, cache: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: Any, **__: Any) -> Any:
        raise Killed

    publishing.publish()
    mirror_of(publishing, cache).poll()
    publishing.publish(*NEW)
    mirror = mirror_of(publishing, cache)
    targets: dict[str, tuple[object, str]] = {
        "download": (module, "_fetched"),
        "apply": (module, "apply_delta"),
        "adopt": (mirror.repository, "adopt"),
        "point": (mirror.repository, "_point"),
        "prune": (mirror.repository, "prune"),
    }
    with monkeypatch.context() as patch:
        patch.setattr(*targets[stage], die)
        with pytest.raises(Killed):
            mirror.poll()
    follower = served(cache)
    assert follower.snapshot is not None
    follower.snapshot.verify()
    assert follower.snapshot.version == (2 if stage == "prune" else 1)
    mirror_of(publishing, cache).poll()
    follower.poll()
    assert follower.snapshot.version == 2
    assert not list(cache.rglob("*.part"))


def test_a_snapshot_that_was_damaged_on_disk_is_fetched_again_at_the_next_start(
    publishing: Publishing, cache: Path
) -> None:
    pointer = publishing.publish()
    mirror_of(publishing, cache).poll()
    path = cache / "snapshots" / pointer.file
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    # The base is another name of the same file.
    path.write_bytes(data)
    mirror_of(publishing, cache).poll()
    follower = served(cache)
    assert follower.snapshot is not None
    follower.snapshot.verify()


def test_a_day_without_a_control_plane_changes_no_verdict_and_later_versions_are_taken_at_once(
    publishing: Publishing, cache: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    publishing.publish(*NEW[:3], confirmed_at=now())
    mirror = mirror_of(publishing, cache)
    mirror.poll()
    follower = Follower(cache / "snapshots", 43_200)
    away = publishing.store.with_name("away")
    publishing.store.rename(away)
    failures = set()
    for hour in range(24):
        clock.advance(3_600)
        monkeypatch.setattr(mirror, "_look_after", 0.0)
        with pytest.raises(DistributionError) as caught:
            mirror.poll()
        failures.add(str(caught.value))
        follower.poll()
        assert follower.snapshot is not None
        assert follower.snapshot.lookup(NEW[0]).listed
        assert not follower.snapshot.lookup(NEW[5]).listed
        assert follower.stale == (hour >= 12)
    assert failures == {
        f"file://{publishing.store}: there is no metadata/timestamp.json: nothing was published there yet"
    }
    shutil.rmtree(publishing.store, ignore_errors=True)
    away.rename(publishing.store)
    publishing.publish(*NEW, confirmed_at=now())
    assert mirror.poll()
    follower.poll()
    assert follower.snapshot is not None
    assert follower.snapshot.lookup(NEW[5]).listed
    assert not follower.stale


@pytest.mark.parametrize(("seconds", "told"), [(3_600, "expired"), (-3_600, "60 minutes from now")])
def test_a_clock_that_is_an_hour_off_is_told_in_a_sentence(
    publishing: Publishing, cache: Path, clock: Clock, seconds: float, told: str
) -> None:
    publishing.publish()
    clock.advance(seconds)
    mirror = mirror_of(publishing, cache)
    if seconds > 0:
        with pytest.raises(DistributionError) as caught:
            mirror.poll()
        assert told in str(caught.value)
        assert "this machine's clock is wrong" in str(caught.value)
    else:
        mirror.poll()
        assert mirror.seen is not None
        assert told in mirror.seen.warning


def test_a_snapshot_of_a_format_that_this_version_cannot_read_is_refused_and_the_old_list_serves(
    publishing: Publishing, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publishing.publish()
    mirror = mirror_of(publishing, cache)
    mirror.poll()
    publishing.publish(*NEW, whole=True)
    monkeypatch.setattr("blocklist.snapshot.format.container.FORMAT", 2)
    with pytest.raises(DistributionError, match="upgrade blocklist on this machine"):
        mirror.poll()
    pointer = mirror.repository.pointer()
    assert pointer is not None
    assert pointer.version == 1


def test_s3_is_followed_like_a_folder_and_an_outage_is_survived(
    s3: S3, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blocklist.distribution.objects._RETRY", {"max_retries": 0})
    publishing = Publishing.begun(tmp_path / "control", s3.bucket("followed"), **s3.options)
    publishing.publish()
    mirror = mirror_of(publishing, cache)
    mirror.poll()
    assert not mirror.poll()
    s3.stop()
    publishing.compile(*NEW)
    for call in (publishing.send, mirror.poll):
        with pytest.raises(DistributionError, match="it cannot be reached"):
            call()
    follower = served(cache)
    assert follower.snapshot is not None
    assert follower.snapshot.version == 1
    s3.start()
    publishing.send()
    mirror.poll()
    follower.poll()
    assert follower.snapshot.version == 2
    assert (mirror.wholes, mirror.deltas) == (1, 1)


def test_a_folder_that_is_not_there_yet_is_told_not_created_and_read_once_it_is(
    publishing: Publishing, cache: Path
) -> None:
    mirror = mirror_of(publishing, cache)
    with pytest.raises(DistributionError, match="cannot be opened: there is no such folder"):
        mirror.poll()
    assert not publishing.store.exists()
    publishing.publish()
    assert mirror.poll()


def test_a_cache_that_cannot_be_written_is_told(publishing: Publishing, tmp_path: Path) -> None:
    publishing.publish()
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DistributionError, match="the folder of the mirror cannot be used"):
        mirror_of(publishing, tmp_path / "file").poll()
