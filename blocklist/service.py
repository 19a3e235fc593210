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
from itertools import islice
from pathlib import Path

from blocklist.clock import now
from blocklist.config import Settings
from blocklist.definition import FeedDefinition, Source
from blocklist.errors import ConflictError, SnapshotError, StoreError, UsageError
from blocklist.fetch import fetch
from blocklist.normalize.hosts import parse_app, parse_target
from blocklist.normalize.rules import Reading, matches, site_rule
from blocklist.refresh import guards, review
from blocklist.refresh.run import Progress, Refresher, lock_file
from blocklist.snapshot.compiler import Compiler, FeedSource, ListingRow
from blocklist.snapshot.folder import Pointer, SnapshotFolder
from blocklist.snapshot.reader import Snapshot, same_policies
from blocklist.store import Store
from blocklist.store.feeds import definition_of
from blocklist.vocabulary import (
    Entry,
    Feed,
    Listing,
    Outcome,
    Override,
    OverrideAction,
    Rejected,
    Rule,
    RuleKind,
    Run,
    Scope,
    Target,
    Verdict,
)

#: Entries and rejections that a preview shows.
_PREVIEWED = 20
#: Seconds that a person's refresh waits for one of the schedule to end.
_WAIT_FOR_RUN = 600


@dataclass(frozen=True, slots=True)
class Preview:
    """What a definition would give: the figures, the first rules, what was rejected, and what guards would say."""

    entries: int
    rules: int
    rejected: int
    added: int
    removed: int
    first: tuple[tuple[Entry, Rule], ...]
    rejections: tuple[Rejected, ...]
    held: tuple[str, ...]
    seen: str = ""


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
        """
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
            self.store.runs.finish(run_id, Outcome.APPLIED, f"the feed was removed: {closed:,} sites delisted")
            self.store.feeds.remove(name)
            self.store.snapshots.contents_changed()
            self.store.audit.add(actor, "feed.remove", name, delisted=closed)
        self.publish()
        return closed

    def preview(self, definition: FeedDefinition, file: Path | None = None) -> Preview:
        """Read a feed's list as it stands now, and keep nothing.

        :raises BlocklistError: the body could not be had or read.
        """
        known = {feed.name: feed for feed in self.store.feeds.all()}
        into = self._folder / "incoming" / f"preview-{os.getpid()}-{id(definition)}"
        source = Source(file=str(file)) if file else definition.source
        reader = self.refresher.reader(definition)
        first: list[tuple[Entry, Rule]] = []
        try:
            body = fetch(source, into, self.settings.fetch)
            assert body is not None
            with into.open("rb") as raw, reader.opened(raw, body.content_type, into.parent) as opened:
                guards.check_body(opened, reader.encoding, reader.holds)
                ruled = reader.read(opened)
                first = list(islice(ruled, _PREVIEWED))
                self.store.listings.stage(item for part in (first, ruled) for item in part)
            feed = known.get(definition.name)
            diff = self.store.listings.diff(feed.id if feed else 0)
            counts = reader.counts(diff)
            guards.check_counts(counts)
            held = guards.holding(counts, diff, definition, self.settings.guards)
        finally:
            self.store.listings.unstage()
            into.unlink(missing_ok=True)
        return Preview(
            counts.entries,
            counts.rules,
            counts.rejected,
            counts.added,
            counts.removed,
            tuple(first),
            tuple(reader.rejections[:_PREVIEWED]),
            tuple(held),
            reader.seen,
        )

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
        for path in (self._folder / "incoming").glob("preview-*"):
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
