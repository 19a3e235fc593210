"""Held entries that are listed by themselves, once an independent authority's feed names them, too."""

from __future__ import annotations

import contextlib
from functools import partial

import structlog

from blocklist.domain.errors import ConflictError, NotFoundError
from blocklist.domain.run import HeldEntry, HoldState
from blocklist.guards.entry_guards import POPULAR_HOST
from blocklist.refresh.confirmation import Confirmations, confirmed_by
from blocklist.refresh.run import Refresher
from blocklist.store import Store
from blocklist.store.holds import BY_ITSELF

_LOG = structlog.get_logger("blocklist.refresh")


def release_confirmed(store: Store, refresher: Refresher) -> list[HeldEntry]:
    """List the waiting well-linked entries of all feeds that another feed confirms; return them.

    After every run, whatever its feed: the other authority's list may have come later, or while this feed was locked.
    When the other one drops the site, nothing changes here.
    """
    waiting: dict[str, list[HeldEntry]] = {}
    for hold in store.holds.undecided():
        if hold.rule.value in POPULAR_HOST.confirmable():
            waiting.setdefault(hold.feed, []).append(hold)
    released = []
    for name, holds in waiting.items():
        # A feed that is being refreshed, or was removed meanwhile, is left to the next run.
        with contextlib.suppress(ConflictError, NotFoundError), refresher.locked(name, 0):
            released += _release(store, name, holds)
    return released


def list_held(store: Store, hold: HeldEntry) -> None:
    """List an entry that was held, inside a transaction, under the lock of its feed."""
    feed_id, moment = store.feeds.get(hold.feed).id, store.feeds.next_moment(hold.feed)
    if store.listings.open_held(hold, feed_id, moment):
        note_count(store, hold.feed, feed_id, 1, moment)


def note_count(store: Store, feed: str, feed_id: int, change: int, moment: str) -> None:
    """Note that a feed lists so many sites more or less since a moment, inside a transaction."""
    store.feeds.adjust_listed(feed, change, moment)
    store.statistics.update_counts(feed_id)
    store.snapshots.contents_changed()


def _release(store: Store, name: str, holds: list[HeldEntry]) -> list[HeldEntry]:
    feed = store.naming.feed(name)
    overlap = partial(store.naming.overlap, feed.feed_id)
    confirmed = Confirmations(store, feed, overlap).of({hold.rule for hold in holds})
    released = []
    for hold in holds:
        other = confirmed.get(hold.rule)
        if other is None:
            continue
        with store.database.transaction():
            # Read again: a person may have decided meanwhile.
            now_held = store.holds.get(hold.id)
            if now_held.state is not HoldState.WAITING or now_held.decided_by:
                continue
            reason = confirmed_by(other)
            list_held(store, now_held)
            store.holds.decide(hold.id, HoldState.RELEASED, BY_ITSELF, reason)
            facts = {"feed": name, "entry": hold.rule.value, "reason": reason, "held_for": hold.why}
            store.audit.add(BY_ITSELF, "hold.release", str(hold.id), **facts)
        _LOG.info("held entry listed", feed=name, entry=hold.rule.value, reason=reason)
        released.append(hold)
    return released
