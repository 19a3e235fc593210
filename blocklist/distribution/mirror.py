"""Follow the signed snapshots of a store from another machine: poll, verify, apply, and name only what was verified.

A mirror writes the folder ``snapshots`` of its cache, which followers read as they read a control plane's own. Whatever
is wrong with the store, the network or the clock, the last list that was verified goes on serving.

=====================  ===============================================================================================
in the cache           is
=====================  ===============================================================================================
``metadata/``          what was seen last of each role; refusing older metadata depends on it
``base/``              the base that deltas are applied to
``snapshots/``         the snapshots, with the pointer
=====================  ===============================================================================================
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from tuf.api.exceptions import DownloadError, RepositoryError
from tuf.api.metadata import Metadata, TargetFile
from tuf.ngclient import Updater

from blocklist.distribution.delta_file import apply_delta
from blocklist.distribution.fetcher import ADDRESS, SourceFetcher, explain
from blocklist.distribution.packing import map_file
from blocklist.distribution.published import (
    BASE,
    CURRENT,
    DELTA,
    MAX_TIMESTAMP,
    METADATA_FOLDER,
    TIMESTAMP,
    ListState,
    list_state,
)
from blocklist.distribution.sources import CountedSource
from blocklist.domain.clock import now, seconds_between
from blocklist.domain.errors import BlocklistError, DistributionError, SnapshotError
from blocklist.snapshot.format.layout import TRAILER_BYTES
from blocklist.snapshot.pointer import Pointer
from blocklist.snapshot.reader import Snapshot
from blocklist.snapshot.repository import SnapshotRepository

#: Snapshot files to keep, including the current one.
_KEPT = 3
#: The largest snapshot that is taken, in bytes.
_MAX_FILE = 1 << 31
#: Seconds by which the control plane's clock may be ahead of this machine's before that is told.
_SKEW = 300.0


class Seen(NamedTuple):
    """What the last complete check found: the signed state, the versions of root and timestamp, and a warning."""

    state: ListState
    root: int
    number: int
    warning: str


class Mirror:
    """The signed snapshots of one source, in a cache."""

    def __init__(self, source: CountedSource, root: bytes, cache: Path, look_every: float) -> None:
        """``root`` is root metadata that this machine trusts; ``look_every`` seconds pass between complete checks.

        :raises StoreError: the cache cannot be written.
        """
        self._source, self._root, self._cache = source, root, cache
        self._look_every = look_every
        self._tag: str | None = None
        self._offered: bytes | None = None
        self._look_after = 0.0
        self._verified = ""
        self.repository = SnapshotRepository(cache / "snapshots")
        self.seen: Seen | None = None
        #: How many versions arrived as a delta, and as a whole file.
        self.deltas = self.wholes = 0

    def poll(self) -> bool:
        """Ask for the timestamp, and check everything if it changed or the time has come; return whether that was done.

        :raises DistributionError: the source cannot be read or not be trusted; the list goes on serving.
        """
        found = self._source.read_if_changed(TIMESTAMP, MAX_TIMESTAMP, self._tag)
        is_new = found is not None and found.data != self._offered
        if not is_new and time.monotonic() < self._look_after:
            return False
        self._tag = None
        self.look(found.data if found else None)
        # Only now: what failed is asked for again.
        if found:
            self._tag, self._offered = found.tag, found.data
        self._look_after = time.monotonic() + self._look_every
        return True

    def look(self, timestamp: bytes | None = None) -> Pointer:
        """Verify the metadata of the source from root to files, take a newer list, and return the pointer.

        ``timestamp`` is the timestamp metadata, if it was just fetched.

        :raises DistributionError: something cannot be read or trusted.
        """
        folder = self._cache / METADATA_FOLDER
        try:
            folder.mkdir(parents=True, exist_ok=True)
            updater = Updater(
                str(folder), f"{ADDRESS}{METADATA_FOLDER}/", str(self._cache), ADDRESS,
                SourceFetcher(self._source, timestamp), bootstrap=self._root,
            )  # fmt: skip
            updater.refresh()
            current, base, delta = (updater.get_targetinfo(name) for name in (CURRENT, BASE, DELTA))
            if current is None or base is None:
                raise DistributionError(f"{self._source.shown}: the signed lists name no snapshot")
            if max(current.length, base.length) > _MAX_FILE:
                raise DistributionError(f"{self._source.shown}: a snapshot of more than {_MAX_FILE:,} bytes is refused")
            _sync_files(folder)
            self.seen = self._read_seen(folder)
            return self._take(updater, self.seen.state, current, base, delta)
        except (DownloadError, RepositoryError, OSError, ValueError) as error:
            raise DistributionError(explain(error, self._source.shown)) from None
        except BlocklistError as error:
            raise error if isinstance(error, DistributionError) else DistributionError(str(error)) from None

    def _read_seen(self, folder: Path) -> Seen:
        timestamp: Metadata[Any] = Metadata.from_file(str(folder / "timestamp.json"))
        root: Metadata[Any] = Metadata.from_file(str(folder / "root.json"))
        state = list_state(timestamp.signed)
        ahead = seconds_between(now(), state.signed_at)
        warning = ""
        if ahead > _SKEW:
            warning = (
                f"the list was signed {ahead / 60:,.0f} minutes from now by this machine's clock: that is behind, "
                "or the control plane's is ahead; a list that is held back is noticed too late"
            )
        return Seen(state, root.signed.version, timestamp.signed.version, warning)

    def _take(
        self, updater: Updater, state: ListState, current: TargetFile, base: TargetFile, delta: TargetFile | None
    ) -> Pointer:
        """Make the signed list the current snapshot, unless it is already."""
        # A control plane whose clock is ahead must not make lists fresh for longer.
        confirmed_at = min(state.confirmed_at, now())
        pointer = self._pointer()
        if pointer is not None:
            if pointer.sha256 == state.sha256 and self._is_whole(pointer):
                self.repository.confirm(confirmed_at)
                return self.repository.pointer() or pointer
            if state.version <= pointer.version and pointer.sha256 != state.sha256:
                raise DistributionError(
                    f"{self._source.shown}: refused: version {state.version} is not newer than version "
                    f"{pointer.version}, which is served here; for another list than before, use another cache"
                )
        self._write(updater, state, current, base, delta, confirmed_at)
        self.repository.prune(_KEPT)
        taken = self.repository.pointer()
        assert taken is not None
        return taken

    def _write(
        self,
        updater: Updater,
        state: ListState,
        current: TargetFile,
        base: TargetFile,
        delta: TargetFile | None,
        confirmed_at: str,
    ) -> None:
        self.repository.folder.mkdir(parents=True, exist_ok=True)
        unfinished = self.repository.folder / f"version-{state.version}.part"
        try:
            unfinished.unlink(missing_ok=True)
            kept = self._base_file(updater, base)
            if delta is None:
                _copy(kept, unfinished)
            else:
                _apply(kept, _fetched(updater, delta, unfinished), unfinished, current.length)
            with unfinished.open("rb") as file:
                current.verify_length_and_hashes(file)
                file.seek(-TRAILER_BYTES, os.SEEK_END)
                if file.read() != bytes.fromhex(state.sha256):
                    raise DistributionError(f"{self._source.shown}: the signed list is not the signed file")
            self.repository.adopt(unfinished, state.version, state.sha256, confirmed_at)
        finally:
            unfinished.unlink(missing_ok=True)
        if delta is None:
            self.wholes += 1
        else:
            self.deltas += 1

    def _base_file(self, updater: Updater, base: TargetFile) -> Path:
        """Return the file of a base, fetched unless it is here with the signed content; others are removed."""
        folder = self._cache / "base"
        folder.mkdir(parents=True, exist_ok=True)
        kept = folder / f"{base.hashes['sha256']}.snapshot"
        if not updater.find_cached_target(base, str(kept)):
            unfinished = kept.with_suffix(".part")
            updater.download_target(base, str(unfinished))
            _sync(unfinished)
            unfinished.rename(kept)
        for path in folder.iterdir():
            if path != kept:
                path.unlink()
        return kept

    def _is_whole(self, pointer: Pointer) -> bool:
        """Return whether the current file is there and undamaged; it is read once in the life of a mirror."""
        path = self.repository.folder / pointer.file
        if self._verified != pointer.file:
            try:
                Snapshot.open(path).verify()
            except SnapshotError:
                return False
            self._verified = pointer.file
        return path.exists()

    def _pointer(self) -> Pointer | None:
        """Return the pointer, or None if there is none that can be read: then any signed list is taken."""
        with contextlib.suppress(SnapshotError):
            return self.repository.pointer()
        return None


class _Writer:
    """Gives what is written to a file, within a number of bytes."""

    def __init__(self, out: BinaryIO, limit: int) -> None:
        self._out, self._left = out, limit

    def write(self, data: Any) -> int:
        """Write bytes.

        :raises DistributionError: they are too many.
        """
        self._left -= len(data)
        if self._left < 0:
            raise DistributionError("a delta makes a larger file than was signed")
        return self._out.write(data)


def _apply(base: Path, delta: bytes, out: Path, length: int) -> None:
    with out.open("wb") as file:
        apply_delta(map_file(base), delta, _Writer(file, length), length)  # type: ignore[arg-type]  # it only writes
        file.flush()
        os.fsync(file.fileno())


def _fetched(updater: Updater, target: TargetFile, beside: Path) -> bytes:
    path = beside.with_suffix(".delta.part")
    try:
        updater.download_target(target, str(path))
        return path.read_bytes()
    finally:
        path.unlink(missing_ok=True)


def _copy(source: Path, copy: Path) -> None:
    """Give a file a second name; both are never changed."""
    try:
        os.link(source, copy)
    except OSError:  # a file system without links
        copy.write_bytes(source.read_bytes())
        _sync(copy)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sync_files(folder: Path) -> None:
    """Write what was seen to disk: after a power failure, older metadata must still be refused."""
    for path in folder.glob("*.json"):
        _sync(path)
