"""Feeds: adding, changing, pausing and removing them, and previews of what a definition would give."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

from blocklist.config.settings import Settings
from blocklist.definitions.definition import FeedDefinition, definition_of
from blocklist.domain.clock import later, now
from blocklist.domain.errors import ChangedError, UsageError
from blocklist.domain.listing import Feed
from blocklist.domain.run import Outcome
from blocklist.refresh.preview import Preview, Previewer
from blocklist.refresh.run import Refresher
from blocklist.service.publishing import Publisher
from blocklist.status.feed_status import feed_rows
from blocklist.store import Store

#: Seconds that a person's change of a feed, or refresh, waits for the scheduled run of it to end.
WAIT_FOR_RUN = 600


class FeedService:
    """The feeds of this installation."""

    def __init__(self, store: Store, settings: Settings, refresher: Refresher, publisher: Publisher) -> None:
        self._store = store
        self._refresher = refresher
        self._publisher = publisher
        self._previewer = Previewer(store, settings)
        # Queries of one table, the same here as there.
        self.get, self.all, self.page = store.feeds.get, store.feeds.all, store.feeds.page
        self.due, self.check_new = store.feeds.due, store.feeds.check_new
        self.rows = partial(feed_rows, store)

    def add(self, definition: FeedDefinition, actor: str) -> Feed:
        """Add a feed; it is due at once.

        :raises ConflictError: there is one of that name.
        :raises UsageError: the list is for reference only.
        """
        _refuse_reference(definition)
        with self._store.database.transaction():
            feed = self._store.feeds.add(definition)
            self._store.audit.add(actor, "feed.add", feed.name, definition=feed.definition)
        return feed

    def edit(
        self,
        name: str,
        change: Callable[[FeedDefinition], FeedDefinition],
        actor: str,
        *,
        seen: Collection[str] | None = None,
        wait: float = WAIT_FOR_RUN,
    ) -> Feed:
        """Change a feed's definition and return the feed; its listings and their history continue.

        Where the source changes, or how the list is read, the feed is due at once: the next run reads the list again,
        and lists and delists what differs. ``seen`` are the versions that the caller has seen and would overwrite, None
        for any.

        :raises NotFoundError: there is no such feed.
        :raises ChangedError: the feed is in a version that the caller has not seen.
        :raises ConflictError: a run of it did not end within ``wait`` seconds.
        :raises UsageError: the result of the change is not a definition.
        """
        with self._refresher.locked(name, wait), self._store.database.transaction():
            feed = self._store.feeds.get(name)
            before = definition_of(feed)
            after = change(before)
            _refuse_reference(after)
            # After the change: a mistake in it is reported first, whichever version of the feed it was meant for.
            check_seen(feed, seen)
            if before == after:
                return feed
            self._store.feeds.edit(
                name, after, self._due_after(feed, before, after), moved=before.source != after.source
            )
            self._store.statistics.update_counts(feed.id)
            old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
            differs = [key for key in new if old[key] != new[key]]
            # What answers contain of a definition.
            if not {"title", "authority", "legal_basis"}.isdisjoint(differs):
                self._store.snapshots.contents_changed()
            self._store.audit.add(
                *(actor, "feed.edit", name),
                before={key: old[key] for key in differs},
                after={key: new[key] for key in differs},
            )
        if self._publisher.is_behind():
            self._publisher.publish()
        return self._store.feeds.get(name)

    def _due_after(self, feed: Feed, before: FeedDefinition, after: FeedDefinition) -> str:
        fingerprint = self._refresher.inspector.fingerprint
        if before.source != after.source or fingerprint(before) != fingerprint(after):
            return now()
        if before.every != after.every:
            return later(feed.last_attempt or now(), after.every)
        return feed.next_due

    def pause(self, name: str, actor: str, seen: Collection[str] | None = None) -> Feed:
        """Stop a feed's schedule and return the feed; its listings still count.

        :raises NotFoundError: there is no such feed.
        :raises ChangedError: the feed is in a version that the caller has not ``seen``.
        """
        return self._set_paused(name, True, actor, seen)

    def resume(self, name: str, actor: str, seen: Collection[str] | None = None) -> Feed:
        """Resume a feed's schedule and return the feed, which is due at once; errors as of :meth:`pause`."""
        return self._set_paused(name, False, actor, seen)

    def _set_paused(self, name: str, paused: bool, actor: str, seen: Collection[str] | None) -> Feed:
        with self._store.database.transaction():
            check_seen(self._store.feeds.get(name), seen)
            self._store.feeds.set_paused(name, paused)
            self._store.audit.add(actor, "feed.pause" if paused else "feed.resume", name)
        return self._store.feeds.get(name)

    def remove(self, name: str, actor: str, *, seen: Collection[str] | None = None, wait: float = WAIT_FOR_RUN) -> int:
        """Remove a feed: its listings end, and stay in the history. Return how many there were.

        :raises NotFoundError: there is no such feed.
        :raises ChangedError: the feed is in a version that the caller has not ``seen``.
        :raises ConflictError: a run of it did not end within ``wait`` seconds.
        """
        with self._refresher.locked(name, wait), self._store.database.transaction():
            feed = self._store.feeds.get(name)
            check_seen(feed, seen)
            moment = self._store.feeds.next_moment(name)
            run_id = self._store.runs.start(feed.id, actor, moment)
            closed = self._store.listings.close_all(feed.id, run_id, moment)
            self._store.runs.supersede(feed.id, run_id)
            self._store.held_changes.delete_superseded(feed.id)
            self._store.holds.withdraw_all(name)
            self._store.flags.withdraw_all(name)
            self._store.runs.finish(run_id, Outcome.APPLIED, f"the feed was removed: {closed:,} sites delisted")
            self._store.feeds.remove(name)
            self._store.statistics.update_counts(feed.id)
            self._store.snapshots.contents_changed()
            self._store.audit.add(actor, "feed.remove", name, delisted=closed)
        self._publisher.publish()
        return closed

    def preview(self, definition: FeedDefinition, file: Path | None = None) -> Preview:
        """Return what a definition would give now; nothing is kept. ``file`` is read instead of its source.

        :raises FetchError: the body could not be fetched.
        :raises UsageError: the list is for reference only.
        """
        _refuse_reference(definition)
        return self._previewer.preview(definition, file)


def version_of(feed: Feed) -> str:
    """Return a fingerprint of what an admin may change of a feed: its definition, and whether it is paused."""
    parts = [feed.id, definition_of(feed).model_dump(mode="json"), feed.paused]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def check_seen(feed: Feed, seen: Collection[str] | None) -> None:
    """Check that a feed is in a version that the caller has seen; None stands for any.

    :raises ChangedError: it is in another version.
    """
    if seen is not None and version_of(feed) not in seen:
        raise ChangedError(f"feed {feed.name!r} was changed since you looked at it: look again, then change it")


def _refuse_reference(definition: FeedDefinition) -> None:
    if definition.reference_only:
        raise UsageError(
            f"{definition.name} is for reference only and makes no rules: {definition.notes} "
            f"Read it at {definition.documentation}"
        )
