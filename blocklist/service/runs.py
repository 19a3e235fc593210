"""Runs: refreshing feeds, reviewing held runs, and the bodies that runs read."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from blocklist.access.identity import refuse_same_person
from blocklist.config.settings import AccessSettings, Settings
from blocklist.definitions.definition import definition_of
from blocklist.domain.errors import ConflictError, NotFoundError, UsageError
from blocklist.domain.listing import Rejected
from blocklist.domain.run import GuardFinding, HeldChange, Outcome, Run
from blocklist.fetch.body import modified_of
from blocklist.refresh import recording, retention
from blocklist.refresh.inspection import Arrival
from blocklist.refresh.lifecycle import Progress
from blocklist.refresh.releasing import release_confirmed
from blocklist.refresh.run import Refresher
from blocklist.service.feeds import WAIT_FOR_RUN
from blocklist.service.publishing import Publisher
from blocklist.store import Store

#: Seconds that a decision of a person waits for a run of the same feed to end.
WAIT_FOR_REVIEW = 60


@dataclass(frozen=True, slots=True)
class RunDetail:
    """A run as a person reviews it.

    ``findings`` are what the guards found; ``changes`` one page of ``changes_found``; ``newer`` the later runs that
    read another body; ``outdated`` whether the list has changed since the run compared its body with it.
    """

    run: Run
    findings: tuple[GuardFinding, ...]
    changes: tuple[HeldChange, ...]
    changes_found: int
    rejections: tuple[Rejected, ...]
    newer: tuple[Run, ...]
    outdated: bool


class RunService:
    """The runs of every feed."""

    def __init__(self, store: Store, settings: Settings, refresher: Refresher, publisher: Publisher) -> None:
        self._store = store
        self._settings = settings
        self._refresher = refresher
        self._publisher = publisher
        self.get, self.page = store.runs.get, store.runs.page
        self.pending, self.newer_bodies = store.runs.pending, store.runs.newer_bodies
        self.changes, self.so_far = store.held_changes.page, refresher.so_far.get

    def refresh(
        self,
        name: str,
        actor: str,
        *,
        file: Path | None = None,
        wait: float = WAIT_FOR_RUN,
        progress: Progress = lambda *_: None,
        begun: Callable[[int], None] = lambda _: None,
    ) -> Run:
        """Refresh a feed now, and publish its list; ``begun`` is called with the run's id as soon as it has one.

        :raises NotFoundError: there is no such feed.
        :raises ConflictError: another run of the feed did not end within ``wait`` seconds.
        """
        run = self._refresher.refresh(name, actor, file=file, wait=wait, progress=progress, begun=begun)
        if run.outcome in (Outcome.APPLIED, Outcome.UNCHANGED):
            release_confirmed(self._store, self._refresher)
            self._publisher.publish(confirmed=True)
        retention.prune_daily(self._store, self._refresher.bodies, self._settings.evidence)
        return run

    def approve(self, run_id: int, actor: str, reason: str) -> Run:
        """Apply exactly the body of a held run although guards hold it, publish, and return the run.

        :raises ConflictError: the run does not wait for review.
        :raises UnreadableFeedError: the body cannot be used under the present definition and settings of the feed.
        :raises ForbiddenError: two people must agree, and the actor started the run or changed its feed.
        """
        store, refresher = self._store, self._refresher
        refuse_own_run(store, self._settings.access, run_id, actor)
        run = self._pending(run_id, reason)
        feed = store.feeds.get(run.feed)
        with refresher.locked(run.feed, WAIT_FOR_REVIEW):
            run = self._pending(run_id, reason)
            try:
                with refresher.bodies.open(run.body_sha256 or "") as body:
                    inspection = refresher.inspector.inspect(
                        definition_of(feed),
                        feed.id,
                        body,
                        Arrival(
                            run.body_sha256 or "",
                            store.runs.content_type(run_id),
                            modified_of(store.runs.validators(run_id)),
                        ),
                    )
                if inspection.failure:
                    raise inspection.failure
                with store.database.transaction():
                    # Somebody may have rejected it while the body was read.
                    self._pending(run_id, reason)
                    recording.apply(store, feed, run_id, inspection)
                    self._review(run, "approved", actor, reason)
            finally:
                store.staging.clear()
        release_confirmed(store, refresher)
        self._publisher.publish(confirmed=True)
        return store.runs.get(run_id)

    def reject(self, run_id: int, actor: str, reason: str) -> Run:
        """Reject the body of a held run, and return the run: a later run with the same body fails with this reason.

        :raises ConflictError: the run does not wait for review.
        """
        with self._store.database.transaction():
            self._review(self._pending(run_id, reason), "rejected", actor, reason)
        return self._store.runs.get(run_id)

    def _pending(self, run_id: int, reason: str) -> Run:
        if not reason.strip():
            raise UsageError("a review needs a reason: it is kept as evidence")
        run = self._store.runs.get(run_id)
        state = run.review["state"] if run.review else "not held"
        if state != "pending":
            why = f" ({run.review['reason']})" if run.review and run.review["reason"] else ""
            raise ConflictError(f"run {run_id} does not wait for review: it is {state}{why}")
        return run

    def _review(self, run: Run, state: str, actor: str, reason: str) -> None:
        self._store.runs.review(run.id, state, actor, reason)
        action = "run.approve" if state == "approved" else "run.reject"
        self._store.audit.add(actor, action, str(run.id), feed=run.feed, reason=reason, held_for=run.reason)

    def detail(
        self,
        run_id: int,
        *,
        change: str | None = None,
        search: str = "",
        standing_out: bool = False,
        limit: int = 100,
        offset: int = 0,
    ) -> RunDetail:
        """Return a run as a person reviews it, with one page of the changes that it would make.

        ``change`` (``added``, ``removed`` or ``held``), ``search`` and ``standing_out`` select some of the changes.

        :raises NotFoundError: there is no such run.
        """
        run = self._store.runs.get(run_id)
        changes, found = self._store.held_changes.find(
            run_id, change=change, search=search, standing_out=standing_out, limit=limit, offset=offset
        )
        pending = bool(run.review and run.review["state"] == "pending")
        last_change = self._store.feeds.get(run.feed).last_change if pending else None
        return RunDetail(
            run,
            tuple(self._store.guard_findings.of_run(run_id)),
            tuple(changes),
            found,
            tuple(self._store.runs.rejections(run_id)),
            tuple(self._store.runs.newer_bodies(run)) if run.body_sha256 and run.review else (),
            bool(last_change and last_change > (run.finished_at or "")),
        )

    @contextlib.contextmanager
    def body(self, run_id: int) -> Iterator[BinaryIO]:
        """Open the body that a run read, byte for byte.

        :raises NotFoundError: there is no such run, it read no body, or its body is no longer kept.
        """
        sha256 = self._store.runs.get(run_id).body_sha256
        if sha256 is None:
            raise NotFoundError(f"run {run_id} read no body: it ended before one arrived")
        about = self._store.evidence.about(sha256)
        if about and about["pruned_at"]:
            raise NotFoundError(
                f"the body of run {run_id} ({sha256[:12]}…) was removed on {about['pruned_at']}, as the setting "
                "evidence.keep_for says; a backup may have it"
            )
        with self._refresher.bodies.open(sha256) as body:
            yield body

    def prune_bodies(self) -> int:
        """Remove the bodies that are older than the setting allows and no longer needed; return how many."""
        return retention.prune(self._store, self._refresher.bodies, self._settings.evidence)


def refuse_own_run(
    store: Store, settings: AccessSettings, run_id: int, actor: str, *, before: str | None = None
) -> None:
    """Refuse, where two people must agree, whoever started a run or changed its feed since its list last applied.

    ``before`` is the moment at which an entry was held alone. That the rest of its list applied then was no agreement.

    :raises ForbiddenError: the actor is one of them.
    :raises NotFoundError: there is no such run.
    """
    if not settings.two_people:
        return
    run = store.runs.get(run_id)
    applied = store.runs.last_applied(run.feed, before)
    editors = store.audit.actors(("feed.add", "feed.edit"), run.feed, since=applied or "")
    refuse_same_person(actor, [run.trigger, *editors], f"run {run_id}")
