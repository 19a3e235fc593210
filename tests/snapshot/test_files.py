"""Snapshot files: the bytes, what is refused, publishing and following."""

from __future__ import annotations

import hashlib
import json
import pickle
import random
import time
from pathlib import Path
from typing import BinaryIO

import pytest

from blocklist import Snapshot
from blocklist.domain.errors import SnapshotError, StoreError
from blocklist.domain.listing import Rule, RuleKind, Scope
from blocklist.domain.verdict import OverrideAction, Policy
from blocklist.snapshot.compile.compiler import Compiler
from blocklist.snapshot.follower import Follower
from blocklist.snapshot.format.layout import FORMAT, HEADER, MAGIC, TRAILER_BYTES
from blocklist.snapshot.pointer import Pointer
from blocklist.snapshot.reader import same_policies
from blocklist.snapshot.repository import SnapshotRepository
from tests.support import DEFAULT_POLICY, EVERYTHING, SOME_DAY, compiled, listed, override, rule, source

#: The hash of :func:`small`. If its test fails, the bytes of snapshots have changed. If nodes of the released version
#: cannot read the new bytes, raise ``FORMAT`` in blocklist/snapshot/format/layout.py: they then refuse new snapshots
#: and keep the one they have. After that, or if only a newer marisa-trie writes other bytes, put the new hash here.
SMALL_SHA256 = "23aa6c254c6596036c745358f4ff18d6db929b8bf3a83dd556e62cbac453875c"


def small() -> bytes:
    """Return a snapshot with one of everything."""
    rows = [
        listed(rule("pirate.example")),
        listed(rule("films.example"), 2, "www.films.example", "R-1", "Art. 1", "2026-01-01", "Court A", "IT"),
        listed(rule("video.example/watch?v=1"), 2),
        listed(rule("93.184.215.14"), 1),
        listed(Rule(RuleKind.APP, "com.Pirate.App", Scope.EXACT), 1),
    ]
    overrides = [override(1, OverrideAction.ALLOW, rule("good.example"), "2999-01-01T00:00:00Z")]
    return compiled(rows, overrides, feeds={1: source("court"), 2: source("other")}, version=3)


def compiler(*hosts: str) -> Compiler:
    made = Compiler({1: source()}, [DEFAULT_POLICY])
    made.add_listings(listed(rule(host), reference="R") for host in hosts)
    return made


def published(folder: Path, version: int, *hosts: str) -> Pointer:
    return SnapshotRepository(folder).publish(compiler(*hosts), version, SOME_DAY, version)


def test_the_bytes_of_a_snapshot_are_pinned() -> None:
    data = small()
    assert data.startswith(MAGIC)
    assert hashlib.sha256(data).hexdigest() == SMALL_SHA256, (
        "the bytes of a snapshot changed: see the comment at SMALL_SHA256 for what to do"
    )


def test_the_same_contents_give_the_same_bytes() -> None:
    assert small() == small()


def test_a_snapshot_carries_the_checksum_of_its_own_bytes() -> None:
    data = small()
    assert data[-TRAILER_BYTES:] == hashlib.sha256(data[:-TRAILER_BYTES]).digest()


def test_a_snapshot_read_from_its_file_answers_as_compiled(tmp_path: Path) -> None:
    path = tmp_path / "small.snapshot"
    path.write_bytes(small())
    snapshot = Snapshot.open(str(path))
    snapshot.verify()
    assert (snapshot.version, snapshot.rules, snapshot.listings) == (3, 5, 5)
    assert snapshot.lookup("www.films.example", explain=True).listings[0]["reference"] == "R-1"
    assert snapshot.lookup("http://video.example/watch?v=1").listed
    assert snapshot.lookup("93.184.215.14").listed
    assert snapshot.lookup_app("com.Pirate.App").listed
    assert same_policies(snapshot, [DEFAULT_POLICY, EVERYTHING])
    assert not same_policies(snapshot, [DEFAULT_POLICY])
    assert not same_policies(snapshot, [DEFAULT_POLICY, Policy("everything", min_authorities=2)])


