"""Feeds: added, paused, ended, and tried before they are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection
from pathlib import Path

from blocklist.definitions.definition import FeedDefinition
from blocklist.domain.clock import later, now
from blocklist.domain.errors import ChangedError, UsageError
from blocklist.domain.listing import Feed
from blocklist.domain.run import Outcome
from blocklist.refresh.preview import Preview, Previewer
from blocklist.service.publishing import WAIT_FOR_RUN, Publishing
from blocklist.store.feeds import definition_of


class FeedTasks(Publishing):
    """What is done with a feed as a whole."""

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

    def edit_feed(
        self,
        name: str,
        change: Callable[[FeedDefinition], FeedDefinition],
        actor: str,
        *,
        seen: Collection[str] | None = None,
        wait: float = WAIT_FOR_RUN,
    ) -> Feed:
        """Change a feed's definition; its listings and their history go on.

        Where its source or its reading changes, it is due at once: the next run reads the list anew, and lists and
        delists what differs. ``seen`` are the versions of the feed that the caller would overwrite, None for any.

        :raises NotFoundError: there is no such feed.
        :raises ChangedError: it is not in a version that the caller has seen.
        :raises ConflictError: a run of it did not end within ``wait`` seconds.
        :raises UsageError: the change gives no definition.
        """
        with self.refresher.locked(name, wait), self.store.database.transaction():
            feed = self.store.feeds.get(name)
            before = definition_of(feed)
            after = change(before)
            _refuse_reference(after)
            # Last: what can be no definition is told so, whichever version it was meant for.
            check_seen(feed, seen)
            if before == after:
                return feed
            self.store.feeds.edit(
                name, after, self._due_after(feed, before, after), moved=before.source != after.source
            )
            self.store.figures.count(feed.id)
            if _told(before) != _told(after):
                self.store.snapshots.contents_changed()
            old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
            differs = [key for key in new if old[key] != new[key]]
            self.store.audit.add(
                *(actor, "feed.edit", name),
                before={key: old[key] for key in differs},
                after={key: new[key] for key in differs},
            )
        if self.is_behind():
            self.publish()
        return self.store.feeds.get(name)

    def _due_after(self, feed: Feed, before: FeedDefinition, after: FeedDefinition) -> str:
        if before.source != after.source or self.refresher.inspector.fingerprint(
            before
        ) != self.refresher.inspector.fingerprint(after):
            return now()
        if before.every != after.every:
            return later(feed.last_attempt or now(), after.every)
        return feed.next_due

    def pause_feed(self, name: str, paused: bool, actor: str, seen: Collection[str] | None = None) -> Feed:
        """Stop or resume a feed's schedule; what it lists goes on counting.

        :raises NotFoundError: there is no such feed.
        :raises ChangedError: it is not in a version that the caller has ``seen``.
        """
        with self.store.database.transaction():
            check_seen(self.store.feeds.get(name), seen)
            self.store.feeds.set_paused(name, paused)
            self.store.audit.add(actor, "feed.pause" if paused else "feed.resume", name)
        return self.store.feeds.get(name)

    def remove_feed(
        self, name: str, actor: str, *, seen: Collection[str] | None = None, wait: float = WAIT_FOR_RUN
    ) -> int:
        """End a feed: its listings are closed, and stay in the history. Return how many there were.

        :raises NotFoundError: there is no such feed.
        :raises ChangedError: it is not in a version that the caller has ``seen``.
        :raises ConflictError: a run of it did not end within ``wait`` seconds.
        """
        with self.refresher.locked(name, wait), self.store.database.transaction():
            feed = self.store.feeds.get(name)
            check_seen(feed, seen)
            moment = now()
            run_id = self.store.runs.start(feed.id, actor, moment)
            closed = self.store.listings.close_all(feed.id, run_id, moment)
            self.store.runs.supersede(feed.id, run_id)
            self.store.changes.drop_superseded(feed.id)
            self.store.holds.withdraw_all(name)
            self.store.runs.finish(run_id, Outcome.APPLIED, f"the feed was removed: {closed:,} sites delisted")
            self.store.feeds.remove(name)
            self.store.figures.count(feed.id)
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
        return Previewer(self.store, self.settings).preview(definition, file)


def version_of(feed: Feed) -> str:
    """Return a word that changes with whatever an admin may change of a feed: its definition, and whether it rests."""
    parts = [feed.id, definition_of(feed).model_dump(mode="json"), feed.paused]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def check_seen(feed: Feed, seen: Collection[str] | None) -> None:
    """Make sure that a feed is in a version that the caller has seen; None stands for any.

    :raises ChangedError: it is not.
    """
    if seen is not None and version_of(feed) not in seen:
        raise ChangedError(f"feed {feed.name!r} was changed since you looked at it: look again, then change it")


def _told(definition: FeedDefinition) -> tuple[object, ...]:
    """Return what answers tell of a feed beside its rules: a change of it is a change of the snapshot."""
    return definition.title, definition.authority, definition.legal_basis


def _refuse_reference(definition: FeedDefinition) -> None:
    if definition.reference_only:
        raise UsageError(
            f"{definition.name} is for reference only and makes no rules: {definition.notes} "
            f"Read it at {definition.documentation}"
        )
