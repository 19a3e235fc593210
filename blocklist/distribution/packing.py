"""What is sent of a snapshot: the whole file, or the base that nodes have already and a delta."""

from __future__ import annotations

import hashlib
import io
import mmap
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tuf.api.metadata import TargetFile

from blocklist.distribution.delta_file import apply_delta, make_delta
from blocklist.distribution.published import BASE, CURRENT, DELTA
from blocklist.domain.errors import DistributionError, SnapshotError

#: A delta is sent if it is at most one in so many of the whole file; else the whole file is the next base.
_WORTHWHILE = 4


@dataclass(frozen=True, slots=True)
class Packed:
    """The files of one version of the list.

    ``targets`` is what the role lists states, ``uploads`` what may have to be sent, ``stored`` the targets that are
    objects, ``base`` the SHA-256 of the base's whole file.
    """

    targets: Mapping[str, TargetFile]
    uploads: Mapping[str, bytes | memoryview]
    stored: tuple[str, ...]
    base: str
    _snapshot: Path

    def keep_base(self, folder: Path) -> None:
        """Keep the base's file for later deltas, and remove the one before.

        :raises DistributionError: the folder cannot be written.
        """
        kept = base_file(folder, self.base)
        try:
            if not kept.exists():
                folder.mkdir(parents=True, exist_ok=True)
                unfinished = folder / f".{kept.name}.part"
                unfinished.unlink(missing_ok=True)
                try:
                    os.link(self._snapshot, unfinished)
                except OSError:  # another file system
                    shutil.copyfile(self._snapshot, unfinished)
                unfinished.rename(kept)
            for path in folder.glob("*.snapshot"):
                if path != kept:
                    path.unlink()
        except OSError as error:
            raise DistributionError(f"{kept}: cannot be written: {error.strerror}") from None


def base_file(folder: Path, sha256: str) -> Path:
    """Return where the publisher keeps a base, by the SHA-256 of its whole file."""
    return folder / f"{sha256}.snapshot"


def pack(folder: Path, snapshot: Path, base: str | None) -> Packed:
    """Return what is sent of a snapshot; ``base`` is the SHA-256 of the base that was sent last, kept in ``folder``.

    :raises DistributionError: the snapshot cannot be read.
    """
    try:
        data = map_file(snapshot)
    except (OSError, ValueError) as error:
        raise DistributionError(f"{snapshot}: cannot be read: {error}") from None
    current = _target(CURRENT, data)
    delta = _delta(folder, base, data) if base else None
    if delta is None or base is None:
        whole = _target(BASE, data)
        return Packed({CURRENT: current, BASE: whole}, {BASE: data}, (BASE,), whole.hashes["sha256"], snapshot)
    kept = base_file(folder, base)
    targets = {CURRENT: current, BASE: _target(BASE, map_file(kept)), DELTA: _target(DELTA, delta)}
    # The base is there already, unless somebody removed it from the store: then it is sent again.
    return Packed(targets, {BASE: map_file(kept), DELTA: delta}, (BASE, DELTA), base, kept)


def map_file(path: Path) -> memoryview:
    """Return the bytes of a file, mapped into memory.

    :raises OSError: it cannot be read.
    :raises ValueError: it is empty.
    """
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _delta(folder: Path, base: str, snapshot: memoryview) -> bytes | None:
    """Return a delta from the base that gives exactly the snapshot; None where the whole file must be sent."""
    try:
        known = map_file(base_file(folder, base))
    except (OSError, ValueError):
        return None
    if hashlib.sha256(known).hexdigest() != base or known == snapshot:
        return None
    out = io.BytesIO()
    try:
        delta = make_delta(known, snapshot)
        apply_delta(known, delta, out, len(snapshot))
    except (SnapshotError, DistributionError):
        return None
    worthwhile = len(delta) * _WORTHWHILE <= len(snapshot)
    return delta if worthwhile and out.getbuffer() == snapshot else None


def _target(name: str, data: bytes | memoryview) -> TargetFile:
    return TargetFile(len(data), {"sha256": hashlib.sha256(data).hexdigest()}, name)