def test_no_single_flipped_bit_is_opened(tmp_path: Path) -> None:
    data, path = small(), tmp_path / "small.snapshot"
    for position in random.Random(7).sample(range(8 * len(data)), 200):
        flipped = bytearray(data)
        flipped[position // 8] ^= 1 << position % 8
        path.write_bytes(flipped)
        with pytest.raises(SnapshotError):
            Snapshot.open(path)


def test_a_caller_that_verifies_itself_can_open_without_verifying(tmp_path: Path) -> None:
    data, path = bytearray(small()), tmp_path / "small.snapshot"
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(SnapshotError, match="damaged: its checksum does not match"):
        Snapshot.open(path)
    with pytest.raises(SnapshotError, match="damaged: its checksum does not match"):
        Snapshot.open(path, verify=False).verify()


def test_a_snapshot_pickles_to_its_path(tmp_path: Path) -> None:
    path = tmp_path / "small.snapshot"
    path.write_bytes(small())
    pickled = pickle.dumps(Snapshot.open(path))
    assert len(pickled) < 500
    assert pickle.loads(pickled).lookup("pirate.example").listed


def test_a_file_that_is_no_snapshot_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.snapshot"
    with pytest.raises(SnapshotError, match="not a snapshot, or it cannot be opened"):
        Snapshot.open(path)
    for data in (b"", b"x", b"\x7fELF" + bytes(500), b"X" + small()[1:]):
        path.write_bytes(data)
        with pytest.raises(SnapshotError, match="not a snapshot"):
            Snapshot.open(path)


def test_a_snapshot_of_another_format_is_refused_with_the_next_step(tmp_path: Path) -> None:
    data = bytearray(small())
    fields = list(HEADER.unpack_from(data))
    fields[1] = FORMAT + 1
    HEADER.pack_into(data, 0, *fields)
    with pytest.raises(SnapshotError, match=f"has format {FORMAT + 1}; this version reads format {FORMAT}: rebuild it"):
        Snapshot(tmp_path, bytes(data))


def test_a_truncated_snapshot_is_refused_wherever_it_was_cut(tmp_path: Path) -> None:
    data = small()
    for length in [*range(0, len(data), 97), len(data) - 1]:
        with pytest.raises(SnapshotError):
            Snapshot(tmp_path, data[:length]).verify()


def test_a_damaged_snapshot_is_refused_wherever_the_damage_is(tmp_path: Path) -> None:
    data = small()
    for place in range(0, len(data), 61):
        damaged = bytearray(data)
        damaged[place] ^= 0x10
        assert refused(tmp_path, bytes(damaged)), f"byte {place}"


def refused(path: Path, data: bytes) -> bool:
    try:
        Snapshot(path, data).verify()
    except SnapshotError:
        return True
    return False


def test_publishing_names_the_file_by_version_and_content_and_points_to_it(tmp_path: Path) -> None:
    folder = SnapshotRepository(tmp_path / "snapshots")
    assert folder.pointer() is None
    assert folder.current() is None
    pointer = published(folder.folder, 1, "pirate.example")
    path = folder.folder / pointer.file
    assert pointer.file == f"00000001-{pointer.sha256[:16]}.snapshot"
    assert path.read_bytes()[-TRAILER_BYTES:].hex() == pointer.sha256
    assert folder.pointer() == pointer
    current = folder.current()
    assert current is not None
    assert current.lookup("pirate.example").listed
    assert sorted(item.name for item in folder.folder.iterdir()) == [pointer.file, "current.json"]


def test_the_pointer_says_when_the_snapshot_was_last_known_to_be_current(tmp_path: Path) -> None:
    published(tmp_path, 1, "pirate.example")
    folder = SnapshotRepository(tmp_path)
    folder.confirm("2026-06-01T00:00:00Z")
    folder.confirm("2026-05-01T00:00:00Z")
    pointer = folder.pointer()
    assert pointer is not None
    assert (pointer.confirmed_at, pointer.version) == ("2026-06-01T00:00:00Z", 1)


def test_pruning_keeps_the_newest_and_the_current_and_clears_what_a_crash_left(tmp_path: Path) -> None:
    folder = SnapshotRepository(tmp_path)
    pointers = [published(tmp_path, version, f"p{version}.example") for version in (1, 2, 3, 4)]
    (tmp_path / "version-9.part").write_bytes(b"half")
    folder.prune(2)
    assert sorted(path.name for path in tmp_path.glob("*.snapshot")) == [pointers[2].file, pointers[3].file]
    assert not list(tmp_path.glob("*.part"))
    (tmp_path / "current.json").write_text(json.dumps({**as_table(pointers[2])}))
    folder.prune(1)
    assert sorted(path.name for path in tmp_path.glob("*.snapshot")) == [pointers[2].file, pointers[3].file]


def as_table(pointer: Pointer) -> dict[str, object]:
    return {name: getattr(pointer, name) for name in Pointer.__slots__}


def test_a_pruned_snapshot_goes_on_answering_where_it_is_open(tmp_path: Path) -> None:
    published(tmp_path, 1, "pirate.example")
    follower = Follower(tmp_path, 60)
    published(tmp_path, 2, "other.example")
    published(tmp_path, 3, "third.example")
    SnapshotRepository(tmp_path).prune(1)
    assert follower.snapshot is not None
    assert follower.snapshot.lookup("pirate.example").listed


def test_a_file_that_cannot_be_read_back_is_not_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = published(tmp_path, 1, "pirate.example")
    torn = small()[:-1]

    def write_torn(_: Compiler, out: BinaryIO, *__: object) -> str:
        out.write(torn + b"?")
        return "0" * 64

    monkeypatch.setattr(Compiler, "write", write_torn)
    with pytest.raises(SnapshotError, match="damaged"):
        published(tmp_path, 2, "other.example")
    assert SnapshotRepository(tmp_path).pointer() == before
    assert not list(tmp_path.glob("*.part"))


def test_a_folder_that_cannot_be_written_is_an_error_and_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "snapshots").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match=r"the snapshot cannot be written: .*; the last one goes on serving"):
        published(tmp_path / "snapshots", 1, "pirate.example")


