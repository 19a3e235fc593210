"""What a reader does with files of a later version, and a reader of version 0.1 with files of this one."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from blocklist import Follower, Snapshot
from blocklist.domain.errors import SnapshotError
from blocklist.snapshot.format.layout import FORMAT, HEADER
from blocklist.snapshot.format.section_writer import write_sections
from blocklist.snapshot.pointer import POINTER_FORMAT
from blocklist.snapshot.repository import SnapshotRepository
from tests.snapshot.test_files import compiler, published, small
from tests.support import SOME_DAY

#: A pointer as a later version may write it: the format of today, and keys that this version does not know. It is kept
#: as text, so that no change of this version's writer changes it.
LATER_POINTER = """\
{
  "format": 1,
  "file": "00000002-later.snapshot",
  "version": 2,
  "sha256": "SHA256",
  "confirmed_at": "2999-01-01T00:00:00Z",
  "bytes": 1048576,
  "expires_at": null,
  "previous": {"file": "00000001-later.snapshot", "version": 1, "format": 9},
  "signatures": [{"key": "a1b2", "value": "c2lnbmF0dXJl", "over": ["file", "version"]}]
}
"""
#: A pointer of a format that does not exist yet: the keys of today are gone.
TOO_NEW_POINTER = """\
{"format": 9, "current": {"path": "00000003/base.snapshot", "version": 3}, "confirmed": 32503680000}
"""


@dataclass(frozen=True)
class PointerOf01:
    """The pointer as version 0.1 reads it: exactly these keys."""

    file: str
    version: int
    sha256: str
    confirmed_at: str


def point(folder: Path, text: str) -> None:
    beside = folder / "beside"
    beside.write_text(text, encoding="utf-8")
    beside.rename(folder / "current.json")


def put(folder: Path, name: str, version: int, host: str) -> str:
    """Put a snapshot file into a folder without pointing to it; return its SHA-256 in hexadecimal."""
    with (folder / name).open("wb") as out:
        return compiler(host).write(out, version, SOME_DAY, version)


def serving(follower: Follower) -> int | None:
    return follower.snapshot.version if follower.snapshot else None


def test_a_pointer_of_a_later_version_is_followed_whatever_else_it_has(tmp_path: Path) -> None:
    refused: list[str] = []
    published(tmp_path, 1, "a.example")
    follower = Follower(tmp_path, 60, refused.append)
    sha256 = put(tmp_path, "00000002-later.snapshot", 2, "b.example")
    point(tmp_path, LATER_POINTER.replace("SHA256", sha256))
    follower.poll()
    assert (serving(follower), follower.stale, refused) == (2, False, [])
    pointer = SnapshotRepository(tmp_path).pointer()
    assert pointer is not None
    assert (pointer.file, pointer.version, pointer.format) == ("00000002-later.snapshot", 2, 1)


def test_a_pointer_of_a_newer_format_is_refused_with_what_where_and_what_next(tmp_path: Path) -> None:
    point(tmp_path, TOO_NEW_POINTER)
    with pytest.raises(SnapshotError) as caught:
        SnapshotRepository(tmp_path).pointer()
    assert str(caught.value) == (
        f"{tmp_path}/current.json: the pointer has format 9; this version of blocklist reads up to format "
        f"{POINTER_FORMAT}: upgrade blocklist on this machine; a snapshot that is already loaded goes on serving"
    )


def test_a_follower_keeps_its_snapshot_while_the_format_is_too_new_and_then_follows_on(tmp_path: Path) -> None:
    refused: list[str] = []
    published(tmp_path, 1, "a.example")
    follower = Follower(tmp_path, 60, refused.append)
    point(tmp_path, TOO_NEW_POINTER)
    for _ in range(3):
        follower.poll()
    assert serving(follower) == 1
    assert follower.snapshot is not None
    assert follower.snapshot.lookup("a.example").listed
    assert len(refused) == 1, "it is reported once"
    assert "the pointer has format 9" in refused[0]
    sha256 = put(tmp_path, "00000002-later.snapshot", 2, "b.example")
    point(tmp_path, LATER_POINTER.replace("SHA256", sha256))
    follower.poll()
    assert serving(follower) == 2


def test_a_follower_that_starts_on_a_newer_format_waits_for_a_pointer_it_can_read(tmp_path: Path) -> None:
    point(tmp_path, TOO_NEW_POINTER)
    refused: list[str] = []
    follower = Follower(tmp_path, 60, refused.append)
    assert (serving(follower), len(refused)) == (None, 1)
    published(tmp_path, 1, "a.example")
    follower.poll()
    assert serving(follower) == 1


def test_the_control_plane_publishes_over_a_pointer_that_it_cannot_read(tmp_path: Path) -> None:
    point(tmp_path, TOO_NEW_POINTER)
    pointer = published(tmp_path, 4, "a.example")
    assert SnapshotRepository(tmp_path).pointer() == pointer


def test_a_pointer_without_a_format_has_the_first(tmp_path: Path) -> None:
    table: dict[str, Any] = json.loads(LATER_POINTER)
    del table["format"]
    point(tmp_path, json.dumps(table))
    pointer = SnapshotRepository(tmp_path).pointer()
    assert pointer is not None
    assert pointer.format == 1


@pytest.mark.parametrize("bad", [0, -1, 1.5, "1", None, [1], {}])
def test_a_format_that_is_no_whole_number_from_1_is_refused(tmp_path: Path, bad: object) -> None:
    point(tmp_path, json.dumps(json.loads(LATER_POINTER) | {"format": bad}))
    with pytest.raises(SnapshotError, match=r"current\.json: cannot be read: .*format"):
        SnapshotRepository(tmp_path).pointer()


@pytest.mark.parametrize("key", ["file", "version", "sha256", "confirmed_at"])
def test_a_pointer_that_lacks_a_key_or_has_one_of_another_type_is_refused(tmp_path: Path, key: str) -> None:
    whole: dict[str, Any] = json.loads(LATER_POINTER)
    for table in ({name: value for name, value in whole.items() if name != key}, whole | {key: None}):
        point(tmp_path, json.dumps(table))
        with pytest.raises(SnapshotError, match=f"current\\.json: cannot be read: .*{key}"):
            SnapshotRepository(tmp_path).pointer()


def test_version_0_1_reads_every_pointer_that_is_published(tmp_path: Path) -> None:
    pointer = published(tmp_path, 1, "a.example")
    SnapshotRepository(tmp_path).confirm("2999-01-01T00:00:00Z")
    text = (tmp_path / "current.json").read_text(encoding="utf-8")
    assert PointerOf01(**json.loads(text)) == PointerOf01(pointer.file, 1, pointer.sha256, "2999-01-01T00:00:00Z")
    assert text == (
        f'{{"file": "{pointer.file}", "version": 1, "sha256": "{pointer.sha256}", '
        '"confirmed_at": "2999-01-01T00:00:00Z"}'
    )


def test_a_format_after_the_first_is_written(tmp_path: Path) -> None:
    pointer = published(tmp_path, 1, "a.example")
    assert json.loads(replace(pointer, format=2).to_json())["format"] == 2


def test_a_snapshot_with_further_sections_and_further_keys_in_its_description_is_read(tmp_path: Path) -> None:
    today = Snapshot(tmp_path, small())
    meta = today.meta | {"issued_by": {"name": "later"}, "policies": [{**row, "later": 1} for row in today.policies]}
    meta["sources"] = [{**row, "later": [1]} for row in meta["sources"]]
    sections = {name: bytes(data) for name, data in today.sections.items()} | {"later": b"of a later version"}
    out = io.BytesIO()
    write_sections(out, today.version, sections | {"meta": json.dumps(meta).encode()})
    later = Snapshot(tmp_path, out.getvalue())
    later.verify()
    for target in ("www.films.example", "http://video.example/watch?v=1", "93.184.215.14", "clean.example"):
        assert later.lookup(target, explain=True) == today.lookup(target, explain=True)


@pytest.mark.parametrize(
    ("by", "next_step"), [(1, "rebuild it, or upgrade blocklist on this machine"), (-1, "rebuild it")]
)
def test_a_follower_keeps_its_snapshot_when_the_next_has_another_format(
    tmp_path: Path, by: int, next_step: str
) -> None:
    refused: list[str] = []
    published(tmp_path, 1, "a.example")
    follower = Follower(tmp_path, 60, refused.append)
    path = tmp_path / published(tmp_path, 2, "b.example").file
    data = bytearray(path.read_bytes())
    magic, _, *rest = HEADER.unpack_from(data)
    HEADER.pack_into(data, 0, magic, FORMAT + by, *rest)
    path.write_bytes(data)
    follower.poll()
    assert serving(follower) == 1
    assert refused == [f"{path}: has format {FORMAT + by}; this version reads format {FORMAT}: {next_step}"]
