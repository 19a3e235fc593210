"""What is known of the lists that a feed had before, and of the lists of others, beside the one that is staged."""

from __future__ import annotations

from functools import cached_property

from blocklist.definitions.definition import FeedDefinition
from blocklist.domain.clock import later, now
from blocklist.domain.run import AppliedList
from blocklist.fetch.body import modified_of
from blocklist.guards.drift import WINDOW
from blocklist.guards.independence import NamedBy
from blocklist.store import Store


class ListHistory:
    """The lists before a staged one. ``feed_id`` is 0 for a feed that was not added: it has none."""

    def __init__(self, store: Store, definition: FeedDefinition, feed_id: int, body_sha256: str) -> None:
        self._store = store
        self._feed = NamedBy(feed_id, definition.name, definition.authority.authority(), None, body_sha256)
        self._since = later(now(), -WINDOW)

    @cached_property
    def _recent(self) -> list[AppliedList]:
        return self._store.runs.applied_since(self._feed.feed_id, self._since)

    def recent(self) -> list[AppliedList]:
        """Return the lists that were applied within the last 30 days, oldest first."""
        return self._recent

    def served_before(self) -> str | None:
        """Return when the staged body was last applied, if another one has replaced it since."""
        feed_id, body = self._feed.feed_id, self._feed.body_sha256 or ""
        if not feed_id or self._store.feeds.applied(self._feed.feed).sha256 == body:
            return None
        return self._store.runs.last_applied_body(feed_id, body)

    def served_modified(self) -> str | None:
        """Return the ``Last-Modified`` of the list that serves, as RFC 3339."""
        return modified_of(self._store.feeds.applied(self._feed.feed).validators) if self._feed.feed_id else None

    def returning(self) -> int:
        """Return how many of the new rules the feed listed within the last 30 days."""
        return self._store.staging.returning(self._feed.feed_id, self._since)

    def twin(self) -> str | None:
        """Return the feed of another authority that has the same list, as a text for people; None if there is none."""
        size = self._store.staging.size()
        for other in self._store.naming.similar_in_size(size, self._feed.body_sha256 or ""):
            if other.feed_id == self._feed.feed_id or not self._feed.names.isdisjoint(other.names):
                continue
            if self._store.naming.overlap_of_staged(other.feed_id).is_same_list:
                return f"{other.feed} of {other.authority.name}"
        return None