def test_a_follower_starts_empty_and_swaps_to_each_newer_version(tmp_path: Path) -> None:
    follower = Follower(tmp_path, 60)
    assert follower.snapshot is None
    assert not follower.stale
    for version in (1, 2, 5):
        published(tmp_path, version, f"p{version}.example")
        follower.poll()
        assert follower.snapshot is not None
        assert follower.snapshot.version == version
        assert follower.snapshot.lookup(f"p{version}.example").listed


def test_a_follower_keeps_its_snapshot_when_an_older_version_is_published(tmp_path: Path) -> None:
    refusals: list[str] = []
    published(tmp_path, 5, "pirate.example")
    follower = Follower(tmp_path, 60, refusals.append)
    published(tmp_path, 4, "other.example")
    follower.poll()
    assert follower.snapshot is not None
    assert follower.snapshot.version == 5
    assert len(refusals) == 1
    assert "refused: version 4 is older than version 5, which is served now" in refusals[0]
    follower.poll()
    assert len(refusals) == 1, "it is reported once"


@pytest.mark.parametrize("harm", ["damaged", "cut", "missing", "pointer", "other"])
def test_a_follower_keeps_its_snapshot_when_the_next_one_is_corrupt(tmp_path: Path, harm: str) -> None:
    refusals: list[str] = []
    published(tmp_path, 1, "pirate.example")
    follower = Follower(tmp_path, 60, refusals.append)
    path = tmp_path / published(tmp_path, 2, "other.example").file
    data = path.read_bytes()
    if harm == "missing":
        path.unlink()
    elif harm == "pointer":
        (tmp_path / "current.json").write_text('{"file": "00000002')
    elif harm == "other":
        (tmp_path / "current.json").write_text('{"file": "x", "colour": "red"}')
    else:
        beside = tmp_path / "beside"
        beside.write_bytes(data[:-40] if harm == "cut" else data[:-40] + b"!" + data[-39:])
        beside.rename(path)
    follower.poll()
    assert follower.snapshot is not None
    assert follower.snapshot.lookup("pirate.example").listed
    assert follower.snapshot.version == 1
    assert len(refusals) == 1
    published(tmp_path, 3, "third.example")
    follower.poll()
    assert follower.snapshot.version == 3


