"""Listings as intervals, and the diff between a body and what is listed, set against set.

A body's rules are staged in a temporary table of their own connection: comparing them takes no lock on the database,
and recording them is a handful of statements whatever the number of rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from blocklist.definitions.definition import FeedDefinition
from blocklist.domain.listing import Authority, Entry, HostBlock, Listing, Rule, RuleKind, Scope
from blocklist.store.database import TEXTS, Database, Row, as_texts

_STAGED = (
    "value",
    "kind",
    "scope",
    "position",
    "raw",
    "reference",
    "legal_basis",
    "published_at",
    "authority",
    "country",
)
#: Columns that every row has; the facts that its publisher states stand behind them.
_BARE = 5
_FACTS = ("reference", "legal_basis", "published_at", "authority", "country")
_NO_FACTS = (None,) * len(_FACTS)
#: Rows collected before they are staged, and hosts from which on staging them together is worth it.
_ROWS = 10_000
_TOGETHER = 16

#: Of all columns, so that the rows come out in its order without being looked up one by one.
_INDEX = f"CREATE INDEX temp.incoming_rule ON incoming ({', '.join(_STAGED)})"
_SAME_RULE = "{a}.value = {b}.value AND {a}.kind = {b}.kind AND {a}.scope = {b}.scope"
_OPEN = "l.feed_id = ? AND l.closed_by = 0"
_LISTED = f"EXISTS (SELECT 1 FROM listings l WHERE {_SAME_RULE.format(a='l', b='i')} AND {_OPEN})"
_STAGED_NOW = f"EXISTS (SELECT 1 FROM incoming i WHERE {_SAME_RULE.format(a='i', b='l')})"


@dataclass(frozen=True, slots=True)
class Diff:
    """How a staged body differs from what its feed lists, in rules."""

    rules: int
    added: int
    removed: int
    amended: int
    listed_before: int


class Listings:
    """Who listed what, from when, until when."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def stage(self, ruled: Iterable[tuple[Entry, Rule] | HostBlock]) -> int:
        """Put a body's rules beside the listings, replacing what this thread staged before; return how many rows."""
        self.unstage()
        self._database.execute(f"CREATE TEMPORARY TABLE incoming ({_columns()})")
        with self._database.staging():
            staged = self._fill(ruled)
            self._database.execute(_INDEX)
        return staged

    def unstage(self) -> None:
        """Forget what this thread staged."""
        for table in ("incoming", "amended"):
            self._database.execute(f"DROP TABLE IF EXISTS temp.{table}")

    def diff(self, feed_id: int) -> Diff:
        """Compare what is staged with what a feed lists."""
        before = int(self._database.value(f"SELECT count(*) FROM listings l WHERE {_OPEN}", (feed_id,)))
        distinct = "SELECT DISTINCT value, kind, scope FROM incoming"
        if not before:
            rules = int(self._database.value(f"SELECT count(*) FROM ({distinct}) i"))
            return Diff(rules, rules, 0, 0, 0)
        # Both counts in one query: going through a million staged rules costs a quarter of a second each time.
        ((rules, added),) = self._database.tuples(
            f"SELECT count(*), count(*) FILTER (WHERE NOT {_LISTED}) FROM ({distinct}) i", (feed_id,)
        )
        amended = self._find_amended(feed_id) if self._anything_stated(feed_id) else 0
        return Diff(rules, added, before - (rules - added), amended, before)

    def added(self, feed_id: int, limit: int) -> list[str]:
        """Return values that are staged and not listed by the feed, in order."""
        sql = f"SELECT DISTINCT value FROM incoming i WHERE NOT {_LISTED} ORDER BY value LIMIT ?"
        return [row[0] for row in self._database.tuples(sql, (feed_id, limit))]

    def removed(self, feed_id: int, limit: int) -> list[str]:
        """Return values that the feed lists and that are not staged, in order."""
        sql = f"SELECT DISTINCT value FROM listings l WHERE {_OPEN} AND NOT {_STAGED_NOW} ORDER BY value LIMIT ?"
        return [row[0] for row in self._database.tuples(sql, (feed_id, limit))]

    def record(self, feed_id: int, run_id: int, moment: str, diff: Diff) -> None:
        """Make what is staged what the feed lists, inside a transaction: close, amend, open.

        What no longer stands in the body is closed; what stands in other words is closed and opened anew with the same
        ``listed_from``; what is new opens now.
        """
        if diff.removed:
            self._database.execute(
                f"UPDATE listings AS l SET listed_until = ?, closed_by = ? WHERE {_OPEN} AND NOT {_STAGED_NOW}",
                (moment, run_id, feed_id),
            )
        if diff.amended:
            self._database.execute(
                "UPDATE listings SET listed_until = ?, closed_by = ? WHERE id IN (SELECT id FROM temp.amended)",
                (moment, run_id),
            )
        if diff.amended or diff.added:
            self._open_staged(feed_id, run_id, moment, diff)

    def close_all(self, feed_id: int, run_id: int, moment: str) -> int:
        """Close every open listing of a feed, inside a transaction; return how many there were."""
        return self._database.execute(
            "UPDATE listings SET listed_until = ?, closed_by = ? WHERE feed_id = ? AND closed_by = 0",
            (moment, run_id, feed_id),
        )

    def candidates(self, hosts: Iterable[str], url_hosts: Iterable[str], others: Iterable[str]) -> list[Listing]:
        """Return every listing ever of these hosts, of URLs on those hosts, and of these addresses or app ids."""
        conditions: list[str] = []
        parameters: list[str] = []
        for kind, values in ((RuleKind.HOST, list(hosts)), (None, list(others))):
            if values:
                conditions.append(f"(l.value IN ({', '.join('?' * len(values))}){' AND l.kind = ?' if kind else ''})")
                parameters += [*values, kind.value] if kind else values
        for host in url_hosts:
            # "0" follows "/": every value that begins with "host/", found through the index.
            conditions.append("(l.value >= ? AND l.value < ? AND l.kind = 'url')")
            parameters += [f"{host}/", f"{host}0"]
        if not conditions:
            return []
        rows = self._database.rows(
            "SELECT l.*, feeds.name AS feed, feeds.definition, runs.body_sha256 FROM listings l"
            " JOIN feeds ON feeds.id = l.feed_id LEFT JOIN runs ON runs.id = l.run_id"
            f" WHERE {' OR '.join(conditions)} ORDER BY l.stated_from, l.id",
            parameters,
        )
        return [_listing(row) for row in rows]

    def _fill(self, ruled: Iterable[tuple[Entry, Rule] | HostBlock]) -> int:
        """Stage rows and return how many they were."""
        staged = 0
        ones: list[tuple[Entry, Rule]] = []
        for item in ruled:
            if not isinstance(item, HostBlock):
                ones.append(item)
            elif len(item.values) < _TOGETHER:
                ones.extend(item.ruled())
            else:
                self._database.execute(
                    "INSERT INTO incoming (value, kind, scope, position)"
                    f" SELECT value, 'host', ?, ? + key FROM {TEXTS}",
                    (item.scope.value, item.position, as_texts(item.values)),
                )
                staged += len(item.values)
            if len(ones) >= _ROWS:
                staged += self._stage_rows(ones)
                ones.clear()
        return staged + self._stage_rows(ones)

    def _stage_rows(self, ruled: list[tuple[Entry, Rule]]) -> int:
        """Stage rows one by one; most state nothing beside the rule, and then half of the columns go unbound."""
        rows = list(_staged_rows(ruled))
        for width in (_BARE, len(_STAGED)):
            marks = ", ".join("?" * width)
            sql = f"INSERT INTO incoming ({', '.join(_STAGED[:width])}) VALUES ({marks})"
            self._database.execute_many(sql, (row for row in rows if len(row) == width))
        return len(rows)

    def _anything_stated(self, feed_id: int) -> bool:
        """Return whether the whole body or the feed's listings state any fact: a bare list of hosts never does."""
        facts = " OR ".join(f"{fact} IS NOT NULL" for fact in _FACTS)
        sql = f"SELECT EXISTS (SELECT 1 FROM incoming WHERE {facts})"
        listed = f"SELECT EXISTS (SELECT 1 FROM listings l WHERE {_OPEN} AND ({facts}))"
        return bool(self._database.value(sql) or self._database.value(listed, (feed_id,)))

    def _find_amended(self, feed_id: int) -> int:
        """Note the open listings of the feed that the body, at its first mention of them, states otherwise.

        Return how many there are.
        """
        differs = " OR ".join(f"i.{fact} IS DISTINCT FROM l.{fact}" for fact in _FACTS)
        first = (
            f"NOT EXISTS (SELECT 1 FROM incoming j WHERE {_SAME_RULE.format(a='j', b='i')} AND j.position < i.position)"
        )
        self._database.execute("DROP TABLE IF EXISTS temp.amended")
        self._database.execute(
            "CREATE TEMPORARY TABLE amended AS SELECT DISTINCT l.id, l.value, l.kind, l.scope, l.listed_from"
            # CROSS JOIN keeps this order: what is staged is read once, and each listing found by the index of rules.
            " FROM incoming i CROSS JOIN listings l"
            f" WHERE {_SAME_RULE.format(a='l', b='i')} AND {_OPEN} AND ({differs}) AND {first}",
            (feed_id,),
        )
        self._database.execute("CREATE INDEX temp.amended_rule ON amended (value, kind, scope)")
        return int(self._database.value("SELECT count(*) FROM temp.amended"))

    def _open_staged(self, feed_id: int, run_id: int, moment: str, diff: Diff) -> None:
        """Open what is staged and not listed; of what is staged twice, the first mention wins."""
        names, since, new = ", ".join(_STAGED), "?", "true"
        parameters: list[Any] = [feed_id, moment, moment, run_id]
        if diff.amended:
            since = f"coalesce((SELECT a.listed_from FROM amended a WHERE {_SAME_RULE.format(a='a', b='i')}), ?)"
        if diff.listed_before:
            new = f"NOT {_LISTED}"
            parameters.append(feed_id)
        # The unique index turns the second mention away.
        self._database.execute(
            f"INSERT INTO listings (feed_id, {names}, listed_from, stated_from, run_id)"
            f" SELECT ?, {names}, {since}, ?, ? FROM incoming i WHERE {new} ORDER BY value, kind, scope, position"
            " ON CONFLICT DO NOTHING",
            parameters,
        )


