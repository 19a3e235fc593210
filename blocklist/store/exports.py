"""What is listed now, in order, and what changed since when: both read a row at a time, however many there are."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

from blocklist.domain.clock import later
from blocklist.store.database import Database

_RULE = "value, kind, scope, feed_id"
_FACTS = "raw, position, reference, legal_basis, published_at, authority, country, listed_from, run_id"
#: Listings get their ids in the order in which they are recorded, but for a writer that waited for another to end.
_JITTER = 120


class Exports:
    """The listings as others take them away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def listed(self, feed_id: int | None = None) -> Iterator[tuple[Any, ...]]:
        """Yield what is listed now (by one feed, or by all), all listings of a rule one after the other.

        A row is value, kind, scope, feed id, raw, position, reference, legal basis, published at, authority, country,
        listed from, run id.
        """
        # All are walked in the order of the index on rules: nothing is sorted. What one feed lists is found by another
        # index, and sorted in a file.
        which, parameters = (" AND feed_id = ?", (feed_id,)) if feed_id is not None else ("", ())
        return self._database.tuples(
            f"SELECT {_RULE}, {_FACTS} FROM listings AS l WHERE closed_by = 0{which} ORDER BY value, kind, scope",
            parameters,
        )

    def newest_change(self) -> str | None:
        """Return the moment of the newest change of what is listed."""
        last = self._database.value("SELECT stated_from FROM listings WHERE id = (SELECT max(id) FROM listings)")
        closed = self._database.value("SELECT max(listed_until) FROM listings WHERE listed_until IS NOT NULL")
        return max(filter(None, (last, closed)), default=None)

    def first_since(self, moment: str) -> int:
        """Return an id below which no listing began at or after a moment: found in twenty steps, without an index."""
        try:
            before = later(moment, -_JITTER)
        except OverflowError:
            return 0
        low, high = 0, int(self._database.value("SELECT coalesce(max(id), 0) FROM listings"))
        while low < high:
            middle = (low + high) // 2
            stated = self._database.value(
                "SELECT stated_from FROM listings WHERE id > ? ORDER BY id LIMIT 1", (middle,)
            )
            if stated is not None and stated < before:
                low = middle + 1
            else:
                high = middle
        return low

    def opened(
        self, after_id: int, since: str, until: str, limit: int, feed_id: int | None
    ) -> Iterator[tuple[Any, ...]]:
        """Yield the listings after an id that began in an interval: moment, id, first wording or not, rule, facts."""
        # Of one feed, what is listed and what was have an index each; of all, the ids themselves do.
        ways = (" AND feed_id = ? AND closed_by = 0", " AND feed_id = ? AND listed_until IS NOT NULL")
        found = (
            self._database.tuples(
                f"SELECT stated_from, id, stated_from = listed_from, {_RULE}, {_FACTS} FROM listings AS l"
                f" WHERE id > ? AND stated_from >= ? AND stated_from <= ?{way} ORDER BY id LIMIT ?",
                (after_id, since, until, *([] if feed_id is None else [feed_id]), limit),
            )
            for way in (ways if feed_id is not None else [""])
        )
        yield from heapq.merge(*found, key=itemgetter(1))

    def closed(self, after: tuple[str, int], until: str, limit: int, feed_id: int | None) -> Iterator[tuple[Any, ...]]:
        """Yield the listings that ended after a place (moment, id) up to a moment, as :meth:`opened` does.

        Not those whose wording alone ended: another begins at the same moment.
        """
        which, of = (" AND feed_id = ?", (feed_id,)) if feed_id is not None else ("", ())
        return self._database.tuples(
            f"SELECT listed_until, id, 1, {_RULE}, {_FACTS} FROM listings AS l"
            " WHERE listed_until IS NOT NULL AND (listed_until, id) > (?, ?) AND listed_until <= ?"
            " AND NOT EXISTS (SELECT 1 FROM listings AS n WHERE n.value = l.value AND n.kind = l.kind"
            " AND n.scope = l.scope AND n.feed_id = l.feed_id AND n.stated_from = l.listed_until"
            f" AND n.listed_from < n.stated_from){which} ORDER BY listed_until, id LIMIT ?",
            (*after, until, *of, limit),
        )