@pytest.mark.parametrize("harm", ["damaged", "missing", "pointer", "swapped"])
def test_a_follower_starts_with_the_newest_whole_snapshot_when_the_current_one_is_unusable(
    tmp_path: Path, harm: str
) -> None:
    first = published(tmp_path, 1, "pirate.example")
    second = published(tmp_path, 2, "other.example")
    path = tmp_path / second.file
    if harm == "damaged":
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.unlink()
        path.write_bytes(data)
    elif harm == "missing":
        path.unlink()
    elif harm == "pointer":
        path.unlink()
        (tmp_path / "current.json").write_text("{")
    else:
        path.unlink()
        path.write_bytes((tmp_path / first.file).read_bytes())
    refusals: list[str] = []
    follower = Follower(tmp_path, 60, refusals.append)
    assert follower.snapshot is not None
    assert follower.snapshot.version == 1
    assert follower.snapshot.lookup("pirate.example").listed
    assert follower.stale, "it counts as fresh as of its build, not as of the pointer"
    assert "version 1 serves meanwhile: it is the newest whole one" in refusals[-1]
    published(tmp_path, 3, "third.example")
    follower.poll()
    assert follower.snapshot.version == 3
    assert follower.reason == ""


def test_a_follower_without_a_whole_snapshot_has_a_reason_without_paths(tmp_path: Path) -> None:
    path = tmp_path / published(tmp_path, 1, "pirate.example").file
    data = bytearray(path.read_bytes())
    data[-40] ^= 1
    path.write_bytes(data)
    follower = Follower(tmp_path, 60)
    assert follower.snapshot is None
    assert follower.reason == f"{path.name}: damaged: its checksum does not match"


def test_a_follower_takes_another_file_of_the_same_version(tmp_path: Path) -> None:
    published(tmp_path, 1, "pirate.example")
    follower = Follower(tmp_path, 60)
    published(tmp_path, 1, "other.example")
    follower.poll()
    assert follower.snapshot is not None
    assert follower.snapshot.lookup("other.example").listed


def test_a_snapshot_that_was_not_confirmed_for_long_is_stale_and_still_served(tmp_path: Path) -> None:
    published(tmp_path, 1, "pirate.example")
    follower = Follower(tmp_path, 3600)
    assert follower.stale
    assert follower.snapshot is not None
    SnapshotRepository(tmp_path).confirm("2999-01-01T00:00:00Z")
    follower.poll()
    assert not follower.stale


def test_a_follower_that_runs_swaps_within_a_second(tmp_path: Path) -> None:
    follower = Follower(tmp_path, 60)
    follower.start()
    try:
        published(tmp_path, 1, "pirate.example")
        end = time.monotonic() + 1
        while follower.snapshot is None and time.monotonic() < end:
            time.sleep(0.01)
        assert follower.snapshot is not None
    finally:
        follower.stop()


def test_a_follower_tries_again_what_could_not_be_followed(tmp_path: Path) -> None:
    published(tmp_path, 1, "a.example")
    refusals: list[str] = []
    follower = Follower(tmp_path, 60, refusals.append)
    pointer = published(tmp_path, 2, "b.example")
    (tmp_path / pointer.file).rename(tmp_path / "away")
    for _ in range(3):
        follower.poll()
    assert len(refusals) == 1
    (tmp_path / "away").rename(tmp_path / pointer.file)
    follower.poll()
    assert follower.snapshot is not None
    assert follower.snapshot.version == 2


def test_a_follower_survives_an_invalid_pointer(tmp_path: Path) -> None:
    published(tmp_path, 1, "a.example")
    follower = Follower(tmp_path, 60)
    pointer = tmp_path / "current.json"
    pointer.write_text(pointer.read_text().replace('"confirmed_at": "', '"confirmed_at": "x'))
    follower.poll()
    published(tmp_path, 2, "b.example")
    follower.poll()
    assert follower.snapshot is not None
    assert follower.snapshot.version == 2
