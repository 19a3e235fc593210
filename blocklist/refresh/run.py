"""A refresh of a feed, stage by stage from fetching to recording, with one outcome at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import structlog

from blocklist.config.settings import Settings
from blocklist.definitions.definition import FeedDefinition, definition_of
from blocklist.definitions.source import Source
from blocklist.domain.errors import BlocklistError, ConflictError, StoreError
from blocklist.domain.listing import Feed
from blocklist.domain.run import Run, Stage
from blocklist.fetch import Body, fetch
from blocklist.fetch.body import BodyStore, modified_of
from blocklist.refresh import recording
from blocklist.refresh.inspection import Arrival, Inspection, Inspector
from blocklist.refresh.lifecycle import Lifecycle, Progress, feed_lock
from blocklist.store import Store

_LOG = structlog.get_logger("blocklist.refresh")


class Refresher:
    """Runs refreshes over one data folder; at most one run of a feed at a time, across processes."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self.bodies = BodyStore(settings.data_dir / "bodies")
        self.inspector = Inspector(store, settings)
        self._lifecycle = Lifecycle(store, settings, self.bodies)
        self.recover = self._lifecycle.recover
        self.locked = partial(feed_lock, settings.data_dir)
        #: How far the runs of this process are, by id (see :data:`.Progress`).
        self.so_far: dict[int, tuple[Stage, int]] = {}
        self._working = threading.BoundedSemaphore(settings.refresh.concurrent)

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
        """Refresh a feed and return its run. After ``held`` and ``failed`` the previous list continues to serve.

        ``file`` is read instead of the feed's source. ``wait`` is how many seconds to wait for another run of the feed.
        ``begun`` is called with the run's id as soon as it has one.

        :raises NotFoundError: there is no such feed.
        :raises ConflictError: another run of the feed is under way.
        """
        self._store.feeds.get(name)
        with self.locked(name, wait):
            # Read again: during the wait, the feed may have been removed, and another added under its name.
            feed = self._store.feeds.get(name)
            run_id = self._lifecycle.begin(feed, started_by)
            begun(run_id)
            self.so_far[run_id] = (Stage.FETCH, 0)

            def report(stage: Stage, so_far: int) -> None:
                self.so_far[run_id] = (stage, so_far)
                progress(stage, so_far)

            try:
                self._run(feed, run_id, file, report)
            except BlocklistError as error:
                self._lifecycle.fail(feed, run_id, str(error), getattr(error, "guard", None))
            except Exception as error:
                _LOG.exception("run broke", feed=name, run=run_id)
                reason = f"a fault of the service, please report it: {type(error).__name__}: {error}"
                self._lifecycle.fail(feed, run_id, reason)
            finally:
                self.so_far.pop(run_id, None)
                self._store.staging.clear()
                self._lifecycle.body_path(run_id).unlink(missing_ok=True)
        run = self._store.runs.get(run_id)
        if run.outcome is None:
            raise StoreError(f"run {run_id} of {name}: the database did not record how it ended: is the disk full?")
        _LOG.info("run ended", feed=name, run=run.id, outcome=str(run.outcome), reason=run.reason)
        return run

    def _run(self, feed: Feed, run_id: int, file: Path | None, progress: Progress) -> None:
        definition = definition_of(feed)
        applied, fingerprint, validators = self._store.feeds.applied(feed.name)
        # Under another fingerprint the body must be read again, even if its publisher has not changed it.
        if fingerprint != self.inspector.fingerprint(definition):
            applied = ""
        body = fetch(
            Source(file=str(file)) if file else definition.source,
            self._lifecycle.body_path(run_id),
            self._settings.fetch,
            validators if applied else {},
            lambda size: progress(Stage.FETCH, size),
        )
        if body is not None:
            self._store.runs.note_body(run_id, body.sha256, body.size, body.validators)
        if body is None or body.sha256 == applied:
            recording.unchanged(self._store, feed, run_id, body)
            return
        self._refuse_rejected(feed, body)
        # Any number of runs may wait for their publishers; how many read and record at once is limited.
        with self._working:
            inspection = self._inspect(feed, definition, body, run_id, progress)
            if inspection.holding:
                recording.hold(self._store, feed, run_id, inspection, self._lifecycle.next_due(feed))
                return
            progress(Stage.RECORD, inspection.read.entries)
            recording.apply(self._store, feed, run_id, inspection)

    def _refuse_rejected(self, feed: Feed, body: Body) -> None:
        rejected = self._store.runs.rejected_body(feed.id, body.sha256)
        if rejected and rejected.review:
            review = rejected.review
            raise ConflictError(
                f"this very body was rejected by {review['by']} on {review['at']} (run {rejected.id}): "
                f"{review['reason']}"
            )

    def _inspect(
        self, feed: Feed, definition: FeedDefinition, body: Body, run_id: int, progress: Progress
    ) -> Inspection:
        runs = self._store.runs
        runs.reach(run_id, Stage.PARSE)

        def record(stage: Stage, found: Inspection) -> None:
            # At once, so that a run that fails or dies later shows how far it was, and what it found.
            if stage is Stage.PARSE:
                runs.note_format(run_id, found.description, body.content_type)
                return
            if stage is Stage.NORMALIZE:
                scan = found.scan
                self._store.evidence.note(body.sha256, scan.ends_open, scan.stated_date, scan.end_marker)
            runs.reach(run_id, stage)
            if stage is Stage.GUARD:
                progress(Stage.GUARD, found.read.entries)
                with self._store.database.transaction():
                    if found.read.dates_note:
                        runs.note_format(run_id, found.description, body.content_type)
                    runs.keep_rejections(run_id, found.rejections)
                    runs.note_counts(run_id, found.counts, found.rejected_by_code)

        with self.bodies.keeping(body), body.path.open("rb") as stream:
            inspection = self.inspector.inspect(
                definition,
                feed.id,
                stream,
                Arrival(body.sha256, body.content_type, modified_of(body.validators)),
                folder=body.path.parent,
                observer=record,
                progress=lambda rows: progress(Stage.NORMALIZE, rows),
            )
            if inspection.failure:
                raise inspection.failure
        return inspection
