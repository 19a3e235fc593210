"""Publishing: a snapshot is written, synced, read back and only then named by the pointer that readers follow.

Files are named by version and content and never changed in place: truncating a mapped file kills its readers.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

import msgspec

from blocklist.domain.errors import SnapshotError, StoreError
from blocklist.snapshot.compile.compiler import Compiler
from blocklist.snapshot.reader import Snapshot

_SUFFIX = ".snapshot"

#: The format of the pointer that this version writes, and the newest that it reads. It is raised when a key that
#: readers use changes its meaning or goes, so that they refuse the pointer. A further key does not raise it: readers
#: ignore what they do not know.
POINTER_FORMAT = 1
#: The format of a pointer that names none, as every pointer of version 0.1.
_FIRST_FORMAT = 1

_Format = Annotated[int, msgspec.Meta(ge=_FIRST_FORMAT)]


@dataclass(frozen=True, slots=True)
class Pointer:
    """Which file is current, and when the control plane last knew it to be up to date."""

    file: str
    version: int
    sha256: str
    confirmed_at: str
    format: _Format = _FIRST_FORMAT

    def to_json(self) -> str:
        """Return the text of the pointer. The first format is left out: version 0.1 refuses a key it does not know."""
        table = asdict(self)
        if self.format == _FIRST_FORMAT:
            del table["format"]
        return json.dumps(table)


class _PointerFormat(msgspec.Struct):
    """The one key that every reader understands, whatever else a later format has."""

    format: _Format = _FIRST_FORMAT


class SnapshotRepository:
    """The folder of snapshots and the pointer ``current.json`` in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pointer_path = folder / "current.json"

    def pointer(self) -> Pointer | None:
        """Return the pointer, or None before the first snapshot.

        Keys that this version does not know are ignored.

        :raises SnapshotError: the pointer cannot be read, or has a format newer than :data:`POINTER_FORMAT`.
        """
        try:
            data = self.pointer_path.read_bytes()
            pointer_format = msgspec.json.decode(data, type=_PointerFormat).format
            if pointer_format > POINTER_FORMAT:
                raise SnapshotError(
                    f"{self.pointer_path}: the pointer has format {pointer_format}; this version of blocklist reads "
                    f"up to format {POINTER_FORMAT}: upgrade blocklist on this machine; a snapshot that is already "
                    "loaded goes on serving"
                )
            return msgspec.json.decode(data, type=Pointer)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, msgspec.DecodeError) as error:
            raise SnapshotError(f"{self.pointer_path}: cannot be read: {error}") from None

    def current(self) -> Snapshot | None:
        """Return the current snapshot, or None before the first.

        :raises SnapshotError: it cannot be opened.
        """
        pointer = self.pointer()
        return Snapshot.open(self.folder / pointer.file) if pointer else None

    def publish(
        self, compiler: Compiler, version: int, built_at: str, contents: int, confirmed_at: str | None = None
    ) -> Pointer:
        """Write a snapshot and make it the current one; a crash at any point leaves the one before or this one.

        ``confirmed_at`` is when a feed was last known to be current, ``built_at`` unless given.

        :raises StoreError: the folder cannot be written.
        :raises SnapshotError: what was written does not read back.
        """
        unfinished = self.folder / f"version-{version}.part"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as out:
                sha256 = compiler.write(out, version, built_at, contents)
                out.flush()
                os.fsync(out.fileno())
            Snapshot.open(unfinished).verify()
            path = self.folder / f"{version:08d}-{sha256[:16]}{_SUFFIX}"
            unfinished.rename(path)
            _sync_folder(self.folder)
            pointer = Pointer(path.name, version, sha256, confirmed_at or built_at, POINTER_FORMAT)
            self._point(pointer)
        except OSError as error:
            raise StoreError(
                f"{self.folder}: the snapshot cannot be written: {error}; the last one serves on"
            ) from None
        finally:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
        return pointer

    def confirm(self, moment: str) -> None:
        """Note that the current snapshot is still up to date.

        :raises StoreError: the folder cannot be written.
        """
        pointer = self.pointer()
        try:
            if pointer and moment > pointer.confirmed_at:
                self._point(replace(pointer, confirmed_at=moment))
        except OSError as error:
            raise StoreError(f"{self.folder}: cannot be written: {error}; the snapshot serves on") from None

    def prune(self, keep: int) -> None:
        """Remove all but the newest snapshot files, and what a crash left half written; who maps one keeps it."""
        pointer = self.pointer()
        files = sorted(self.folder.glob(f"*{_SUFFIX}"))
        for path in files[:-keep]:
            if pointer and path.name != pointer.file:
                path.unlink(missing_ok=True)
        for path in self.folder.glob("*.part"):
            path.unlink(missing_ok=True)

    def _point(self, pointer: Pointer) -> None:
        beside = self.pointer_path.with_suffix(f".{os.getpid()}.part")
        with beside.open("w", encoding="utf-8") as out:
            out.write(pointer.to_json())
            out.flush()
            os.fsync(out.fileno())
        beside.rename(self.pointer_path)
        _sync_folder(self.folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
