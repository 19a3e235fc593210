"""What is listed now, in order, and what changed since when: both read a row at a time, however many there are."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from operator import itemgetter
from typing import NamedTuple

from blocklist.domain.clock import later
from blocklist.store.base_table import Table, all_of
from blocklist.store.columns import ListingRow, listed, same_rule

_LISTING = listed(ListingRow._fields)
#: Listings get their ids in the order in which they are recorded, except for a writer that waited for another to end.
_JITTER = 120


class ListingEvent(NamedTuple):
    """The beginning or end of a listing. ``first`` is false where it began with other facts than the one before."""

    at: str
    id: int
    first: bool
    listing: ListingRow


class Exports(Table):
    """The listings as other systems read them."""

    def listed(self, feed_id: int | None = None) -> Iterator[ListingRow]:
        """Yield what is listed now, by one feed or by all, the listings of a rule one after the other."""
        # All are read in the order of the index on rules: nothing is sorted. What one feed lists is found by another
        # index, and sorted in a file.
        where, parameters = all_of(("feed_id = ?", feed_id))
        return self._database.named(
            ListingRow,
            f"SELECT {_LISTING} FROM listings AS l WHERE closed_by = 0 AND {where} ORDER BY value, kind, scope",
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
        low, high = 0, self._database.number("SELECT coalesce(max(id), 0) FROM listings")
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

    def opened(self, after_id: int, since: str, until: str, limit: int, feed_id: int | None) -> Iterator[ListingEvent]:
        """Yield the listings with an id above ``after_id`` that began from ``since`` to ``until``, by id."""
        # Of one feed, what is listed and what was have an index each; of all, the ids are the index.
        parts = ["true"] if feed_id is None else ["closed_by = 0", "listed_until IS NOT NULL"]
        where, parameters = all_of(
            *(("id > ?", after_id), ("stated_from >= ?", since), ("stated_from <= ?", until), ("feed_id = ?", feed_id))
        )
        found = (
            self._database.tuples(
                f"SELECT stated_from, id, stated_from = listed_from, {_LISTING} FROM listings AS l"
                f" WHERE {where} AND {part} ORDER BY id LIMIT ?",
                (*parameters, limit),
            )
            for part in parts
        )
        for at, id_, first, *listing in heapq.merge(*found, key=itemgetter(1)):
            yield ListingEvent(at, id_, bool(first), ListingRow._make(listing))

    def closed(self, after: tuple[str, int], until: str, limit: int, feed_id: int | None) -> Iterator[ListingEvent]:
        """Yield the listings that ended after a place (moment, id) and up to a moment, in that order.

        Not those that go on with other facts: another listing begins at the same moment.
        """
        where, parameters = all_of(("listed_until <= ?", until), ("feed_id = ?", feed_id))
        for at, id_, *listing in self._database.tuples(
            f"SELECT listed_until, id, {_LISTING} FROM listings AS l"
            f" WHERE listed_until IS NOT NULL AND (listed_until, id) > (?, ?) AND {where}"
            f" AND NOT EXISTS (SELECT 1 FROM listings AS n WHERE {same_rule('n', 'l')}"
            " AND n.feed_id = l.feed_id AND n.stated_from = l.listed_until"
            " AND n.listed_from < n.stated_from) ORDER BY listed_until, id LIMIT ?",
            (*after, *parameters, limit),
        ):
            yield ListingEvent(at, id_, True, ListingRow._make(listing))
