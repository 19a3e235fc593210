"""The rules of the body that a thread reads, beside what its feed lists, and how the two differ.

They are staged in temporary tables: comparing takes no lock, and collects the rows to close and to open. Recording them
(:meth:`.Listings.record`) is then a handful of statements, which hold the lock only as long as the change is large.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from blocklist.domain.errors import NotFoundError
from blocklist.domain.listing import Entry, HostBlock, Rule, RuleKind, Scope
from blocklist.normalize.candidates import canonical_app
from blocklist.store.base_table import Table, chunks, marks
from blocklist.store.columns import FACTS, OPEN, PUBLISHED, RULE, STAGED, listed, same_rule
from blocklist.store.engine import Row
from blocklist.store.mapping import rule_of

_NO_FACTS = (None,) * len(FACTS)
#: Rows collected before they are staged, and hosts from which on staging them together is faster.
_ROWS, _TOGETHER = 10_000, 16

_RULE, _STAGED = listed(RULE), listed(STAGED)
_LISTED = f"EXISTS (SELECT 1 FROM listings l WHERE {same_rule('l', 'i')} AND {OPEN})"
_INCOMING = f"EXISTS (SELECT 1 FROM incoming i WHERE {same_rule('i', 'l')})"
_FIRST = f"NOT EXISTS (SELECT 1 FROM incoming j WHERE {same_rule('j', 'i')} AND j.position < i.position)"
_RESTATED = " OR ".join(f"i.{fact} IS DISTINCT FROM l.{fact}" for fact in FACTS)
_ANY_FACT = " OR ".join(f"{fact} IS NOT NULL" for fact in FACTS)
_NEW = "replaces IS NULL"
_THIS_RULE = "value = ? AND kind = ? AND scope = ?"


@dataclass(frozen=True, slots=True)
class Diff:
    """How a staged body differs from what its feed lists, in numbers of rules."""

    rules: int
    added: int
    removed: int
    amended: int
    listed_before: int


class StagedChange(NamedTuple):
    """A rule that a staged body adds, with entry and position as published; or removes, without position."""

    value: str
    kind: str
    scope: str
    raw: str | None
    position: int | None


class StagedEntry(NamedTuple):
    """A rule that is staged: its entry as published, where that differs from the value, and its position."""

    rule: Rule
    raw: str | None
    position: int


class Staging(Table):
    """The body that the current thread reads."""

    def load(self, ruled: Iterable[tuple[Entry, Rule] | HostBlock]) -> int:
        """Stage the rules of a body in place of those staged before; return the number of rows."""
        rows = 0
        singles: list[tuple[Entry, Rule]] = []
        tables = self._database.staging
        with tables.filling():
            for item in ruled:
                if not isinstance(item, HostBlock):
                    singles.append(item)
                elif len(item.values) < _TOGETHER:
                    singles.extend(item.ruled())
                else:
                    tables.add_hosts(item)
                    rows += len(item.values)
                if len(singles) >= _ROWS:
                    tables.add_rows(list(_rows(singles)))
                    rows += len(singles)
                    singles.clear()
            tables.add_rows(list(_rows(singles)))
        return rows + len(singles)

    def clear(self) -> None:
        """Drop what is staged."""
        self._database.staging.drop()

    def diff(self, feed_id: int) -> Diff:
        """Compare what is staged with what a feed lists, and keep the difference for :meth:`.Listings.record`."""
        before = self._database.number(f"SELECT count(*) FROM listings l WHERE {OPEN}", (feed_id,))
        rules = self._count_rules("incoming")
        if not before:
            # Everything is new: the rows to open are those of the body.
            return Diff(rules, rules, 0, 0, 0)
        self._database.execute(
            f"INSERT INTO opening ({_STAGED}) SELECT {_STAGED} FROM incoming i WHERE NOT {_LISTED} ORDER BY {_STAGED}",
            (feed_id,),
        )
        added = self._count_rules("opening")
        removed = before - (rules - added)
        if removed:
            self._database.execute(
                f"INSERT INTO closing (id) SELECT l.id FROM listings l WHERE {OPEN} AND NOT {_INCOMING}", (feed_id,)
            )
        amended = self._find_amended(feed_id) if self._any_fact(feed_id) else 0
        if removed and added and self._database.value("SELECT kind FROM incoming LIMIT 1") == RuleKind.APP:
            adopted = self._adopt_other_forms()
            added, removed, amended = added - adopted, removed - adopted, amended + adopted
        return Diff(rules, added, removed, amended, before)

    def _adopt_other_forms(self) -> int:
        """Let apps that the feed lists under other forms of their ids go on under the canonical ones, as restated.

        Version 0.2 and before kept each form as it was published. Of several forms of one app, the oldest listing goes
        on. Returns the number of listings that do.
        """
        opening = {row[0] for row in self._database.tuples(f"SELECT DISTINCT value FROM opening WHERE {_NEW}")}
        closing = self._database.tuples(
            "SELECT l.id, l.value, l.listed_from FROM closing c JOIN listings l ON l.id = c.id"
            " ORDER BY l.listed_from DESC, l.id DESC"
        )
        adopted = {
            canonical: (listed_from, id_)
            for id_, value, listed_from in closing
            if (canonical := canonical_app(value)) in opening
        }
        for value, (listed_from, id_) in adopted.items():
            self._database.execute(
                "UPDATE opening SET listed_from = ?, replaces = ? WHERE value = ?", (listed_from, id_, value)
            )
            self._database.execute("DELETE FROM closing WHERE id = ?", (id_,))
        return len(adopted)

    def added(self, feed_id: int, limit: int) -> Iterator[StagedChange]:
        """Yield the rules that are staged and that the feed does not list, by value; after :meth:`diff`."""
        found = self._database.value(f"SELECT EXISTS (SELECT 1 FROM listings l WHERE {OPEN})", (feed_id,))
        source, new = ("opening", f"i.{_NEW}") if found else ("incoming", "true")
        return self._database.named(
            StagedChange,
            f"SELECT {_RULE}, min(raw), position FROM {source} i WHERE {new} AND {_FIRST}"
            f" GROUP BY {_RULE}, position ORDER BY value LIMIT ?",
            (limit,),
        )

    def added_hosts(self, feed_id: int) -> Iterator[str]:
        """Yield the hosts of host rules that are staged and that the feed does not list; after :meth:`diff`.

        A host of which two scopes are new comes twice.
        """
        found = self._database.value(f"SELECT EXISTS (SELECT 1 FROM listings l WHERE {OPEN})", (feed_id,))
        source, new = ("opening", "replaces IS NULL") if found else ("incoming", "true")
        rows = self._database.tuples(f"SELECT value FROM {source} WHERE kind = 'host' AND {new}")
        return (row[0] for row in rows)

    def entries_of(self, hosts: Iterable[str]) -> list[StagedEntry]:
        """Return the staged host rules of some hosts, each with its first entry."""
        found: dict[Rule, StagedEntry] = {}
        for chunk in chunks(hosts):
            for row in self._database.rows(
                f"SELECT {_RULE}, raw, position FROM incoming WHERE kind = 'host' AND value IN ({marks(chunk)})"
                " ORDER BY position",
                chunk,
            ):
                found.setdefault(rule_of(row), StagedEntry(rule_of(row), row["raw"], row["position"]))
        return list(found.values())

    def returning(self, feed_id: int, since: str) -> int:
        """Return how many staged new rules the feed listed at a moment or later; after :meth:`diff`."""
        return self._database.number(
            "SELECT count(*) FROM (SELECT DISTINCT i.value, i.kind, i.scope FROM opening i JOIN listings l"
            f" ON {same_rule('l', 'i')} AND l.feed_id = ? AND l.listed_until >= ? WHERE i.replaces IS NULL) AS r",
            (feed_id, since),
        )

    def removed(self, limit: int) -> Iterator[StagedChange]:
        """Yield the rules that the feed lists and that are not staged, by value; after :meth:`diff`."""
        return self._database.named(
            StagedChange,
            f"SELECT {listed(RULE, 'l')}, l.raw, NULL FROM closing c JOIN listings l ON l.id = c.id"
            " ORDER BY l.value LIMIT ?",
            (limit,),
        )

    def removed_continuation(self, feed_id: int, rule: Rule) -> str | None:
        """Return a value that the feed lists, that is not staged, and that begins with the value of a staged new rule.

        None where there is none, or the feed lists the rule already.
        """
        if self._database.value(
            f"SELECT 1 FROM listings l WHERE l.value = ? AND l.kind = ? AND l.scope = ? AND {OPEN}",
            (*_key(rule), feed_id),
        ):
            return None
        # No character of a canonical value comes after the last one of Unicode.
        return self._database.text(
            f"SELECT l.value FROM listings l WHERE l.value > ? AND l.value < ? AND {OPEN} AND NOT {_INCOMING} LIMIT 1",
            (rule.value, rule.value + "\U0010ffff", feed_id),
        )

    def size(self) -> int:
        """Return how many rules are staged."""
        return self._count_rules("incoming")

    def hosts_among(self, hosts: Iterable[str]) -> list[Rule]:
        """Return the host rules that are staged and whose host is among these, each once."""
        found = []
        for chunk in chunks(hosts):
            found += self._database.rows(
                f"SELECT DISTINCT {_RULE} FROM incoming WHERE kind = 'host' AND value IN ({marks(chunk)})", chunk
            )
        return [rule_of(row) for row in found]

    def candidates(self, hosts: Sequence[str], url_host: str) -> list[Rule]:
        """Return the staged rules that could match a target: rules of these hosts, and URLs on one."""
        return self._database.mapped(
            rule_of,
            f"SELECT DISTINCT {_RULE} FROM incoming WHERE value IN ({marks(hosts)})"
            f" UNION SELECT DISTINCT {_RULE} FROM incoming WHERE value >= ? AND value < ?",
            # "0" follows "/": every value that begins with "host/", found through the index.
            (*hosts, f"{url_host}/", f"{url_host}0"),
        )

    def take(self, rule: Rule) -> Row:
        """Remove a rule from what is staged; return what its first row says of it.

        :raises NotFoundError: it is not staged.
        """
        row = self.first_row(rule)
        self._database.execute(f"DELETE FROM incoming WHERE {_THIS_RULE}", _key(rule))
        return row

    def first_row(self, rule: Rule) -> Row:
        """Return what the first row of a staged rule says of it.

        :raises NotFoundError: it is not staged.
        """
        row = self._database.row(
            f"SELECT {listed(PUBLISHED)} FROM incoming WHERE {_THIS_RULE} ORDER BY position LIMIT 1", _key(rule)
        )
        if row is None:
            raise NotFoundError(f"{rule.value} is not staged")
        return row

    def _count_rules(self, table: str) -> int:
        return self._database.number(f"SELECT count(*) FROM (SELECT DISTINCT {_RULE} FROM {table}) AS i")

    def _any_fact(self, feed_id: int) -> bool:
        """Return whether the body or the feed's open listings state any fact: a plain list of hosts never does."""
        in_body = f"SELECT EXISTS (SELECT 1 FROM incoming WHERE {_ANY_FACT})"
        in_listings = f"SELECT EXISTS (SELECT 1 FROM listings l WHERE {OPEN} AND ({_ANY_FACT}))"
        return bool(self._database.value(in_body) or self._database.value(in_listings, (feed_id,)))

    def _find_amended(self, feed_id: int) -> int:
        """Keep the listings of which the body, where it first names them, states other facts; return their number."""
        self._database.execute(
            f"INSERT INTO opening ({_STAGED}, listed_from, replaces) SELECT {listed(STAGED, 'i')}, l.listed_from, l.id"
            # In this order: the body is read once, and each listing found by the index of rules.
            " FROM incoming i CROSS JOIN listings l"
            f" WHERE {same_rule('l', 'i')} AND {OPEN} AND ({_RESTATED}) AND {_FIRST}",
            (feed_id,),
        )
        return self._database.number("SELECT count(DISTINCT replaces) FROM opening")


def _key(rule: Rule) -> tuple[str, str, str]:
    return (rule.value, rule.kind.value, rule.scope.value)


def _rows(ruled: Iterable[tuple[Entry, Rule]]) -> Iterator[tuple[Any, ...]]:
    """Yield rows for the table: without facts where the entry states none."""
    kinds = {kind: kind.value for kind in RuleKind}
    scopes = {scope: scope.value for scope in Scope}
    for entry, (kind, value, scope) in ruled:
        raw = entry[2] or entry[0]
        row = (value, kinds[kind], scopes[scope], entry[1], None if raw == value else raw)
        yield row if entry[3:] == _NO_FACTS else (*row, *entry[3:])
