"""What a mirror tells about itself, in ``status.json`` of its cache, and the lock that keeps a cache to one mirror."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class MirrorStatus:
    """The state of a mirror. Times are RFC 3339, empty before the first; ``error`` is empty while all is well.

    ``checked_at`` is the last request that succeeded, ``signed_at`` when the newest signature was made, ``number`` its
    version; ``root`` is the version of the trust metadata.
    """

    source: str
    pid: int
    started_at: str
    checked_at: str = ""
    version: int = 0
    changed_at: str = ""
    confirmed_at: str = ""
    signed_at: str = ""
    number: int = 0
    root: int = 0
    error: str = ""
    error_since: str = ""
    warning: str = ""
    requests: int = 0
    bytes: int = 0
    deltas: int = 0
    wholes: int = 0

    def write(self, cache: Path) -> None:
        """Replace the file in a cache; a cache that cannot be written is told otherwise."""
        unfinished = cache / f".status.{os.getpid()}.part"
        with contextlib.suppress(OSError):
            unfinished.write_text(json.dumps(asdict(self)), "utf-8")
            unfinished.rename(cache / "status.json")


def read_status(cache: Path) -> MirrorStatus | None:
    """Return the state of the mirror of a cache; None if there is none that can be understood."""
    try:
        table: Any = json.loads((cache / "status.json").read_bytes())
    except (OSError, ValueError):
        return None
    names = {field.name for field in fields(MirrorStatus)}
    return MirrorStatus(**table) if isinstance(table, dict) and table.keys() == names else None


@contextlib.contextmanager
def cache_lock(cache: Path) -> Iterator[bool]:
    """Take the lock of a cache if it is free; yield whether it was. It is released when the process ends, however.

    :raises OSError: the cache cannot be written.
    """
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "mirror.lock").open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def is_running(cache: Path) -> bool:
    """Return whether a mirror runs over a cache."""
    if not (cache / "mirror.lock").exists():
        return False
    with cache_lock(cache) as was_free:
        return not was_free
