"""Feeds: added, paused, ended, and tried before they are."""

from __future__ import annotations

from pathlib import Path

from blocklist.clock import now
from blocklist.definition import FeedDefinition
from blocklist.errors import UsageError
from blocklist.refresh.preview import Preview, Previewer
from blocklist.service.publishing import WAIT_FOR_RUN, Publishing
from blocklist.vocabulary import Feed, Outcome


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
        with self.refresher.locked(name, WAIT_FOR_RUN), self.store.database.transaction():
            feed = self.store.feeds.get(name)
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
        return Previewer(self.store, self.refresher, self.settings).preview(definition, file)


def _refuse_reference(definition: FeedDefinition) -> None:
    if definition.reference_only:
        raise UsageError(
            f"{definition.name} is for reference only and makes no rules: {definition.notes} "
            f"Read it at {definition.documentation}"
        )
