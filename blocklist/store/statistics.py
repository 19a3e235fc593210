"""Numbers over time: how many sites each authority lists, day by day, and what lookup nodes were asked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from blocklist.domain.clock import later, now
from blocklist.store.base_table import Table, marks
from blocklist.store.engine import Row

#: Seconds for which samples of lookups are kept.
SAMPLES_KEPT = 7 * 86_400


class ListedByAuthority(NamedTuple):
    """How many sites an authority lists."""

    authority: str
    listed: int


class ListedChange(NamedTuple):
    """By how many sites an authority's list changed on a day (``YYYY-MM-DD``)."""

    day: str
    authority: str
    change: int


class RecentRun(NamedTuple):
    """A run in short; ``counts`` is a JSON object."""

    feed: str
    id: int
    started_at: str
    finished_at: str | None
    outcome: str | None
    counts: str


class Statistics(Table):
    """Numbers that are kept as things happen, so that nobody has to count a million listings to show them."""

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

    def listed_now(self) -> list[ListedByAuthority]:
        """Return how many sites each authority lists now, the most first; a site that two feeds list counts twice."""
        found = self._database.named(
            ListedByAuthority,
            "SELECT authority, sum(listed) FROM listed_now GROUP BY authority HAVING sum(listed) > 0"
            " ORDER BY sum(listed) DESC, authority",
        )
        return list(found)

    def listed_before(self, day: str) -> dict[str, int]:
        """Return how many sites each authority listed when a day began."""
        query = "SELECT authority, sum(change) FROM listed_daily WHERE day < ? GROUP BY authority"
        return dict(self._database.tuples(query, (day,)))

    def listed_changes(self, day: str) -> list[ListedChange]:
        """Return the changes of each authority's number of sites from a day on."""
        query = "SELECT day, authority, change FROM listed_daily WHERE day >= ? ORDER BY day"
        return list(self._database.named(ListedChange, query, (day,)))

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

    def add_sample(self, at: str, seconds: float, lookups: int, listed: int, unknown: int) -> None:
        """Keep what lookup nodes were asked in the seconds up to a moment, and delete what is older than a week."""
        with self._database.transaction():
            self._database.execute(
                "INSERT INTO lookup_samples (at, seconds, lookups, listed, unknown) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (at) DO NOTHING",
                (at, seconds, lookups, listed, unknown),
            )
            self._database.execute("DELETE FROM lookup_samples WHERE at < ?", (later(at, -SAMPLES_KEPT),))

    def samples(self, since: str) -> list[Row]:
        """Return the samples after a moment, oldest first: at, seconds, lookups, listed, unknown."""
        return self._database.rows("SELECT * FROM lookup_samples WHERE at > ? ORDER BY at", (since,))

    def recent_runs(self, feeds: Sequence[str], each: int) -> list[RecentRun]:
        """Return the newest ``each`` runs of these feeds, oldest first."""
        found = self._database.named(
            RecentRun,
            "SELECT feeds.name, runs.id, runs.started_at, runs.finished_at, runs.outcome, runs.counts FROM feeds"
            " JOIN runs ON runs.id IN (SELECT r.id FROM runs r WHERE r.feed_id = feeds.id ORDER BY r.id DESC LIMIT ?)"
            f" WHERE feeds.removed_at IS NULL AND feeds.name IN ({marks(feeds)}) ORDER BY runs.id",
            (each, *feeds),
        )
        return list(found)
