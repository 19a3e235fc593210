"""What commands, HTTP and pages call: one function a task, over one data folder.

Each function that changes something takes the ``actor`` who asked for it and writes the audit log in the transaction of
the change.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from blocklist.clock import now
from blocklist.config import Settings
from blocklist.definition import FeedDefinition
from blocklist.errors import ConflictError, NotFoundError, SnapshotError, StoreError, UsageError
from blocklist.normalize.hosts import parse_app, parse_target
from blocklist.normalize.rules import Reading, matches, site_rule
from blocklist.refresh import holds, retention, review
from blocklist.refresh.preview import PREFIX, Preview, Previewer
from blocklist.refresh.run import Progress, Refresher, lock_file
from blocklist.snapshot.compiler import Compiler, FeedSource, ListingRow
from blocklist.snapshot.folder import Pointer, SnapshotFolder
from blocklist.snapshot.reader import Snapshot, same_policies
from blocklist.store import Store
from blocklist.store.feeds import definition_of
from blocklist.vocabulary import (
    Change,
    Entry,
    Feed,
    Hold,
    Listing,
    Outcome,
    Override,
    OverrideAction,
    Rejected,
    Rule,
    RuleKind,
    Run,
    Said,
    Scope,
    Target,
    Verdict,
)

#: Seconds that a person's refresh waits for one of the schedule to end.
_WAIT_FOR_RUN = 600


@dataclass(frozen=True, slots=True)
class RunDetail:
    """A run as a person reviews it.

    ``said`` is what the guards said; ``changes`` one page of ``changes_found``; ``newer`` the runs that read another
    body since; ``outdated`` whether the list has changed since it was compared.
    """

    run: Run
    said: tuple[Said, ...]
    changes: tuple[Change, ...]
    changes_found: int
    rejections: tuple[Rejected, ...]
    newer: tuple[Run, ...]
    outdated: bool


class Service:
    """The control plane over one data folder."""

    def __init__(self, settings: Settings) -> None:
        """Open the data folder, creating it where needed.

        :raises StoreError: the folder or the database in it cannot be used.
        """
        self.settings = settings
        self._folder = settings.data_dir
        _check_writable(self._folder)
        self.store = Store(self._folder / "blocklist.db")
        self.refresher = Refresher(self.store, settings)
        self.snapshots = SnapshotFolder(self._folder / "snapshots")
        self._fitting: tuple[object, ...] = ()

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()

    # Feeds

    def add_feed(self, definition: FeedDefinition, actor: str) -> Feed:
        """Add a feed; it is due at once.

        :raises ConflictError: there is one of that name.
        :raises UsageError: the list is for reference only.
        """
        _refuse_reference(definition)
        with self.store.database.transaction():
            feed = self.store.feeds.add(definition)
            self.store.audit.add(actor, "feed.add", feed.name, definition=feed.definition)
        return feed

    def pause_feed(self, name: str, paused: bool, actor: str) -> Feed:
        """Stop or resume a feed's schedule; what it lists goes on counting.

        :raises NotFoundError: there is no such feed.
        """
        with self.store.database.transaction():
            self.store.feeds.get(name)
            self.store.feeds.set_paused(name, paused)
            self.store.audit.add(actor, "feed.pause" if paused else "feed.resume", name)
        return self.store.feeds.get(name)

    def remove_feed(self, name: str, actor: str) -> int:
        """End a feed: its listings are closed, and stay in the history. Return how many there were.

        :raises NotFoundError: there is no such feed.
        """
        with self.refresher.locked(name, _WAIT_FOR_RUN), self.store.database.transaction():
            feed = self.store.feeds.get(name)
            moment = now()
            run_id = self.store.runs.start(feed.id, actor, moment)
            closed = self.store.listings.close_all(feed.id, run_id, moment)
            self.store.runs.supersede(feed.id, run_id)
            self.store.changes.drop_superseded(feed.id)
            self.store.holds.withdraw_all(name)
            self.store.runs.finish(run_id, Outcome.APPLIED, f"the feed was removed: {closed:,} sites delisted")
            self.store.feeds.remove(name)
            self.store.snapshots.contents_changed()
            self.store.audit.add(actor, "feed.remove", name, delisted=closed)
        self.publish()
        return closed

    def preview(self, definition: FeedDefinition, file: Path | None = None) -> Preview:
        """Read a feed's list as it stands now, and keep nothing.

        :raises FetchError: the body could not be had.
        :raises UsageError: the list is for reference only.
        """
        _refuse_reference(definition)
        return Previewer(self.store, self.refresher, self.settings).preview(definition, file)

    # Runs

    def refresh(
        self,
        name: str,
        actor: str,
        *,
        file: Path | None = None,
        wait: float = _WAIT_FOR_RUN,
        progress: Progress = lambda *_: None,
    ) -> Run:
        """Refresh a feed now and publish what came of it.

        :raises NotFoundError: there is no such feed.
        :raises ConflictError: another run of the feed did not end within ``wait`` seconds.
        """
        run = self.refresher.refresh(name, actor, file=file, wait=wait, progress=progress)
        if run.outcome in (Outcome.APPLIED, Outcome.UNCHANGED):
            self.publish(confirmed=True)
        retention.prune_daily(self.store, self.refresher.bodies, self.settings.evidence)
        return run

    def approve(self, run_id: int, actor: str, reason: str) -> Run:
        """Apply exactly the body of a held run, and publish.

        :raises ConflictError: the run does not wait for review.
        """
        run = review.approve(self.store, self.refresher, run_id, actor, reason)
        self.publish(confirmed=True)
        return run

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
        feed = next((feed for feed in self.store.feeds.all() if feed.name == run.feed), None)
        outdated = bool(pending and feed and feed.last_change and feed.last_change > (run.finished_at or ""))
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

    # Entries held alone

    def approve_hold(self, id_: int, actor: str, reason: str) -> Hold:
        """List an entry that was held alone, now and in later lists of its feed, and publish.

        :raises ConflictError: it does not wait.
        """
        hold = holds.approve(self.store, self.refresher, id_, actor, reason)
        self.publish()
        return hold

    def refuse_hold(self, id_: int, actor: str, reason: str) -> Hold:
        """Keep an entry that was held alone off the list, in later lists of its feed too.

        :raises ConflictError: it does not wait.
        """
        return holds.refuse(self.store, self.refresher, id_, actor, reason)

    def revoke_hold(self, id_: int, actor: str, reason: str) -> Hold:
        """Take the decision on an entry back: it waits again, and is not listed meanwhile; and publish.

        :raises ConflictError: nobody decided on it.
        """
        hold = holds.revoke(self.store, self.refresher, id_, actor, reason)
        self.publish()
        return hold

    # Verdicts and evidence

    def lookup(self, target: Target, policy: str, *, at: str | None = None, explain: bool = False) -> Verdict:
        """Return the verdict for a target, now or as it was at a moment.

        :raises SnapshotError: there is no snapshot yet.
        :raises NotFoundError: there is no such policy.
        """
        return self.snapshot(target, at).decide(target, policy, explain=explain)

    def snapshot(self, target: Target | None = None, at: str | None = None) -> Snapshot:
        """Return the current snapshot, or one of what counted for a target at a moment in the past.

        :raises SnapshotError: there is none yet.
        """
        if at is None or target is None:
            current = self.snapshots.current()
            if current is None:
                raise SnapshotError(
                    "there is no snapshot yet: add a feed and refresh it, or run 'blocklist snapshot build'"
                )
            return current
        listings = self.history(target, at)
        # They held then, whatever the clock says now: a snapshot compares the end of an override with the present.
        held = [replace(item, until=None) for item in self.store.overrides.active(at)]
        compiler = self._compiler(self.store.listings.rows_at(item.id for item in listings), held)
        out = io.BytesIO()
        compiler.write(out, 0, at, 0)
        return Snapshot(self._folder, out.getvalue())

    def explained(self, target: Target, verdict: Verdict, at: str | None = None) -> list[dict[str, Any]]:
        """Return the listings of an explained verdict, each with its evidence: run, body (SHA-256) and position.

        A snapshot knows none of these; where the database has moved on since it was built, they are None.
        """
        rows = self.history(target, at or now())
        known = {(row.feed, row.rule.value, row.rule.scope.value): row for row in rows}
        explained = []
        for listing in verdict.listings:
            row = known.get((listing.get("feed", ""), listing.get("rule", ""), listing.get("scope", "")))
            evidence = {
                "run": row.run if row else None,
                "body_sha256": row.body_sha256 if row else None,
                "position": row.position if row else None,
            }
            explained.append({**listing, **evidence})
        return explained

    def history(self, target: Target, at: str | None = None) -> list[Listing]:
        """Return every listing ever of what covers a target (or of those at a moment), oldest first.

        For a bare host, the listings of URLs on it belong to its history too.
        """
        if target.app is not None or target.ip is not None:
            found = self.store.listings.candidates(
                [], [target.host] if target.ip else [], [target.app or target.ip or ""]
            )
        else:
            labels = target.host.split(".")
            hosts = [".".join(labels[index:]) for index in range(len(labels))]
            www = {target.host, "www." + target.host, target.host.removeprefix("www.")}
            found = self.store.listings.candidates(hosts, sorted(www) if target.path is None else [target.host], [])
        return [
            item
            for item in found
            if (at is None or item.at(at))
            and (matches(item.rule, target) or (target.path is None and item.rule.kind is RuleKind.URL))
        ]

    # Overrides

    def add_override(
        self, action: OverrideAction, target: str, reason: str, actor: str, until: str | None = None
    ) -> Override:
        """Allow or block a host (with all below it), a URL (with all below its path), an address, or ``app:ID``.

        :raises UsageError: the target is none of these, the reason is empty, or the time is past.
        """
        if not reason.strip():
            raise UsageError("an override needs a reason: it is what the next person will ask for")
        if until is not None and until <= now():
            raise UsageError(f"--until {until} is past")
        rule = override_rule(target)
        with self.store.database.transaction():
            override = self.store.overrides.add(action, rule, reason, actor, until)
            self.store.snapshots.contents_changed()
            self.store.audit.add(
                actor,
                f"override.{action}",
                rule.value,
                id=override.id,
                kind=rule.kind.value,
                reason=reason,
                until=until,
            )
        self.publish()
        return override

    def remove_override(self, id_: int, actor: str) -> Override:
        """End an override.

        :raises NotFoundError: there is no such override.
        :raises ConflictError: it was removed already.
        """
        with self.store.database.transaction():
            override = self.store.overrides.get(id_)
            if override.removed_at:
                raise ConflictError(f"override {id_} was removed already, on {override.removed_at}")
            self.store.overrides.remove(id_, actor)
            self.store.snapshots.contents_changed()
            self.store.audit.add(actor, "override.remove", override.rule.value, id=id_)
        self.publish()
        return self.store.overrides.get(id_)

    # Snapshots

    def publish(self, *, anew: bool = False, confirmed: bool = False) -> Pointer:
        """Bring the snapshot up to date with the store; ``anew`` builds it in any case.

        ``confirmed``: a feed was just found to be current. Only then does the snapshot count as fresh: an override
        published while every feed fails must not hide that they do.

        Whoever waited while another compiled the same contents finds it done.

        :raises StoreError: it cannot be written; the last one goes on serving.
        """
        with self._publishing():
            pointer = self._up_to_date()
            if pointer and not anew:
                if confirmed:
                    self.snapshots.confirm(now())
                return pointer
            last = None if confirmed else self._last_pointer()
            with self.store.database.reading():
                contents = self.store.snapshots.contents()
                compiler = self._compiler(self.store.listings.current_stated(), self.store.overrides.active())
                compiler.add_bare_hosts(self.store.listings.current_bare())
            since = last.confirmed_at if last else None
            pointer = self.snapshots.publish(compiler, self._next_version(), now(), contents, since)
            self._note_published(pointer, contents)
            self.snapshots.prune(self.settings.snapshot.keep)
            return pointer

    def is_behind(self) -> bool:
        """Return whether something that counts is not in the current snapshot; never before anything counted."""
        return self.store.snapshots.contents() > 0 and self._up_to_date() is None

    def recover(self) -> None:
        """Set right what a killed process left: unfinished runs, and a snapshot that lags behind the store."""
        self.refresher.recover()
        for path in (self._folder / "incoming").glob(f"{PREFIX}*"):
            path.unlink(missing_ok=True)
        if self.is_behind():
            self.publish()

    def _up_to_date(self) -> Pointer | None:
        with contextlib.suppress(SnapshotError):
            pointer = self.snapshots.pointer()
            known = self.store.snapshots.newest()
            # The counter alone would not tell a database restored from a backup from the one that was compiled.
            if not pointer or not known or known["sha256"] != pointer.sha256:
                return None
            if known["contents"] == self.store.snapshots.contents() and self._fits(pointer):
                return pointer
        return None

    def _fits(self, pointer: Pointer) -> bool:
        """Return whether the current file is there and was compiled for the policies of the configuration.

        The schedule asks every second: a file that was found to fit is not opened again while it is the same file.
        """
        path = self.snapshots.folder / pointer.file
        try:
            stat = path.stat()
        except OSError:
            return False
        seen = (pointer.file, pointer.sha256, stat.st_ino, stat.st_size, stat.st_mtime_ns)
        if seen != self._fitting:
            if not same_policies(Snapshot.open(path), self.settings.all_policies()):
                return False
            self._fitting = seen
        return True

    def _next_version(self) -> int:
        # A database restored from a backup knows fewer versions than the nodes have seen: theirs must not go back.
        pointer = self._last_pointer()
        return max(self.store.snapshots.next_version(), (pointer.version if pointer else 0) + 1)

    def _last_pointer(self) -> Pointer | None:
        with contextlib.suppress(SnapshotError):
            return self.snapshots.pointer()
        return None

    def _note_published(self, pointer: Pointer, contents: int) -> None:
        path = self.snapshots.folder / pointer.file
        snapshot = Snapshot.open(path)
        self.store.snapshots.add(
            {
                "version": pointer.version,
                "file": pointer.file,
                "sha256": pointer.sha256,
                "bytes": path.stat().st_size,
                "rules": snapshot.rules,
                "built_at": snapshot.built_at,
                "contents": contents,
            }
        )

    def _compiler(self, rows: Iterable[ListingRow], overrides: Iterable[Override]) -> Compiler:
        sources = {}
        for feed in self.store.feeds.ever():
            definition = definition_of(feed)
            sources[feed.id] = FeedSource(feed.name, feed.title, feed.authority, definition.legal_basis)
        compiler = Compiler(sources, self.settings.all_policies())
        compiler.add_listings(rows)
        compiler.add_overrides(overrides)
        return compiler

    @contextlib.contextmanager
    def _publishing(self) -> Iterator[None]:
        with lock_file(self._folder, "publish"):
            yield


def read_target(text: str) -> Target:
    """Return the target that a person writes: a host, a URL, or ``app:`` and an app's id.

    :raises UsageError: why it is none of these.
    """
    try:
        return parse_app(text[4:]) if text[:4] == "app:" else parse_target(text)
    except ValueError as error:
        raise UsageError(str(error)) from None


def override_rule(text: str) -> Rule:
    """Return the rule that an override of a target means.

    :raises UsageError: why it means none.
    """
    target = read_target(text)
    if target.app is not None:
        return Rule(RuleKind.APP, target.app, Scope.EXACT)
    rule = site_rule(Entry(text, 0), Reading())
    if isinstance(rule, Rejected):
        raise UsageError(rule.reason)
    return rule


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise StoreError(
            f"{folder}: the data folder cannot be written: {error.strerror}; give this user the right to, "
            "or choose another with --data-dir"
        ) from None


def _refuse_reference(definition: FeedDefinition) -> None:
    if definition.reference_only:
        raise UsageError(
            f"{definition.name} is for reference only and makes no rules: {definition.notes} "
            f"Read it at {definition.documentation}"
        )
