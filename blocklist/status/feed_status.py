"""The state of the feeds in one table, for commands, pages, metrics and the doctor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from blocklist.domain.clock import now, seconds_between
from blocklist.domain.listing import Feed
from blocklist.store import Store

#: A feed is stale where its list was last known to be current more than this many of its intervals ago.
_STALE_INTERVALS = 3
#: Never read; known to be current; not known to be current for too long; without a schedule.
STATES = ("new", "fresh", "stale", "paused")


def feed_rows(store: Store, feeds: Sequence[Feed] | None = None) -> list[dict[str, Any]]:
    """Return a row for each of some feeds, or of all: facts, state, times, and outcome and reason of the last run."""
    rows, waiting, flagged = [], store.holds.waiting(), store.flags.open()
    reviews = Counter(run.feed for run in store.runs.pending())
    latest = store.runs.latest(None if feeds is None else [feed.id for feed in feeds])
    for feed in store.feeds.all() if feeds is None else feeds:
        outcome, reason = latest.get(feed.name, (None, ""))
        rows.append(
            {
                "name": feed.name,
                "title": feed.title,
                "authority": feed.authority.name,
                "kind": feed.authority.kind.value,
                "country": feed.authority.country,
                "state": state_of(feed),
                "listed": feed.listed,
                "waiting": waiting.get(feed.name, 0),
                "flagged": flagged.get(feed.name, 0),
                "reviews": reviews[feed.name],
                "every": feed.every,
                "last_attempt": feed.last_attempt,
                "last_success": feed.last_success,
                "last_change": feed.last_change,
                "next_due": None if feed.paused else feed.next_due,
                "last_outcome": outcome,
                "last_reason": reason,
            }
        )
    return rows


def state_of(feed: Feed) -> str:
    """Return one of :data:`STATES`."""
    if feed.paused:
        return "paused"
    since = seconds_between(feed.last_success or feed.created_at, now())
    if since > _STALE_INTERVALS * feed.every:
        return "stale"
    return "fresh" if feed.last_success else "new"
