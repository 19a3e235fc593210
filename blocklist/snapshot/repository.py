"""Publish snapshots into a folder: write, sync, read back and verify, rename, and only then point to the new file.

A crash at any point leaves the old snapshot current or the new one. Files are named by version and content and never
changed in place: truncating a mapped file kills the processes that map it.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from blocklist.domain.errors import SnapshotError, StoreError
from blocklist.snapshot.pointer import POINTER_FORMAT, Pointer, read_pointer
from blocklist.snapshot.reader import Snapshot

if TYPE_CHECKING:
    # A follower loads this module, and needs nothing that writes snapshots.
    from blocklist.snapshot.compile.compiler import Compiler

_SUFFIX = ".snapshot"


class SnapshotRepository:
    """A folder of snapshot files, with the pointer ``current.json``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pointer_path = folder / "current.json"

    def pointer(self) -> Pointer | None:
        """Return the pointer, or None before the first snapshot.

        :raises SnapshotError: see :func:`.pointer.read_pointer`.
        """
        return read_pointer(self.pointer_path)

    def current(self) -> Snapshot | None:
        """Return the current snapshot, verified, or None before the first.

        :raises SnapshotError: the pointer cannot be read, or the snapshot is missing or damaged.
        """
        pointer = self.pointer()
        return self.open(pointer) if pointer else None

    def open(self, pointer: Pointer, *, verify: bool = True) -> Snapshot:
        """Return the snapshot that a pointer names; ``verify`` as in :meth:`.Snapshot.open`.

        :raises SnapshotError: the file is missing, damaged, of another format, or not the one that the pointer names.
        """
        snapshot = Snapshot.open(self.folder / pointer.file, verify=False)
        if (snapshot.version, snapshot.sha256) != (pointer.version, pointer.sha256):
            raise SnapshotError(
                f"{snapshot.path}: damaged: its version ({snapshot.version}) or its checksum is not that of the file "
                f"that {self.pointer_path.name} names (version {pointer.version})"
            )
        if verify:
            snapshot.verify()
        return snapshot

    def newest_whole(self) -> Snapshot | None:
        """Return the newest snapshot of the folder that can be opened and verified, or None if there is none."""
        for path in self._files(newest_first=True):
            with contextlib.suppress(SnapshotError):
                return Snapshot.open(path)
        return None

    def last_version(self) -> int:
        """Return the highest version that the pointer or a file of the folder names; 0 if there is none."""
        numbers = (path.name.partition("-")[0] for path in self._files())
        versions = [int(number) for number in numbers if number.isdecimal()]
        with contextlib.suppress(SnapshotError):
            if pointer := self.pointer():
                versions.append(pointer.version)
        return max(versions, default=0)

    def publish(
        self, compiler: Compiler, version: int, built_at: str, contents: int, confirmed_at: str | None = None
    ) -> Pointer:
        """Write a snapshot, make it the current one, and return its pointer.

        ``contents`` is the store's counter of changes; ``confirmed_at`` is when a feed was last known to be current
        (``built_at`` if not given).

        :raises StoreError: the folder cannot be written; the current snapshot goes on serving.
        :raises SnapshotError: the written file cannot be read back.
        """
        unfinished = self.folder / f"version-{version}.part"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as out:
                sha256 = compiler.write(out, version, built_at, contents)
                out.flush()
                os.fsync(out.fileno())
            pointer = self._adopt(unfinished, version, sha256, confirmed_at or built_at)
        except OSError as error:
            raise StoreError(
                f"{self.folder}: the snapshot cannot be written: {error}; the last one goes on serving"
            ) from None
        finally:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
        return pointer

    def adopt(self, unfinished: Path, version: int, sha256: str, confirmed_at: str) -> Pointer:
        """Make a snapshot file the current one and return its pointer; the file is synced and lies in the folder.

        :raises StoreError: the folder cannot be written; the current snapshot goes on serving.
        :raises SnapshotError: the file is damaged, or has a format that this version does not read.
        """
        try:
            return self._adopt(unfinished, version, sha256, confirmed_at)
        except OSError as error:
            raise StoreError(f"{self.folder}: cannot be written: {error}; the last one goes on serving") from None

    def _adopt(self, unfinished: Path, version: int, sha256: str, confirmed_at: str) -> Pointer:
        Snapshot.open(unfinished)
        path = self.folder / f"{version:08d}-{sha256[:16]}{_SUFFIX}"
        unfinished.rename(path)
        _sync_folder(self.folder)
        pointer = Pointer(path.name, version, sha256, confirmed_at, POINTER_FORMAT)
        self._point(pointer)
        return pointer

    def confirm(self, moment: str) -> None:
        """Note in the pointer that the current snapshot was still up to date at a time (RFC 3339).

        :raises StoreError: the folder cannot be written.
        """
        pointer = self.pointer()
        try:
            if pointer and moment > pointer.confirmed_at:
                self._point(replace(pointer, confirmed_at=moment))
        except OSError as error:
            raise StoreError(f"{self.folder}: cannot be written: {error}; the snapshot goes on serving") from None

    def prune(self, keep: int) -> None:
        """Remove all but the newest snapshot files, and unfinished ones that a crash left.

        The current snapshot stays. A process that maps a removed file can go on reading it.
        """
        pointer = self.pointer()
        for path in self._files()[:-keep]:
            if pointer and path.name != pointer.file:
                path.unlink(missing_ok=True)
        for path in self.folder.glob("*.part"):
            path.unlink(missing_ok=True)

    def _files(self, *, newest_first: bool = False) -> list[Path]:
        return sorted(self.folder.glob(f"*{_SUFFIX}"), reverse=newest_first)

    def _point(self, pointer: Pointer) -> None:
        unfinished = self.pointer_path.with_suffix(f".{os.getpid()}.part")
        with unfinished.open("w", encoding="utf-8") as out:
            out.write(pointer.to_json())
            out.flush()
            os.fsync(out.fileno())
        unfinished.rename(self.pointer_path)
        _sync_folder(self.folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
