"""Locks of a data folder, held across processes; a lock ends with its process, however that ends."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from blocklist.domain.errors import ConflictError, StoreError


class FeedLocks(Protocol):
    """Gives the lock of a feed."""

    def locked(self, name: str, wait: float = 0) -> AbstractContextManager[None]:
        """Hold the lock of a feed; wait for it for so many seconds.

        :raises ConflictError: a run of the feed is under way.
        """


def lock_file(folder: Path, name: str) -> FileLock:
    """Return a lock of a data folder.

    :raises StoreError: the folder of the locks cannot be used.
    """
    try:
        (folder / "locks").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder / 'locks'}: cannot be used: {error.strerror}") from None
    return FileLock(folder / "locks" / f"{name}.lock")


@contextlib.contextmanager
def feed_lock(folder: Path, name: str, wait: float) -> Iterator[None]:
    """Hold the lock of a feed; wait for it for so many seconds.

    :raises ConflictError: a run of the feed is under way.
    """
    try:
        lock = lock_file(folder, f"feed-{name}")
        lock.acquire(timeout=wait)
    except Timeout:
        raise ConflictError(f"feed {name!r} is being refreshed already: wait for that run, then try again") from None
    try:
        yield
    finally:
        lock.release()
