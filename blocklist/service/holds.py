"""Entries that are held alone: approved ones are listed, refused ones are not, revoked ones wait again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from blocklist.config.settings import Settings
from blocklist.domain.errors import ConflictError, UsageError
from blocklist.domain.run import HeldEntry, HoldState
from blocklist.refresh.releasing import list_held, note_count
from blocklist.refresh.run import Refresher
from blocklist.service.publishing import Publisher
from blocklist.service.runs import WAIT_FOR_REVIEW, refuse_own_run
from blocklist.store import Store


class HoldService:
    """The entries held alone of every feed."""

    def __init__(self, store: Store, settings: Settings, refresher: Refresher, publisher: Publisher) -> None:
        self._store = store
        self._settings = settings
        self._refresher = refresher
        self._publisher = publisher
        self.get, self.all = store.holds.get, store.holds.all
        self.page, self.waiting = store.holds.page, store.holds.waiting

    def approve(self, id_: int, actor: str, reason: str) -> HeldEntry:
        """List an entry that was held alone, now and in later lists of its feed, and publish.

        :raises ConflictError: it is not waiting for a decision.
        :raises ForbiddenError: two people must agree, and the actor started the run of the entry or changed its feed.
        """
        hold = self._store.holds.get(id_)
        refuse_own_run(self._store, self._settings.access, hold.run, actor, before=hold.held_at)
        with self._deciding(id_, reason, HoldState.WAITING) as hold:
            list_held(self._store, hold)
            self._store.holds.decide(id_, HoldState.APPROVED, actor, reason)
            self._note(hold, actor, "hold.approve", reason, held_for=hold.why)
        self._publisher.publish()
        return self._store.holds.get(id_)

    def refuse(self, id_: int, actor: str, reason: str) -> HeldEntry:
        """Keep an entry that was held alone off the list, in later lists of its feed too.

        :raises ConflictError: it is not waiting for a decision.
        """
        with self._deciding(id_, reason, HoldState.WAITING) as hold:
            self._store.holds.decide(id_, HoldState.REFUSED, actor, reason)
            self._note(hold, actor, "hold.refuse", reason, held_for=hold.why)
        return self._store.holds.get(id_)

    def revoke(self, id_: int, actor: str, reason: str) -> HeldEntry:
        """Take back the decision on an entry, and publish: it waits again, and is not listed until a person decides.

        This also takes back an entry that was listed by itself, as another authority lists it: then none confirms it.

        :raises ConflictError: there is no decision on it.
        """
        with self._deciding(id_, reason, HoldState.APPROVED, HoldState.REFUSED, HoldState.RELEASED) as hold:
            feed_id, moment = self._store.feeds.get(hold.feed).id, self._store.feeds.next_moment(hold.feed)
            if self._store.listings.close_held(hold, feed_id, moment):
                note_count(self._store, hold.feed, feed_id, -1, moment)
            self._store.holds.decide(id_, HoldState.WAITING, actor, reason)
            self._note(hold, actor, "hold.revoke", reason)
        self._publisher.publish()
        return self._store.holds.get(id_)

    @contextmanager
    def _deciding(self, id_: int, reason: str, *states: HoldState) -> Iterator[HeldEntry]:
        """Give a hold that is in one of these states, in a transaction, under the lock of its feed."""
        if not reason.strip():
            raise UsageError("a decision needs a reason: it is kept as evidence")
        feed = self._store.holds.get(id_).feed
        with self._refresher.locked(feed, WAIT_FOR_REVIEW), self._store.database.transaction():
            # Read again: during the wait, a run may have withdrawn it, or another person decided on it.
            hold = self._store.holds.get(id_)
            if hold.state not in states:
                decided = hold.decided_by and hold.state is not HoldState.WAITING
                who = f" by {hold.decided_by}: {hold.reason}" if decided else ""
                wanted = "does not wait" if HoldState.WAITING in states else "has no decision to revoke"
                more = "; revoke that first" if decided else ""
                raise ConflictError(f"hold {id_} ({hold.rule.value}) {wanted}: it is {hold.state}{who}{more}")
            yield hold

    def _note(self, hold: HeldEntry, actor: str, action: str, reason: str, **more: Any) -> None:
        self._store.audit.add(
            *(actor, action, str(hold.id)), feed=hold.feed, entry=hold.rule.value, reason=reason, **more
        )
