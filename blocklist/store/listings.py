"""Listings as intervals: who listed what, from when, until when.

Nothing listed is overwritten or deleted: a delisting closes an interval; other facts close one and open the next.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import chain
from typing import Any

from blocklist.definitions.definition import FeedDefinition
from blocklist.domain.listing import Authority, Listing, Rule
from blocklist.domain.run import HeldEntry
from blocklist.normalize.apps import URL_BEGINNINGS
from blocklist.store.base_table import Table, chunks, marks
from blocklist.store.columns import OPEN, PUBLISHED, RULE, STAGED, listed, same_rule
from blocklist.store.engine import Row
from blocklist.store.mapping import column, entry_of, mapper, rule_of
from blocklist.store.staging import Diff

_CLOSE = "UPDATE listings SET listed_until = ?, closed_by = ?"


class Listings(Table):
    """Who listed what, from when, until when."""

    def record(self, feed_id: int, run_id: int, moment: str, diff: Diff) -> None:
        """Make what is staged what the feed lists, inside a transaction; ``diff`` is from :meth:`.Staging.diff`.

        What the body no longer names is closed; what it states other facts of is closed and opened again with the same
        ``listed_from``; what is new opens now.
        """
        if diff.removed:
            self._database.execute(f"{_CLOSE} WHERE id IN (SELECT id FROM closing)", (moment, run_id))
        if diff.amended:
            self._database.execute(
                f"{_CLOSE} WHERE id IN (SELECT replaces FROM opening WHERE replaces IS NOT NULL)", (moment, run_id)
            )
        if diff.added or diff.amended:
            source, since = ("opening", "coalesce(listed_from, ?)") if diff.listed_before else ("incoming", "?")
            names = listed(STAGED)
            # A body that names a rule twice: the first row is kept, the unique index rejects the second.
            self._database.execute(
                f"INSERT INTO listings (feed_id, {names}, listed_from, stated_from, run_id)"
                f" SELECT ?, {names}, {since}, ?, ? FROM {source} ORDER BY {listed(RULE)}, position"
                " ON CONFLICT DO NOTHING",
                (feed_id, moment, moment, run_id),
            )

    def close_all(self, feed_id: int, run_id: int, moment: str) -> int:
        """Close all open listings of a feed, inside a transaction; return their number."""
        return self._database.execute(f"{_CLOSE} WHERE feed_id = ? AND closed_by = 0", (moment, run_id, feed_id))

    def open_held(self, hold: HeldEntry, feed_id: int, moment: str) -> bool:
        """List an entry that was held, inside a transaction; return False where the feed lists it already."""
        names = listed((*RULE, *PUBLISHED))
        opened = self._database.execute(
            f"INSERT INTO listings (feed_id, {names}, listed_from, stated_from, run_id)"
            f" SELECT ?, {names}, ?, ?, run_id FROM holds WHERE id = ? ON CONFLICT DO NOTHING",
            (feed_id, moment, moment, hold.id),
        )
        return bool(opened)

    def close_held(self, hold: HeldEntry, feed_id: int, moment: str) -> bool:
        """Delist an entry that was held, inside a transaction; return False where the feed does not list it.

        No run closes it: ``closed_by`` is the row's own id, negative, which no other row has.
        """
        closed = self._database.execute(
            "UPDATE listings SET listed_until = ?, closed_by = -id"
            " WHERE value = ? AND kind = ? AND scope = ? AND feed_id = ? AND closed_by = 0",
            (moment, hold.rule.value, hold.rule.kind.value, hold.rule.scope.value, feed_id),
        )
        return bool(closed)

    def hosts_among(self, feed_id: int, hosts: Iterable[str]) -> set[Rule]:
        """Return the host rules that a feed lists now and whose host is among these."""
        found = []
        for chunk in chunks(hosts):
            found += self._database.rows(
                f"SELECT {listed(RULE)} FROM listings l WHERE {OPEN} AND kind = 'host' AND value IN ({marks(chunk)})",
                (feed_id, *chunk),
            )
        return {rule_of(row) for row in found}

    def last_labels(self, feed_id: int) -> set[str]:
        """Return the last labels of all hosts that a feed lists now."""
        rows = self._database.tuples(
            f"SELECT l.value FROM listings l WHERE {OPEN} AND l.kind IN ('host', 'url')", (feed_id,)
        )
        return {last_label(row[0]) for row in rows}

    def of_app(self, app: str) -> list[Listing]:
        """Return all listings ever that may be of an app: under its id, and under URLs, as version 0.2 kept them."""
        values = sorted({app, app.lower(), app.upper(), f"id{app}"})
        # A range each, so that the index on rules finds them.
        ranges = [(begin, begin + "\U0010ffff") for begin in URL_BEGINNINGS]
        conditions = [f"l.value IN ({marks(values)})", *["l.value >= ? AND l.value < ?"] * len(ranges)]
        return self._listings(
            [f"({condition} AND l.kind = 'app')" for condition in conditions], [*values, *chain.from_iterable(ranges)]
        )

    def candidates(self, hosts: Iterable[str], url_hosts: Iterable[str], others: Iterable[str]) -> list[Listing]:
        """Return all listings ever of these hosts, of URLs on those hosts, and of these addresses."""
        conditions: list[str] = []
        parameters: list[Any] = []
        for values, kind in ((list(hosts), " AND l.kind = 'host'"), (list(others), "")):
            if values:
                conditions.append(f"(l.value IN ({marks(values)}){kind})")
                parameters += values
        for host in url_hosts:
            # "0" follows "/": every value that begins with "host/", found through the index.
            conditions.append("(l.value >= ? AND l.value < ? AND l.kind = 'url')")
            parameters += [f"{host}/", f"{host}0"]
        return self._listings(conditions, parameters) if conditions else []

    def _listings(self, conditions: list[str], parameters: list[Any]) -> list[Listing]:
        return self._database.mapped(
            _listing,
            "SELECT l.*, feeds.name AS feed, feeds.definition, runs.body_sha256,"
            " h.state AS hold_state, h.decided_by, h.reason FROM listings l"
            " JOIN feeds ON feeds.id = l.feed_id LEFT JOIN runs ON runs.id = l.run_id"
            f" LEFT JOIN holds h ON h.feed = feeds.name AND {same_rule('h', 'l')}"
            " AND h.state IN ('approved', 'released') AND (l.listed_until IS NULL OR l.listed_until > h.decided_at)"
            f" WHERE {' OR '.join(conditions)} ORDER BY l.stated_from, l.id",
            parameters,
        )


def last_label(value: str) -> str:
    """Return the last label of the host in a rule's value.

    >>> last_label("pirate.co.uk/films?page=1.5"), last_label("pirate.example")
    ('uk', 'example')
    """
    return value.partition("/")[0].rpartition(".")[2]


def with_authority(row: Row) -> Row:
    """Return a row of an entry with its authority and legal basis: as the row states them, else as its feed does.

    The row has the column ``definition`` of its feed.
    """
    definition = _definition(row["definition"])
    authority = definition.authority.authority()
    if row["authority"] or row["country"]:
        authority = Authority(
            row["authority"] or authority.name, authority.kind, row["country"] or authority.country, authority.contact
        )
    return row | {"authority": authority, "legal_basis": row["legal_basis"] or definition.legal_basis}


@lru_cache(maxsize=64)
def _definition(text: str) -> FeedDefinition:
    return FeedDefinition.model_validate_json(text)


def _listing(row: Row) -> Listing:
    return _mapped(with_authority(row))


def _hold_decision(row: Row) -> str | None:
    return f"{row['hold_state']} by {row['decided_by']}: {row['reason']}" if row["hold_state"] else None


_mapped = mapper(Listing, raw=entry_of, run=column("run_id"), hold_decision=_hold_decision)
