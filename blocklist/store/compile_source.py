"""The listings that count, as a snapshot is compiled from them: all, or what changed since another was compiled."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from blocklist.domain.clock import later
from blocklist.snapshot.compile.listing_rows import BareHosts, CompiledListing
from blocklist.store.base_table import Table, chunks
from blocklist.store.columns import listed

#: Values looked for at a time.
_CHUNK = 10_000
#: Seconds by which a listing may seem to have ended too early: a run takes the time when it begins to record, and may
#: wait for other writers, and then record for minutes.
_MARGIN = 600

_COLUMNS = listed(CompiledListing._fields, "l")
_STATED = CompiledListing._fields[4:-1]
_IS_BARE = " AND ".join(["kind = 'host'", *(f"{column} IS NULL" for column in _STATED)])
_KNOWN_FEEDS = "IN (SELECT id FROM feeds WHERE removed_at IS NULL)"
_COUNTS = f"closed_by = 0 AND feed_id {_KNOWN_FEEDS}"
#: The sum keeps an engine from walking all that feeds list where it can look values up.
_COUNTS_TOO = f"l.closed_by = 0 AND l.feed_id + 0 {_KNOWN_FEEDS}"


class Mark(NamedTuple):
    """Up to where the listings were read: the id of the newest one, and the time."""

    listing: int
    at: str


class CompileSource(Table):
    """The listings that count."""

    def mark(self, moment: str) -> Mark:
        """Return up to where the listings go; ``moment`` is when reading them began."""
        return Mark(self._database.number("SELECT coalesce(max(id), 0) FROM listings"), moment)

    def count(self) -> int:
        """Return how many listings count."""
        return self._database.number(f"SELECT count(*) FROM listings WHERE {_COUNTS}")

    def host_blocks(self) -> Iterator[BareHosts]:
        """Yield the hosts of which nothing more is stated, thousands at a time.

        A million rows differ in nothing else; joined by the database they cost half of what single rows do.
        """
        return map(BareHosts._make, self._database.host_blocks(f"{_COUNTS} AND {_IS_BARE}"))

    def other_listings(self) -> Iterator[CompiledListing]:
        """Yield all listings that :meth:`host_blocks` does not."""
        return self._database.named(
            CompiledListing, f"SELECT {_COLUMNS} FROM listings l WHERE {_COUNTS} AND NOT ({_IS_BARE})"
        )

    def listings_by_id(self, ids: Iterable[int]) -> Iterator[CompiledListing]:
        """Yield listings by their ids, whether they count or not."""
        for id_ in ids:
            yield from self._database.named(CompiledListing, f"SELECT {_COLUMNS} FROM listings l WHERE id = ?", (id_,))

    def changed_rules(self, since: Mark, limit: int) -> list[tuple[str, str]] | None:
        """Return kind and value of the rules with a listing that began or ended since; None for more than ``limit``.

        Some may have ended a little before. A listing that ended long ago by a clock that was set back is not found:
        :meth:`count` shows that.
        """
        found: set[tuple[str, str]] = set()
        for condition, bound in (("id > ?", since.listing), ("listed_until >= ?", later(since.at, -_MARGIN))):
            # One query each: a query for both would sort all that changed before it could stop at the limit.
            rows = list(
                self._database.tuples(f"SELECT kind, value FROM listings WHERE {condition} LIMIT ?", (bound, limit + 1))
            )
            if len(rows) > limit:
                return None
            found.update((kind, value) for kind, value in rows)
        return list(found)

    def listings_of(self, values: Collection[str], hosts: Collection[str]) -> Iterator[CompiledListing]:
        """Yield the listings that count of URLs on these hosts, and of other rules with these values."""
        # "0" follows "/": every value that begins with "host/", found through the index.
        on_host = "l.value >= t.value || '/' AND l.value < t.value || '0' WHERE l.kind = 'url'"
        for texts, condition in ((values, "l.value = t.value WHERE l.kind <> 'url'"), (hosts, on_host)):
            for chunk in chunks(texts, _CHUNK):
                rows = self._database.joined_with(chunk, _COLUMNS, f"listings l ON {condition} AND {_COUNTS_TOO}")
                yield from map(CompiledListing._make, rows)
