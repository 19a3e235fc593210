"""What feeds list now, as a snapshot is compiled from it: whole, or what changed since another one was."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from blocklist.domain.clock import later
from blocklist.store.database import TEXTS, Database, as_texts

#: What the compiler needs of a listing, in the order of :data:`blocklist.snapshot.compile.compiler.ListingRow`.
_COMPILED = "value, kind, scope, feed_id, raw, reference, legal_basis, published_at, authority, country, listed_from"
_FACTS = ("raw", "reference", "legal_basis", "published_at", "authority", "country")
_IS_BARE = " AND ".join(["kind = 'host'", *(f"{fact} IS NULL" for fact in _FACTS)])
_COUNTS = "closed_by = 0 AND feed_id IN (SELECT id FROM feeds WHERE removed_at IS NULL)"
#: The plus keeps the planner from walking all that feeds list where values are asked for.
_COUNTS_TOO = _COUNTS.replace("feed_id", "+feed_id")
#: Ids of listings a block of what is read to compile: joined, some hundred kilobytes.
_BLOCK = 4_096
#: Values asked for at a time.
_ASKED = 10_000
#: Seconds by which a listing may seem to have ended before it did: a run takes the time when it begins to record, and
#: may wait for other writers, and then record for minutes.
_MARGIN = 600


class Mark(NamedTuple):
    """Up to where the listings were read: the newest one's id, and the time."""

    listing: int
    at: str


class CompileSource:
    """The listings that count."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def mark(self, moment: str) -> Mark:
        """Return up to where the listings go; ``moment`` is when reading them began."""
        return Mark(int(self._database.value("SELECT coalesce(max(id), 0) FROM listings")), moment)

    def count(self) -> int:
        """Return how many listings count."""
        return int(self._database.value(f"SELECT count(*) FROM listings WHERE {_COUNTS}"))

    def host_blocks(self) -> Iterator[tuple[Any, ...]]:
        """Yield hosts about which nothing more is stated, a block at a time.

        A block is hosts with spaces between them, and the words on all of them: feed id, scope and listed from. A
        million rows differ in nothing else; joined by the database they cost half of what a row each does.
        """
        return self._database.tuples(
            "SELECT group_concat(value, ' '), feed_id, scope, listed_from FROM listings NOT INDEXED"
            f" WHERE {_COUNTS} AND {_IS_BARE} GROUP BY id / {_BLOCK}, feed_id, scope, listed_from"
        )

    def other_listings(self) -> Iterator[tuple[Any, ...]]:
        """Yield everything else, as :data:`_COMPILED` names it (raw None: as the value)."""
        return self._database.tuples(f"SELECT {_COMPILED} FROM listings WHERE {_COUNTS} AND NOT ({_IS_BARE})")

    def listings_by_id(self, ids: Iterable[int]) -> Iterator[tuple[Any, ...]]:
        """Yield listings by their ids in the form of :meth:`other_listings`, whether they count or not."""
        for id_ in ids:
            yield from self._database.tuples(f"SELECT {_COMPILED} FROM listings WHERE id = ?", (id_,))

    def changed_rules(self, since: Mark, limit: int) -> list[tuple[str, str]] | None:
        """Return kind and value of the rules of which a listing began or ended since; None if more than so many did.

        Some may have ended a little before. A listing that ended long ago, by a clock that was set back, is not found:
        :meth:`count` tells.
        """
        found: set[tuple[Any, ...]] = set()
        for condition, bound in (("id > ?", since.listing), ("listed_until >= ?", later(since.at, -_MARGIN))):
            # Each for itself: a query for both would sort all that changed before it could stop at the limit.
            rows = list(
                self._database.tuples(f"SELECT kind, value FROM listings WHERE {condition} LIMIT ?", (bound, limit + 1))
            )
            if len(rows) > limit:
                return None
            found.update(rows)
        return [(kind, value) for kind, value in found]

    def listings_of(self, values: Collection[str], hosts: Collection[str]) -> Iterator[tuple[Any, ...]]:
        """Yield the listings of URLs on these hosts and of other rules with these values: see :meth:`other_listings`."""
        for some in _batches(values):
            yield from self._database.tuples(
                f"SELECT l.{_COMPILED} FROM {TEXTS} t JOIN listings l ON l.value = t.value"
                f" WHERE kind <> 'url' AND {_COUNTS_TOO}",
                (as_texts(some),),
            )
        for some in _batches(hosts):
            # "0" follows "/": every value that begins with "host/", found through the index.
            yield from self._database.tuples(
                f"SELECT l.{_COMPILED} FROM {TEXTS} t JOIN listings l"
                " ON l.value >= t.value || '/' AND l.value < t.value || '0'"
                f" WHERE kind = 'url' AND {_COUNTS_TOO}",
                (as_texts(some),),
            )


def _batches(texts: Collection[str]) -> Iterator[list[str]]:
    remaining = iter(texts)
    while some := list(islice(remaining, _ASKED)):
        yield some
