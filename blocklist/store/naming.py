"""Which feeds name a site now, and how much their lists have in common."""

from __future__ import annotations

from collections.abc import Iterable

from blocklist.definitions.definition import FeedDefinition
from blocklist.domain.listing import Scope
from blocklist.guards.independence import NamedBy, Overlap
from blocklist.store.base_table import Table, chunks, marks
from blocklist.store.columns import OPEN, RULE, listed, same_rule

#: Sizes within which two lists can be nearly the same.
_LEAST_SIZE, _MOST_SIZE = 0.85, 1.2


class Naming(Table):
    """The sites that feeds list, or hold for a person, across feeds."""

    def of_hosts(self, hosts: Iterable[str]) -> dict[str, list[NamedBy]]:
        """Return by host the feeds that list the host itself now, or hold it and nobody has decided."""
        found: dict[str, list[NamedBy]] = {}
        for chunk in chunks(hosts, 400):
            rows = self._database.tuples(
                "SELECT l.value, f.id, f.name, f.definition, l.authority, f.applied_body, l.scope"
                " FROM listings l"
                " JOIN feeds f ON f.id = l.feed_id AND f.removed_at IS NULL"
                f" WHERE l.closed_by = 0 AND l.kind = 'host' AND l.value IN ({marks(chunk)})"
                " UNION ALL SELECT h.value, f.id, f.name, f.definition, h.authority, f.applied_body, h.scope"
                " FROM holds h"
                " JOIN feeds f ON f.name = h.feed AND f.removed_at IS NULL"
                " WHERE h.state = 'waiting' AND h.decided_by IS NULL AND h.kind = 'host'"
                f" AND h.value IN ({marks(chunk)})",
                (*chunk, *chunk),
            )
            for value, *row, scope in rows:
                found.setdefault(value, []).append(_named(*row)._replace(scope=Scope(scope)))
        return found

    def doubted(self, hosts: Iterable[str]) -> set[str]:
        """Return those of some hosts that a person refused in a feed, or let wait again."""
        found: set[str] = set()
        for chunk in chunks(hosts):
            found |= {
                row[0]
                for row in self._database.tuples(
                    "SELECT value FROM holds WHERE kind = 'host' AND (state = 'refused'"
                    f" OR (state = 'waiting' AND decided_by IS NOT NULL)) AND value IN ({marks(chunk)})",
                    chunk,
                )
            }
        return found

    def feed(self, name: str) -> NamedBy:
        """Return who is behind a feed.

        :raises NotFoundError: there is no such feed.
        """
        query = "SELECT id, name, definition, applied_body FROM feeds WHERE name = ? AND removed_at IS NULL"
        row = self._get("feed", query, name)
        return _named(row["id"], row["name"], row["definition"], None, row["applied_body"])

    def similar_in_size(self, size: int, body_sha256: str) -> list[NamedBy]:
        """Return the feeds that have a body, or about as many sites as another list: theirs may be the same list."""
        rows = self._database.tuples(
            "SELECT id, name, definition, applied_body FROM feeds WHERE removed_at IS NULL AND listed > 1"
            " AND (applied_body = ? OR (listed >= ? AND listed <= ?)) ORDER BY id",
            (body_sha256, int(size * _LEAST_SIZE), int(size * _MOST_SIZE) + 1),
        )
        return [_named(id_, name, definition, None, body) for id_, name, definition, body in rows]

    def overlap(self, one: int, other: int) -> Overlap:
        """Return how much of what two feeds list is the same."""
        common = self._database.number(
            f"SELECT count(*) FROM listings l JOIN listings m ON {same_rule('l', 'm')} AND m.feed_id = ?"
            f" AND m.closed_by = 0 WHERE {OPEN}",
            (other, one),
        )
        return Overlap(self._size(one), self._size(other), common)

    def overlap_of_staged(self, other: int) -> Overlap:
        """Return how much of what is staged a feed lists."""
        staged = f"(SELECT DISTINCT {listed(RULE)} FROM incoming) AS i"
        size = self._database.number(f"SELECT count(*) FROM {staged}")
        common = self._database.number(
            f"SELECT count(*) FROM {staged} JOIN listings l ON {same_rule('l', 'i')} AND {OPEN}", (other,)
        )
        return Overlap(size, self._size(other), common)

    def _size(self, feed_id: int) -> int:
        return self._database.number(f"SELECT count(*) FROM listings l WHERE {OPEN}", (feed_id,))


def _named(id_: int, name: str, definition: str, stated: str | None, body: str | None) -> NamedBy:
    authority = FeedDefinition.model_validate_json(definition).authority.authority()
    return NamedBy(id_, name, authority, stated, body)
