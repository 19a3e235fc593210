"""Runs: refreshes, their reviews, and the bodies they read."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from blocklist.access.identity import refuse_same_person
from blocklist.domain.errors import NotFoundError
from blocklist.domain.listing import Rejected
from blocklist.domain.run import Change, GuardFinding, Outcome, Run
from blocklist.refresh import retention
from blocklist.refresh.lifecycle import Progress
from blocklist.service import review
from blocklist.service.publishing import WAIT_FOR_RUN, Publishing


@dataclass(frozen=True, slots=True)
class RunDetail:
    """A run as a person reviews it.

    ``said`` is what the guards said; ``changes`` one page of ``changes_found``; ``newer`` the runs that read another
    body since; ``outdated`` whether the list has changed since it was compared.
    """

    run: Run
    said: tuple[GuardFinding, ...]
    changes: tuple[Change, ...]
    changes_found: int
    rejections: tuple[Rejected, ...]
    newer: tuple[Run, ...]
    outdated: bool


class RunTasks(Publishing):
    """What is done with runs."""

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
        """Refresh a feed now and publish what came of it; ``begun`` is told the run's id as soon as it has one.

        :raises NotFoundError: there is no such feed.
        :raises ConflictError: another run of the feed did not end within ``wait`` seconds.
        """
        run = self.refresher.refresh(name, actor, file=file, wait=wait, progress=progress, begun=begun)
        if run.outcome in (Outcome.APPLIED, Outcome.UNCHANGED):
            self.publish(confirmed=True)
        retention.prune_daily(self.store, self.refresher.bodies, self.settings.evidence)
        return run

    def approve(self, run_id: int, actor: str, reason: str) -> Run:
        """Apply exactly the body of a held run, and publish.

        :raises ConflictError: the run does not wait for review.
        :raises ForbiddenError: two people must agree, and it is the actor's own doing.
        """
        self.check_two_people(run_id, actor)
        run = review.approve(self.store, self.refresher, run_id, actor, reason)
        self.publish(confirmed=True)
        return run

    def check_two_people(self, run_id: int, actor: str, before: str | None = None) -> None:
        """Refuse, where two people must agree, whoever started a run or changed its feed since its list last applied.

        ``before`` is the moment of an entry held alone: that the rest of its list applied then was nobody's agreement.

        :raises ForbiddenError: the actor is one of them.
        :raises NotFoundError: there is no such run.
        """
        if not self.settings.access.two_people:
            return
        run = self.store.runs.get(run_id)
        applied = self.store.runs.last_applied(run.feed, before)
        editors = self.store.audit.actors(("feed.add", "feed.edit"), run.feed, since=applied or "")
        refuse_same_person(actor, [run.trigger, *editors], f"run {run_id}")

    def reject(self, run_id: int, actor: str, reason: str) -> Run:
        """Drop the body of a held run.

        :raises ConflictError: the run does not wait for review.
        """
        return review.reject(self.store, run_id, actor, reason)

    def run_detail(
        self,
        run_id: int,
        *,
        change: str | None = None,
        search: str = "",
        standing_out: bool = False,
        limit: int = 100,
        offset: int = 0,
    ) -> RunDetail:
        """Return a run as a person reviews it, with one page of what it would change.

        ``change`` (``added``, ``removed`` or ``held``), ``search`` and ``standing_out`` narrow the changes.

        :raises NotFoundError: there is no such run.
        """
        run = self.store.runs.get(run_id)
        changes, found = self.store.changes.find(
            run_id, change=change, search=search, standing_out=standing_out, limit=limit, offset=offset
        )
        pending = bool(run.review and run.review["state"] == "pending")
        outdated = False
        if pending:
            last_change = self.store.feeds.get(run.feed).last_change
            outdated = bool(last_change and last_change > (run.finished_at or ""))
        return RunDetail(
            run,
            tuple(self.store.changes.said(run_id)),
            tuple(changes),
            found,
            tuple(self.store.runs.rejections(run_id)),
            tuple(self.store.runs.newer_bodies(run)) if run.body_sha256 and run.review else (),
            outdated,
        )

    @contextlib.contextmanager
    def run_body(self, run_id: int) -> Iterator[BinaryIO]:
        """Give the body that a run read, as it came.

        :raises NotFoundError: there is no such run, it read none, or its body is kept no longer.
        """
        sha256 = self.store.runs.get(run_id).body_sha256
        if sha256 is None:
            raise NotFoundError(f"run {run_id} read no body: it ended before one was there")
        about = self.store.evidence.about(sha256)
        if about and about["pruned_at"]:
            raise NotFoundError(
                f"the body of run {run_id} ({sha256[:12]}…) was removed on {about['pruned_at']}, as the setting "
                "evidence.keep_for says; a backup may have it"
            )
        with self.refresher.bodies.open(sha256) as body:
            yield body

    def prune_bodies(self) -> int:
        """Remove the bodies that are older than the setting allows and that nothing needs; return how many."""
        return retention.prune(self.store, self.refresher.bodies, self.settings.evidence)
