"""Entries held alone: those that wait for a person, and what was decided, remembered for every later run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from blocklist.domain.clock import now
from blocklist.domain.errors import NotFoundError
from blocklist.domain.listing import Rule, RuleKind, Scope
from blocklist.domain.run import GuardFinding, HeldEntry, HoldState
from blocklist.store.database import Database, Row

_FACTS = "raw, position, reference, legal_basis, published_at, authority, country"
#: Values a query: well under SQLite's limit of parameters.
_CHUNK = 900
_IS = "value = ? AND kind = ? AND scope = ?"


class Holds:
    """The holds of every feed, by the feed's name: they outlast a feed that is removed and added anew."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # What is staged

    def staged_among(self, hosts: Iterable[str]) -> list[Rule]:
        """Return the host rules that this thread staged and whose host is among these, each once."""
        found = []
        for chunk in _chunks(hosts):
            rows = self._database.tuples(
                f"SELECT DISTINCT value, kind, scope FROM incoming WHERE value IN ({_marks(chunk)})", chunk
            )
            found += [_rule(*row) for row in rows if row[1] == RuleKind.HOST]
        return found

    def listed_among(self, feed_id: int, hosts: Sequence[str]) -> set[Rule]:
        """Return the host rules that a feed lists now and whose host is among these."""
        found = set()
        for chunk in _chunks(hosts):
            rows = self._database.tuples(
                "SELECT value, kind, scope FROM listings WHERE feed_id = ? AND closed_by = 0"
                f" AND value IN ({_marks(chunk)})",
                (feed_id, *chunk),
            )
            found |= {_rule(*row) for row in rows if row[1] == RuleKind.HOST}
        return found

    def take_out(self, rule: Rule) -> Row:
        """Take a rule out of what is staged; return the first row that named it."""
        row = self._database.row(f"SELECT {_FACTS} FROM incoming WHERE {_IS} ORDER BY position LIMIT 1", _key(rule))
        self._database.execute(f"DELETE FROM incoming WHERE {_IS}", _key(rule))
        if row is None:
            raise NotFoundError(f"{rule.value} is not staged")
        return row

    def staged_matching(self, hosts: Sequence[str], url_host: str) -> list[Rule]:
        """Return what is staged that could cover a target: rules of these hosts, and URLs on one."""
        rows = self._database.tuples(
            f"SELECT DISTINCT value, kind, scope FROM incoming WHERE value IN ({_marks(hosts)})"
            " UNION SELECT DISTINCT value, kind, scope FROM incoming WHERE value >= ? AND value < ?",
            (*hosts, f"{url_host}/", f"{url_host}0"),
        )
        return [_rule(*row) for row in rows]

    # What waits, and what was decided

    def of_rules(self, feed: str, rules: Iterable[Rule]) -> dict[Rule, HeldEntry]:
        """Return what is known of these rules in a feed: those that wait, and those that a person decided on."""
        wanted = set(rules)
        found: dict[Rule, HeldEntry] = {}
        for chunk in _chunks([rule.value for rule in wanted]):
            rows = self._database.rows(
                f"SELECT * FROM holds WHERE feed = ? AND value IN ({_marks(chunk)})", (feed, *chunk)
            )
            found |= {hold.rule: hold for hold in map(_hold, rows) if hold.rule in wanted}
        return found

    def keep(self, feed: str, run_id: int, waiting: Iterable[tuple[Rule, GuardFinding, Row]]) -> int:
        """Note which entries of a feed's list wait, inside a transaction; return how many.

        Those that waited and no longer stand in the list are withdrawn.
        """
        held = list(waiting)
        for rule, said, facts in held:
            values = (said.guard, said.sentence, *(facts[name.strip()] for name in _FACTS.split(",")), run_id)
            self._database.execute(
                f"INSERT INTO holds (feed, value, kind, scope, guard, why, {_FACTS}, run_id, held_at, state)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting')"
                " ON CONFLICT (feed, value, kind, scope) DO UPDATE SET guard = excluded.guard, why = excluded.why,"
                " raw = excluded.raw, position = excluded.position, reference = excluded.reference,"
                " legal_basis = excluded.legal_basis, published_at = excluded.published_at,"
                " authority = excluded.authority, country = excluded.country, run_id = excluded.run_id,"
                " held_at = CASE WHEN holds.state = 'waiting' THEN holds.held_at ELSE excluded.held_at END,"
                " state = 'waiting', decided_by = NULL, decided_at = NULL, reason = NULL",
                (feed, *_key(rule), *values, now()),
            )
        self._database.execute(
            "UPDATE holds SET state = 'withdrawn', decided_at = ? WHERE feed = ? AND state = 'waiting' AND run_id <> ?",
            (now(), feed, run_id),
        )
        return len(held)

    def withdraw_all(self, feed: str) -> int:
        """Close what waits of a feed that ends, inside a transaction; return how many there were."""
        return self._database.execute(
            "UPDATE holds SET state = 'withdrawn', decided_at = ? WHERE feed = ? AND state = 'waiting'", (now(), feed)
        )

    def decide(self, id_: int, state: HoldState, by: str | None, reason: str | None) -> None:
        """Note a person's decision; back to waiting where one is revoked."""
        with self._database.transaction():
            self._database.execute(
                "UPDATE holds SET state = ?, decided_by = ?, decided_at = ?, reason = ? WHERE id = ?",
                (state.value, by, None if by is None else now(), reason, id_),
            )

    def get(self, id_: int) -> HeldEntry:
        """Return a hold, whatever its state.

        :raises NotFoundError: there is none of that id.
        """
        row = self._database.row("SELECT * FROM holds WHERE id = ?", (id_,))
        if row is None:
            raise NotFoundError(f"there is no hold {id_}: 'blocklist hold list' shows those there are")
        return _hold(row)

    def all(self, feed: str | None = None, state: HoldState | None = HoldState.WAITING) -> list[HeldEntry]:
        """Return the holds of a feed or of all, in one state or (None) in any, oldest first."""
        conditions, parameters = ["true"], []
        for column, value in (("feed", feed), ("state", state and state.value)):
            if value:
                conditions.append(f"{column} = ?")
                parameters.append(value)
        sql = f"SELECT * FROM holds WHERE {' AND '.join(conditions)} ORDER BY id"
        return [_hold(row) for row in self._database.rows(sql, parameters)]

    def page(
        self, *, feed: str | None = None, state: HoldState | None = None, after: int = 0, limit: int = 100
    ) -> list[HeldEntry]:
        """Return so many holds of a feed or of all, in one state or in any, oldest first, those after an id."""
        conditions: list[str] = ["id > ?"]
        parameters: list[str | int] = [after]
        for column, value in (("feed", feed), ("state", state and state.value)):
            if value:
                conditions.append(f"{column} = ?")
                parameters.append(value)
        rows = self._database.rows(
            f"SELECT * FROM holds WHERE {' AND '.join(conditions)} ORDER BY id LIMIT ?", (*parameters, limit)
        )
        return [_hold(row) for row in rows]

    def waiting(self) -> dict[str, int]:
        """Return how many entries wait, by feed; feeds without any are left out."""
        rows = self._database.tuples("SELECT feed, count(*) FROM holds WHERE state = 'waiting' GROUP BY feed")
        return dict(rows)

    # An entry's own listing

    def open_listing(self, hold: HeldEntry, feed_id: int, moment: str) -> bool:
        """List what was held, inside a transaction; return False where the feed lists it already."""
        return bool(
            self._database.execute(
                f"INSERT INTO listings (feed_id, value, kind, scope, {_FACTS}, listed_from, stated_from, run_id)"
                f" SELECT ?, value, kind, scope, {_FACTS}, ?, ?, run_id FROM holds WHERE id = ? ON CONFLICT DO NOTHING",
                (feed_id, moment, moment, hold.id),
            )
        )

    def close_listing(self, hold: HeldEntry, feed_id: int, moment: str) -> bool:
        """Delist what was held, inside a transaction; return False where the feed does not list it.

        No run closes it: the row's own id, negative, says so, and is no other row's.
        """
        return bool(
            self._database.execute(
                f"UPDATE listings SET listed_until = ?, closed_by = -id WHERE {_IS} AND feed_id = ? AND closed_by = 0",
                (moment, *_key(hold.rule), feed_id),
            )
        )


def _key(rule: Rule) -> tuple[str, str, str]:
    return (rule.value, rule.kind.value, rule.scope.value)


def _rule(value: str, kind: str, scope: str) -> Rule:
    return Rule(RuleKind(kind), value, Scope(scope))


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))


def _chunks(values: Iterable[str]) -> Iterator[list[str]]:
    left = iter(values)
    while chunk := list(islice(left, _CHUNK)):
        yield chunk


def _hold(row: Row) -> HeldEntry:
    return HeldEntry(
        id=row["id"],
        feed=row["feed"],
        rule=_rule(row["value"], row["kind"], row["scope"]),
        guard=row["guard"],
        why=row["why"],
        entry=row["raw"] or row["value"],
        position=row["position"],
        run=row["run_id"],
        held_at=row["held_at"],
        state=HoldState(row["state"]),
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
        reason=row["reason"],
    )
