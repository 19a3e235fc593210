"""Keep a process on the newest snapshot of a folder. If the newest is unusable, the last good one goes on serving."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blocklist.domain.errors import SnapshotError
from blocklist.snapshot.reader import Snapshot
from blocklist.snapshot.repository import SnapshotRepository

if TYPE_CHECKING:
    from blocklist.snapshot.mirror_process import MirrorProcess

#: Seconds between two polls of the pointer: a new snapshot is served well within one second.
_POLL_SECONDS = 0.2


class Follower:
    """Holds the newest snapshot of a folder in :attr:`snapshot`, which any thread may read without a lock."""

    def __init__(self, folder: Path, max_age: float, refused: Callable[[str], None] = lambda _: None) -> None:
        """Load the current snapshot, if there is one.

        ``max_age``: seconds after which a snapshot that was not confirmed is stale. ``refused`` is called with the
        reason when a snapshot is not usable, once for each reason.
        """
        self._repository = SnapshotRepository(folder)
        self._max_age = max_age
        self._refused = refused
        #: The pointer that was followed last: inode and modification time in nanoseconds.
        self._followed: tuple[int, int] | None = None
        self._last_refusal = ""
        self._confirmed_at = 0.0
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._mirror: MirrorProcess | None = None
        self._arrived = threading.Event()
        self.snapshot: Snapshot | None = None
        self.poll()
        if self.snapshot is None and self._last_refusal:
            self._load_newest_whole()

    @property
    def reason(self) -> str:
        """Why the current snapshot of the folder is not loaded, in a sentence without paths; empty if it is."""
        return self._last_refusal.replace(f"{self._repository.folder}{os.sep}", "")

    @classmethod
    def remote(
        cls,
        url: str,
        *,
        root: str | os.PathLike[str],
        cache: str | os.PathLike[str],
        max_age: float = 86_400,
        refused: Callable[[str], None] = lambda _: None,
        options: Mapping[str, str] | None = None,
        poll: float = 2.0,
    ) -> Follower:
        """Return a follower of the signed snapshots at an address: ``s3://``, ``gs://``, ``az://``, ``file://``, HTTPS.

        ``root`` is a file with root metadata, as ``blocklist trust export`` writes it; ``cache`` is a folder in which
        the list is kept, so that a restart serves it at once. Processes may share one: one of them fetches, and another
        takes over when it ends. ``options`` is what obstore needs besides the address, such as ``region``; ``poll``
        seconds pass between two requests for a newer list. ``refused`` is called with the reason when a list cannot be
        fetched or used.

        It follows at once, in a thread; a child process fetches and verifies, and ends with this one. Call it after a
        fork, not before. :meth:`wait` waits for the first snapshot; :meth:`stop` ends both. It needs the extra
        ``distribution`` of the package.
        """
        from blocklist.snapshot.mirror_process import MirrorOptions, MirrorProcess  # noqa: PLC0415 - rarely needed

        folder = Path(cache)
        follower = cls(folder / "snapshots", max_age, refused)

        def tell(event: dict[str, Any]) -> None:
            if event.get("level") or event["event"] == "failed":
                refused(str(event.get("reason")))

        mirror = MirrorOptions(url, str(Path(root).absolute()), str(folder.absolute()), dict(options or {}), poll)
        follower._mirror = MirrorProcess(mirror, tell)
        follower._mirror.start()
        follower.start()
        return follower

    @property
    def age(self) -> float:
        """Seconds since the snapshot was last known to be up to date."""
        return datetime.now(UTC).timestamp() - self._confirmed_at

    @property
    def stale(self) -> bool:
        """Whether the age of the snapshot is above ``max_age``. A stale snapshot is still served."""
        return self.snapshot is not None and self.age > self._max_age

    def poll(self) -> None:
        """Swap to the current snapshot of the folder if it is newer and can be read and verified."""
        for _ in self.poll_steps():
            pass

    def poll_steps(self) -> Iterator[None]:
        """Do the work of :meth:`poll` in steps of a fraction of a millisecond; a node answers requests in between."""
        try:
            stat = self._repository.pointer_path.stat()
        except OSError:
            return
        pointer_file = (stat.st_ino, stat.st_mtime_ns)
        if pointer_file == self._followed:
            return
        try:
            yield from self._follow()
        except (SnapshotError, ValueError, TypeError) as error:
            # The pointer does not count as followed: the next poll tries again, since the cause may be temporary.
            if str(error) != self._last_refusal:
                self._last_refusal = str(error)
                self._refused(self._last_refusal)
        else:
            self._followed, self._last_refusal = pointer_file, ""

    def start(self) -> None:
        """Poll in a thread of its own, until :meth:`stop`."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="snapshot-follower", daemon=True)
            self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait for the first snapshot, at most so many seconds; return whether there is one."""
        return self.snapshot is not None or self._arrived.wait(seconds)

    def stop(self) -> None:
        """End the thread of :meth:`start`, and the process of :meth:`remote`."""
        self._stopped.set()
        if self._mirror is not None:
            self._mirror.stop()

    def _follow(self) -> Iterator[None]:
        pointer = self._repository.pointer()
        if pointer is None:
            return
        if self.snapshot is None or pointer.sha256 != self.snapshot.sha256:
            if self.snapshot is not None and pointer.version < self.snapshot.version:
                raise SnapshotError(
                    f"{pointer.file}: refused: version {pointer.version} is older than version "
                    f"{self.snapshot.version}, which is served now"
                )
            snapshot = self._repository.open(pointer, verify=False)
            yield from snapshot.verify_steps()
            self.snapshot = snapshot
            self._arrived.set()
        self._confirmed_at = datetime.fromisoformat(pointer.confirmed_at).timestamp()

    def _load_newest_whole(self) -> None:
        """Serve an older snapshot at the start, rather than none, until the current one is built again."""
        snapshot = self._repository.newest_whole()
        if snapshot is not None:
            self.snapshot = snapshot
            self._confirmed_at = datetime.fromisoformat(snapshot.built_at).timestamp()
            self._refused(f"{snapshot.path}: version {snapshot.version} serves meanwhile: it is the newest whole one")

    def _run(self) -> None:
        while not self._stopped.wait(_POLL_SECONDS):
            self.poll()
