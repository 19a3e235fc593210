"""The orchestrator: a refresh from top to bottom in the contract's stages, with one outcome at the end."""

from __future__ import annotations

import contextlib
import random
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import structlog
from filelock import FileLock, Timeout

from blocklist.config.settings import GuardSettings, Settings
from blocklist.definitions.definition import FeedDefinition, Source, definition_of
from blocklist.domain.clock import later, now
from blocklist.domain.errors import BlocklistError, ConflictError, StoreError
from blocklist.domain.listing import Feed
from blocklist.domain.run import Effect, GuardFinding, Outcome, Run, RunCounts, Stage
from blocklist.fetch import Body, fetch
from blocklist.fetch.body import BodyStore
from blocklist.refresh import entry_guards, guard_evaluation, guards
from blocklist.refresh.body_reader import BodyReader, reading_of
from blocklist.refresh.encoding_check import look_through
from blocklist.store import Store
from blocklist.store.staging import Diff

#: Told the stage and how far it is (bytes while fetching, rows afterwards).
Progress = Callable[[Stage, int], None]
_LOG = structlog.get_logger("blocklist.refresh")
_BACKOFF_FIRST = 15 * 60
_BACKOFF_MOST = 24 * 3600


class Refresher:
    """Runs refreshes over one data folder; at most one run of a feed at a time, across processes."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._folder = settings.data_dir
        self.bodies = BodyStore(settings.data_dir / "bodies")
        self._working = threading.BoundedSemaphore(settings.refresh.concurrent)
        self._so_far: dict[int, tuple[Stage, int]] = {}

    def refresh(
        self,
        name: str,
        started_by: str,
        *,
        file: Path | None = None,
        wait: float = 0,
        progress: Progress = lambda *_: None,
        begun: Callable[[int], None] = lambda _: None,
    ) -> Run:
        """Refresh a feed and return how it went. After ``held`` and ``failed`` the previous list goes on serving.

        ``file`` brings the body from there; ``wait`` is how many seconds to wait for another run of the feed;
        ``begun`` is told the run's id as soon as it has one.

        :raises NotFoundError: there is no such feed.
        :raises ConflictError: another run of the feed is under way.
        """
        self._store.feeds.get(name)
        with self.locked(name, wait):
            # Read again: while this one waited, the feed may have been removed, and another added under its name.
            feed = self._store.feeds.get(name)
            self._bury_dead_runs(feed)
            moment = now()
            run_id = self._store.runs.start(feed.id, started_by, moment)
            self._store.feeds.note_attempt(name, moment, self._next_due(feed, moment))
            begun(run_id)
            try:
                self._stages(feed, run_id, file, self._watched(run_id, progress))
            except BlocklistError as error:
                self._fail(feed, run_id, str(error), getattr(error, "guard", None))
            except Exception as error:
                _LOG.exception("run broke", feed=name, run=run_id)
                self._fail(feed, run_id, f"a fault of the service, please report it: {type(error).__name__}: {error}")
            finally:
                self._so_far.pop(run_id, None)
                self._store.staging.clear()
                self._body_path(run_id).unlink(missing_ok=True)
        run = self._store.runs.get(run_id)
        if run.outcome is None:
            raise StoreError(f"run {run_id} of {name}: the database took no note of how it ended: is the disk full?")
        _LOG.info("run ended", feed=name, run=run.id, outcome=str(run.outcome), reason=run.reason)
        return run

    @contextlib.contextmanager
    def locked(self, name: str, wait: float = 0) -> Iterator[None]:
        """Hold the one lock of a feed; it goes with its process, however that ends.

        :raises ConflictError: another run of the feed is under way.
        """
        try:
            lock = lock_file(self._folder, f"feed-{name}")
            lock.acquire(timeout=wait)
        except Timeout:
            raise ConflictError(
                f"feed {name!r} is being refreshed already: wait for that run, then try again"
            ) from None
        try:
            yield
        finally:
            lock.release()

    def recover(self) -> None:
        """Close the runs whose process died, and remove the files that runs left which are not under way."""
        # Looked for before asking which runs are: one that begins meanwhile is not among them.
        left = [*(self._folder / "incoming").glob("run-*"), *self.bodies.unfinished()]
        alive = set()
        for feed in self._store.feeds.including_removed():
            if self._store.runs.unfinished(feed.id):
                with contextlib.suppress(ConflictError), self.locked(feed.name):
                    self._bury_dead_runs(feed)
                alive |= {f"run-{run.id}" for run in self._store.runs.unfinished(feed.id)}
        for path in left:
            if alive.isdisjoint(path.name.split(".")):
                path.unlink(missing_ok=True)
        # Builds of version 0.1 kept notes in it, for reading only the lines of a body that had changed.
        shutil.rmtree(self._folder / "readings", ignore_errors=True)

    def so_far(self, run_id: int) -> tuple[Stage, int] | None:
        """Return how far a run of this process is (see :data:`Progress`); None for another's, or one that ended."""
        return self._so_far.get(run_id)

    def _watched(self, run_id: int, progress: Progress) -> Progress:
        self._so_far[run_id] = (Stage.FETCH, 0)

        def told(stage: Stage, so_far: int) -> None:
            self._so_far[run_id] = (stage, so_far)
            progress(stage, so_far)

        return told

    def limits(self, definition: FeedDefinition) -> GuardSettings:
        """Return what the runs of a feed may do without a person looking."""
        return guards.limits_of(definition, self._settings.guards)

    def reader(self, definition: FeedDefinition, progress: Callable[[int], None] = lambda _: None) -> BodyReader:
        """Return what reads a body as a definition says, within the limits of the settings."""
        refusal = entry_guards.never_block(self.limits(definition).never_block)
        return BodyReader(definition, progress, self._settings.fetch.max_bytes, refusal)

    def stage_and_compare(
        self, feed: Feed, definition: FeedDefinition, body: BinaryIO, reader: BodyReader, run_id: int
    ) -> Diff:
        """Stage an open body, except entries that wait for a person, and compare it with what the feed lists.

        :raises UnreadableFeedError: no later row of the body could be trusted.
        """
        self._store.runs.reach(run_id, Stage.NORMALIZE)
        self._store.staging.load(reader.read_in_blocks(body))
        self._store.runs.reach(run_id, Stage.DIFF)
        entry_guards.sift(self._store, feed.name, feed.id, reader, self.limits(definition))
        return self._store.staging.diff(feed.id)

    def record(
        self, feed: Feed, definition: FeedDefinition, run_id: int, counts: RunCounts, diff: Diff, reader: BodyReader
    ) -> Run:
        """Make the staged body what the feed lists, with everything that goes with it, in one transaction."""
        store = self._store
        run = store.runs.get(run_id)
        changed = bool(diff.added or diff.removed or diff.amended)
        with store.database.transaction():
            # Once the lock is had: later changes then never carry an earlier moment, and whoever asks what changed
            # since the last one it saw misses nothing.
            moment = now()
            store.runs.reach(run_id, Stage.RECORD)
            store.listings.record(feed.id, run_id, moment, diff)
            store.runs.keep_rejections(run_id, reader.rejections)
            store.holds.keep(feed.name, run_id, reader.held)
            held_for = [item for item in store.guard_findings.of_run(run_id) if item.effect is Effect.HOLDS]
            store.guard_findings.keep(run_id, [*held_for, *entry_guards.summary(reader)])
            self._supersede(feed, run_id)
            validators = store.runs.validators(run_id)
            store.feeds.note_success(feed.name, moment, validators)
            last_change = moment if changed else feed.last_change or moment
            store.feeds.note_change(
                feed.name, last_change, body=run.body_sha256 or "", reading=self.reading(definition), listed=diff.rules
            )
            store.statistics.update_counts(feed.id)
            outcome = Outcome.APPLIED if changed else Outcome.UNCHANGED
            store.runs.finish(run_id, outcome, _applied(counts, changed), counts, dict(reader.rejected))
            if changed:
                store.snapshots.contents_changed()
        return store.runs.get(run_id)

    def _stages(self, feed: Feed, run_id: int, file: Path | None, progress: Progress) -> None:
        definition = definition_of(feed)
        body = self._fetch(feed, definition, run_id, file, progress)
        if body is None or self._is_what_serves(feed, definition, body):
            self._unchanged(feed, run_id, body)
            return
        self._refuse_rejected(feed, body)
        # Fetching is waiting: any number of runs may. Reading and recording are work, which has a limit.
        with self._working:
            self._read_and_record(feed, definition, body, run_id, progress)

    def _read_and_record(
        self, feed: Feed, definition: FeedDefinition, body: Body, run_id: int, progress: Progress
    ) -> None:
        self._store.runs.reach(run_id, Stage.PARSE)
        limits = self.limits(definition)
        reader = self.reader(definition, lambda rows: progress(Stage.NORMALIZE, rows))
        with (
            self.bodies.keeping(body),
            body.path.open("rb") as raw,
            reader.opened(raw, body.content_type, body.path.parent) as opened,
        ):
            self._store.runs.note_format(run_id, reader.seen, body.content_type)
            guards.check_body(opened, reader.encoding, reader.holds, limits.off)
            look = look_through(opened, reader.encoding, limits, reader.holds)
            self._store.evidence.note(body.sha256, look.ends_open, look.stated_date)
            diff = self.stage_and_compare(feed, definition, opened, reader, run_id)

        self._store.runs.reach(run_id, Stage.GUARD)
        progress(Stage.GUARD, reader.entries)
        counts = reader.counts(diff)
        self._keep_figures(run_id, counts, reader)
        held = guard_evaluation.judge(self._store, feed.id, limits, look, reader, diff)
        if held:
            self._hold(feed, run_id, held, counts, reader)
            return

        progress(Stage.RECORD, reader.entries)
        self.record(feed, definition, run_id, counts, diff, reader)

    def reading(self, definition: FeedDefinition) -> str:
        """Return a word that changes whenever a feed's body would be read otherwise."""
        return reading_of(definition, self.limits(definition))

    def _fetch(
        self, feed: Feed, definition: FeedDefinition, run_id: int, file: Path | None, progress: Progress
    ) -> Body | None:
        applied, reading, validators = self._store.feeds.applied(feed.name)
        # A body that would be read otherwise now must be read anew, even if its publisher has not touched it.
        current = validators if applied and reading == self.reading(definition) else {}
        source = Source(file=str(file)) if file else definition.source
        into = self._body_path(run_id)
        body = fetch(source, into, self._settings.fetch, current, lambda size: progress(Stage.FETCH, size))
        if body is not None:
            self._store.runs.note_body(run_id, body.sha256, body.size, body.validators)
        return body

    def _is_what_serves(self, feed: Feed, definition: FeedDefinition, body: Body) -> bool:
        applied, reading, _ = self._store.feeds.applied(feed.name)
        return body.sha256 == applied and reading == self.reading(definition)

    def _refuse_rejected(self, feed: Feed, body: Body) -> None:
        rejected = self._store.runs.rejected_body(feed.id, body.sha256)
        if rejected and rejected.review:
            review = rejected.review
            raise ConflictError(
                f"this very body was rejected by {review['by']} on {review['at']} (run {rejected.id}): "
                f"{review['reason']}"
            )

    def _unchanged(self, feed: Feed, run_id: int, body: Body | None) -> None:
        with self._store.database.transaction():
            self._store.feeds.note_success(feed.name, now(), body.validators if body else None)
            self._supersede(feed, run_id)
            why = "the body is the one that serves already" if body else "the publisher says that it has not changed"
            said = f"{why}: {feed.listed:,} sites"
            self._store.runs.finish(run_id, Outcome.UNCHANGED, said, RunCounts(listed=feed.listed))

    def _hold(self, feed: Feed, run_id: int, said: list[GuardFinding], counts: RunCounts, reader: BodyReader) -> None:
        with self._store.database.transaction():
            self._supersede(feed, run_id, self._store.runs.get(run_id).body_sha256)
            guard_evaluation.keep_changes(self._store, run_id, feed.id, reader)
            self._store.guard_findings.keep(run_id, [*said, *entry_guards.summary(reader)])
            reason = "; ".join(item.sentence for item in said)
            self._store.runs.finish(run_id, Outcome.HELD, reason, counts, dict(reader.rejected))
            self._store.feeds.note_failure(feed.id, self._next_due(feed, now()))

    def _supersede(self, feed: Feed, by_run: int, body: str | None = None) -> None:
        self._store.runs.supersede(feed.id, by_run, body)
        self._store.held_changes.delete_superseded(feed.id)

    def _keep_figures(self, run_id: int, counts: RunCounts, reader: BodyReader) -> None:
        with self._store.database.transaction():
            self._store.runs.keep_rejections(run_id, reader.rejections)
            self._store.runs.note_counts(run_id, counts, dict(reader.rejected))

    def _fail(self, feed: Feed, run_id: int, reason: str, guard: str | None = None) -> None:
        with contextlib.suppress(StoreError), self._store.database.transaction():
            failures = self._store.feeds.failures(feed.id) + 1
            self._store.runs.finish(run_id, Outcome.FAILED, reason)
            if guard:
                self._store.guard_findings.keep(run_id, [GuardFinding(guard, Effect.FAILS, reason)])
            self._store.feeds.note_failure(feed.id, later(now(), _backoff(failures, feed.every)))

    def _bury_dead_runs(self, feed: Feed) -> None:
        """Close the runs of a feed whose process died. The caller holds the feed's lock: nobody else runs them."""
        for run in self._store.runs.unfinished(feed.id):
            self._fail(feed, run.id, f"interrupted at stage {run.stage}: its process ended")
            self._body_path(run.id).unlink(missing_ok=True)

    def _next_due(self, feed: Feed, moment: str) -> str:
        jitter = self._settings.refresh.jitter
        return later(moment, feed.every * (1 + random.uniform(-jitter, jitter)))  # noqa: S311 - spreads load, hides nothing

    def _body_path(self, run_id: int) -> Path:
        return self._folder / "incoming" / f"run-{run_id}"


def lock_file(folder: Path, name: str) -> FileLock:
    """Return a lock of a data folder; it goes with its process, however that ends.

    :raises StoreError: the folder of the locks cannot be used.
    """
    try:
        (folder / "locks").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder / 'locks'}: cannot be used: {error.strerror}") from None
    return FileLock(folder / "locks" / f"{name}.lock")


def _backoff(failures: int, every: int) -> float:
    """Return the seconds to the next try after so many failures in a row (Safe Browsing API v4, "Request frequency").

    A feed refreshed more often than that keeps its pace for the first failures.
    """
    doubled: float = _BACKOFF_FIRST * 2 ** min(failures - 1, 20) * (1 + random.random())  # noqa: S311 - spreads load
    return min(doubled, _BACKOFF_MOST, every * 2.0 ** min(failures, 20))


def _applied(counts: RunCounts, changed: bool) -> str:
    waits = f"; {counts.held:,} held alone for a person" if counts.held else ""
    if not changed:
        return f"the body was read anew and lists the same {counts.rules:,} sites{waits}"
    figures = f"{counts.added:,} added, {counts.removed:,} removed, {counts.amended:,} restated"
    return f"{counts.rules:,} sites: {figures}{waits}"
