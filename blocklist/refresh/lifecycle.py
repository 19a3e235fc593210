"""Everything about a run except its stages: locks, beginning and failing, when the next is due, recovery."""

from __future__ import annotations

import contextlib
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from blocklist.config.settings import Settings
from blocklist.domain.clock import later, now
from blocklist.domain.errors import ConflictError, StoreError
from blocklist.domain.listing import Feed
from blocklist.domain.run import Effect, GuardFinding, Outcome, Stage
from blocklist.fetch.body import BodyStore
from blocklist.store import Store

#: Called with the stage and how far it is: bytes while fetching, rows afterwards.
Progress = Callable[[Stage, int], None]
#: Prefix of the files of previews and uploads in the folder of incoming bodies.
_LEFT = "preview-"


class Lifecycle:
    """Begins and fails the runs of one data folder. Except for :meth:`recover`, callers hold the lock of the feed."""

    def __init__(self, store: Store, settings: Settings, bodies: BodyStore) -> None:
        self._store = store
        self._jitter = settings.refresh.jitter
        self._folder = settings.data_dir
        self._bodies = bodies

    def begin(self, feed: Feed, started_by: str) -> int:
        """Close the runs of the feed whose process died, begin a run, and return its id."""
        self._fail_dead_runs(feed)
        moment = now()
        run_id = self._store.runs.start(feed.id, started_by, moment)
        self._store.feeds.note_attempt(feed.name, moment, self.next_due(feed))
        return run_id

    def fail(self, feed: Feed, run_id: int, reason: str, guard: str | None = None) -> None:
        """End a run as failed, by ``guard`` if one did; the feed is due again after a back-off."""
        with contextlib.suppress(StoreError), self._store.database.transaction():
            failures = self._store.feeds.failures(feed.id) + 1
            self._store.runs.finish(run_id, Outcome.FAILED, reason)
            if guard:
                self._store.guard_findings.keep(run_id, [GuardFinding(guard, Effect.FAILS, reason)])
            self._store.feeds.note_failure(feed.id, later(now(), _backoff(failures, feed.every)))

    def next_due(self, feed: Feed) -> str:
        """Return when a feed is due after a run that did not fail."""
        return later(now(), feed.every * (1 + random.uniform(-self._jitter, self._jitter)))  # noqa: S311 - spreads load

    def body_path(self, run_id: int) -> Path:
        """Return the file that a run's body is fetched to."""
        return self._folder / "incoming" / f"run-{run_id}"

    def recover(self) -> None:
        """Close the runs whose process died, and remove the files of previews, uploads and ended runs."""
        # Listed before asking which runs are under way: a run that begins in between has no file in the list.
        files = [*(self._folder / "incoming").glob("run-*"), *self._bodies.unfinished()]
        under_way = set()
        for feed in self._store.feeds.including_removed():
            if self._store.runs.unfinished(feed.id):
                with contextlib.suppress(ConflictError), feed_lock(self._folder, feed.name, wait=0):
                    self._fail_dead_runs(feed)
                under_way |= {f"run-{run.id}" for run in self._store.runs.unfinished(feed.id)}
        for path in (self._folder / "incoming").glob(f"{_LEFT}*"):
            path.unlink(missing_ok=True)
        for path in files:
            if under_way.isdisjoint(path.name.split(".")):
                path.unlink(missing_ok=True)
        # Version 0.1 kept notes there, to read only the changed lines of a body.
        shutil.rmtree(self._folder / "readings", ignore_errors=True)

    def _fail_dead_runs(self, feed: Feed) -> None:
        # The lock of the feed is held: its unfinished runs belong to no living process.
        for run in self._store.runs.unfinished(feed.id):
            self.fail(feed, run.id, f"interrupted at stage {run.stage}: its process ended")
            self.body_path(run.id).unlink(missing_ok=True)


def incoming_file(data_dir: Path, name: str) -> Path:
    """Return where a list that no run has asked for is kept until it is read; the next start removes what is left."""
    return data_dir / "incoming" / f"{_LEFT}{name}"


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
def feed_lock(folder: Path, name: str, wait: float = 0) -> Iterator[None]:
    """Hold the lock of a feed; wait for it for so many seconds.

    :raises ConflictError: a run of the feed is under way.
    """
    lock = lock_file(folder, f"feed-{name}")
    try:
        lock.acquire(timeout=wait)
    except Timeout:
        raise ConflictError(f"feed {name!r} is being refreshed already: wait for that run, then try again") from None
    try:
        yield
    finally:
        lock.release()


def _backoff(failures: int, every: int) -> float:
    """Return the seconds to the next try after so many failures in a row (Safe Browsing API v4, "Request frequency").

    A feed that is refreshed more often than that keeps its pace for the first failures.
    """
    # From a quarter of an hour after a first failure to a day after many.
    doubled: float = 900 * 2 ** min(failures - 1, 20) * (1 + random.random())  # noqa: S311 - spreads load
    return min(doubled, 86_400, every * 2.0 ** min(failures, 20))
