"""Decisions on entries that are held alone: approved ones are listed, refused ones are not, revoked ones wait again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from blocklist.domain.clock import now
from blocklist.domain.errors import ConflictError, UsageError
from blocklist.domain.run import HeldEntry, HoldState
from blocklist.refresh.lifecycle import FeedLocks
from blocklist.store import Store

#: How long a decision waits for a run of the same feed to end, in seconds.
_WAIT = 60


def approve(store: Store, locks: FeedLocks, id_: int, by: str, reason: str) -> HeldEntry:
    """List a held entry, now and in every later list of its feed that names it.

    :raises ConflictError: it does not wait for a decision.
    """
    with _deciding(store, locks, id_, reason, {HoldState.WAITING}) as hold:
        feed = store.feeds.get(hold.feed)
        if store.listings.open_held(hold, feed.id, now()):
            store.feeds.adjust_listed(feed.name, 1)
            store.statistics.update_counts(feed.id)
            store.snapshots.contents_changed()
        _note(store, hold, HoldState.APPROVED, by, reason)
    return store.holds.get(id_)


def refuse(store: Store, locks: FeedLocks, id_: int, by: str, reason: str) -> HeldEntry:
    """Do not list a held entry, in later lists of its feed either.

    :raises ConflictError: it does not wait for a decision.
    """
    with _deciding(store, locks, id_, reason, {HoldState.WAITING}) as hold:
        _note(store, hold, HoldState.REFUSED, by, reason)
    return store.holds.get(id_)


def revoke(store: Store, locks: FeedLocks, id_: int, by: str, reason: str) -> HeldEntry:
    """Revoke a decision: the entry waits again, and is delisted if the decision had listed it.

    :raises ConflictError: there is no decision on it.
    """
    with _deciding(store, locks, id_, reason, {HoldState.APPROVED, HoldState.REFUSED}) as hold:
        feed = store.feeds.get(hold.feed)
        if store.listings.close_held(hold, feed.id, now()):
            store.feeds.adjust_listed(feed.name, -1)
            store.statistics.update_counts(feed.id)
            store.snapshots.contents_changed()
        store.holds.decide(id_, HoldState.WAITING, None, None)
        store.audit.add(by, "hold.revoke", str(id_), feed=hold.feed, entry=hold.rule.value, reason=reason)
    return store.holds.get(id_)


@contextmanager
def _deciding(store: Store, locks: FeedLocks, id_: int, reason: str, states: set[HoldState]) -> Iterator[HeldEntry]:
    """Give a hold that is in one of these states, in a transaction, under the lock of its feed."""
    if not reason.strip():
        raise UsageError("a decision needs a reason: it is kept as evidence")
    feed = store.holds.get(id_).feed
    with locks.locked(feed, _WAIT), store.database.transaction():
        # Read again: during the wait, a run may have withdrawn it, or another person decided on it.
        hold = store.holds.get(id_)
        if hold.state not in states:
            who = f" by {hold.decided_by}: {hold.reason}" if hold.decided_by else ""
            wanted = "does not wait" if HoldState.WAITING in states else "has no decision to revoke"
            more = "; revoke that first" if hold.decided_by else ""
            raise ConflictError(f"hold {id_} ({hold.rule.value}) {wanted}: it is {hold.state}{who}{more}")
        yield hold


def _note(store: Store, hold: HeldEntry, state: HoldState, by: str, reason: str) -> None:
    store.holds.decide(hold.id, state, by, reason)
    action = "hold.approve" if state is HoldState.APPROVED else "hold.refuse"
    store.audit.add(by, action, str(hold.id), feed=hold.feed, entry=hold.rule.value, reason=reason, held_for=hold.why)