def _columns() -> str:
    return ", ".join(f"{name} {'INTEGER' if name == 'position' else 'TEXT'}" for name in _STAGED)


def _staged_rows(ruled: Iterable[tuple[Entry, Rule]]) -> Iterator[tuple[Any, ...]]:
    """Yield rows for the staging table: the bare columns, and behind them the facts where any is stated."""
    kinds = {kind: kind.value for kind in RuleKind}
    scopes = {scope: scope.value for scope in Scope}
    for entry, (kind, value, scope) in ruled:
        raw = entry[2] or entry[0]
        row = (value, kinds[kind], scopes[scope], entry[1], None if raw == value else raw)
        yield row if entry[3:] == _NO_FACTS else (*row, *entry[3:])


def _listing(row: Row) -> Listing:
    definition = FeedDefinition.model_validate_json(row["definition"])
    authority = definition.authority.authority()
    if row["authority"] or row["country"]:
        authority = Authority(
            row["authority"] or authority.name, authority.kind, row["country"] or authority.country, authority.contact
        )
    return Listing(
        id=row["id"],
        rule=Rule(RuleKind(row["kind"]), row["value"], Scope(row["scope"])),
        feed=row["feed"],
        authority=authority,
        raw=row["raw"] or row["value"],
        position=row["position"],
        reference=row["reference"],
        legal_basis=row["legal_basis"] or definition.legal_basis,
        published_at=row["published_at"],
        listed_from=row["listed_from"],
        stated_from=row["stated_from"],
        listed_until=row["listed_until"],
        run=row["run_id"],
        body_sha256=row["body_sha256"],
    )
