"""Figures over time: how many sites each authority lists, day by day, and what lookup nodes were asked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from blocklist.domain.clock import later, now
from blocklist.store.database import Database, Row

#: How long samples of traffic are kept, in seconds.
TRAFFIC_KEPT = 7 * 86_400


class Statistics:
    """Counts that are kept as things happen, so that nobody walks a million listings to show them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Listed sites

    def update_counts(self, feed_id: int) -> None:
        """Bring the counts of what a feed lists up to date, in the transaction of a change."""
        found = self._database.row("SELECT listed, definition FROM feeds WHERE id = ?", (feed_id,))
        assert found is not None
        own = json.loads(found["definition"])["authority"]["name"]
        counted: Counter[str] = Counter()
        for authority, listed in self._database.tuples(
            "SELECT authority, count(*) FROM listings WHERE feed_id = ? AND closed_by = 0 AND authority IS NOT NULL"
            " GROUP BY authority",
            (feed_id,),
        ):
            counted[authority or own] += listed
        counted[own] += found["listed"] - counted.total()
        known = Counter(
            dict(self._database.tuples("SELECT authority, listed FROM listed_now WHERE feed_id = ?", (feed_id,)))
        )
        day = now()[:10]
        for authority in counted.keys() | known.keys():
            if counted[authority] != known[authority]:
                self._note(day, feed_id, authority, counted[authority], counted[authority] - known[authority])

    def listed_now(self) -> list[tuple[str, int]]:
        """Return how many sites each authority lists now, the most first; feeds that list the same site count each."""
        return list(
            self._database.tuples(
                "SELECT authority, sum(listed) FROM listed_now GROUP BY authority HAVING sum(listed) > 0"
                " ORDER BY sum(listed) DESC, authority"
            )
        )

    def listed_before(self, day: str) -> dict[str, int]:
        """Return how many sites each authority listed when a day began."""
        return dict(
            self._database.tuples(
                "SELECT authority, sum(change) FROM listed_daily WHERE day < ? GROUP BY authority", (day,)
            )
        )

    def listed_changes(self, day: str) -> list[tuple[str, str, int]]:
        """Return by how much each authority's number of sites changed from a day on: day, authority, change."""
        return list(
            self._database.tuples("SELECT day, authority, change FROM listed_daily WHERE day >= ? ORDER BY day", (day,))
        )

    def _note(self, day: str, feed_id: int, authority: str, listed: int, change: int) -> None:
        self._database.execute(
            "INSERT INTO listed_now (feed_id, authority, listed) VALUES (?, ?, ?)"
            " ON CONFLICT (feed_id, authority) DO UPDATE SET listed = excluded.listed",
            (feed_id, authority, listed),
        )
        self._database.execute(
            "INSERT INTO listed_daily (day, authority, change) VALUES (?, ?, ?)"
            " ON CONFLICT (day, authority) DO UPDATE SET change = listed_daily.change + excluded.change",
            (day, authority, change),
        )

    # Lookups

    def add_sample(self, at: str, seconds: float, lookups: int, listed: int, unknown: int) -> None:
        """Keep what lookup nodes were asked in the seconds up to a moment, and drop what is older than a week."""
        with self._database.transaction():
            self._database.execute(
                "INSERT INTO traffic (at, seconds, lookups, listed, unknown) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (at) DO NOTHING",
                (at, seconds, lookups, listed, unknown),
            )
            self._database.execute("DELETE FROM traffic WHERE at < ?", (later(at, -TRAFFIC_KEPT),))

    def samples(self, since: str) -> list[Row]:
        """Return the samples after a moment, oldest first: at, seconds, lookups, listed, unknown."""
        return self._database.rows("SELECT * FROM traffic WHERE at > ? ORDER BY at", (since,))

    # Runs

    def recent_runs(self, feeds: Sequence[str], each: int) -> list[tuple[Any, ...]]:
        """Return the newest ``each`` runs of these feeds: feed, id, begun, ended, outcome, counts; oldest first."""
        marks = ", ".join("?" * len(feeds))
        return list(
            self._database.tuples(
                "SELECT feeds.name, runs.id, runs.started_at, runs.finished_at, runs.outcome, runs.counts FROM feeds"
                " JOIN runs ON runs.id IN"
                " (SELECT r.id FROM runs r WHERE r.feed_id = feeds.id ORDER BY r.id DESC LIMIT ?)"
                f" WHERE feeds.removed_at IS NULL AND feeds.name IN ({marks}) ORDER BY runs.id",
                (each, *feeds),
            )
        )
