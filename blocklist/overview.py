"""The state of the feeds in one table, for the command, the page and the doctor."""

from __future__ import annotations

from typing import Any

from blocklist.clock import now, seconds_between
from blocklist.store import Store
from blocklist.vocabulary import Feed

#: A feed is stale when its list was last known to be current longer ago than this many of its intervals.
_STALE_INTERVALS = 3


def feed_rows(store: Store) -> list[dict[str, Any]]:
    """Return one row a feed: what it is, its state, the three times, and what its last run said."""
    rows, waiting = [], store.holds.waiting()
    for feed in store.feeds.all():
        last = next(iter(store.runs.all(feed.name, 1)), None)
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
                "every": feed.every,
                "last_attempt": feed.last_attempt,
                "last_success": feed.last_success,
                "last_change": feed.last_change,
                "next_due": None if feed.paused else feed.next_due,
                "last_outcome": str(last.outcome) if last and last.outcome else None,
                "last_reason": last.reason if last else "",
            }
        )
    return rows


def feed_health(store: Store) -> list[dict[str, Any]]:
    """Return one row a feed for monitoring: ``feed``, ``stale``, ``age`` and ``last_outcome``.

    ``age`` is the seconds since its list was last known to be current, None where it never was; ``last_outcome`` is
    None before the first run ends.
    """
    moment = now()
    return [
        {
            "feed": row["name"],
            "stale": row["state"] == "stale",
            "age": seconds_between(row["last_success"], moment) if row["last_success"] else None,
            "last_outcome": row["last_outcome"],
        }
        for row in feed_rows(store)
    ]


def state_of(feed: Feed) -> str:
    """Return ``paused``, ``new`` (never read), ``stale`` (not known to be current for too long) or ``fresh``."""
    if feed.paused:
        return "paused"
    if feed.last_success is None:
        return "new"
    return "stale" if seconds_between(feed.last_success, now()) > _STALE_INTERVALS * feed.every else "fresh"
