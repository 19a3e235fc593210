"""Keeping a process on the newest snapshot of a folder; the last good one serves until a better one comes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from blocklist.domain.errors import SnapshotError
from blocklist.snapshot.reader import Snapshot
from blocklist.snapshot.repository import SnapshotRepository

#: Seconds between looks at the pointer: a new snapshot answers well within one second.
_INTERVAL = 0.2


class Follower:
    """Holds the newest snapshot of a folder. Readers take :attr:`snapshot`, one attribute, and need no lock."""

    def __init__(self, folder: Path, max_age: float, refused: Callable[[str], None] = lambda _: None) -> None:
        """Load what there is. ``max_age`` is in seconds; ``refused`` is told of each snapshot that must not serve."""
        self._folder = SnapshotRepository(folder)
        self._max_age = max_age
        self._refused = refused
        self._seen: tuple[int, int] | None = None
        self._said = ""
        self._confirmed = 0.0
        self._stopped = threading.Event()
        self.snapshot: Snapshot | None = None
        self.look()

    @property
    def age(self) -> float:
        """Seconds since the snapshot was last known to be up to date."""
        return datetime.now(UTC).timestamp() - self._confirmed

    @property
    def stale(self) -> bool:
        """Whether the snapshot was last known to be up to date longer ago than the configured age."""
        return self.snapshot is not None and self.age > self._max_age

    def look(self) -> None:
        """Swap to the newest snapshot if it is newer, whole and readable; else keep the one there is."""
        for _ in self.looking():
            pass

    def looking(self) -> Iterator[None]:
        """Do what :meth:`look` does, a fraction of a millisecond at each step: a node answers in between."""
        try:
            stat = self._folder.pointer_path.stat()
        except OSError:
            return
        seen = (stat.st_ino, stat.st_mtime_ns)
        if seen == self._seen:
            return
        try:
            yield from self._follow()
        except (SnapshotError, ValueError, TypeError) as error:
            # Not seen: it is tried again at the next look, since what is wrong with it may pass.
            if str(error) != self._said:
                self._said = str(error)
                self._refused(self._said)
        else:
            self._seen, self._said = seen, ""

    def start(self) -> None:
        """Look on in a thread of its own."""
        threading.Thread(target=self._run, name="snapshot-follower", daemon=True).start()

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()

    def _follow(self) -> Iterator[None]:
        pointer = self._folder.pointer()
        if pointer is None:
            return
        if self.snapshot is None or pointer.version != self.snapshot.version:
            if self.snapshot is not None and pointer.version < self.snapshot.version:
                raise SnapshotError(
                    f"{pointer.file}: refused: version {pointer.version} is older than {self.snapshot.version}, "
                    "which serves"
                )
            snapshot = Snapshot.open(self._folder.folder / pointer.file)
            yield from snapshot.verify_steps()
            self.snapshot = snapshot
        self._confirmed = datetime.fromisoformat(pointer.confirmed_at).timestamp()

    def _run(self) -> None:
        while not self._stopped.wait(_INTERVAL):
            self.look()
