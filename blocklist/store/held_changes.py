"""What a held run would change, kept so that a person can look at it, and what the guards said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

from blocklist.domain.listing import Rule, RuleKind, Scope
from blocklist.domain.run import Change, Effect, GuardFinding
from blocklist.store.database import Database, like

#: Changes kept a run and direction, in order of their values; the figures cover all, and so does the kept body.
MAX_CHANGES_KEPT = 50_000

#: A change's place in the order of its run's changes: 0 where it stands out, the change, and the rule.
Place = tuple[int, str, str, str, str]
_PLAIN = "CASE WHEN stands_out = '' THEN 1 ELSE 0 END"
_RULE_ORDER = "change, value, kind, scope"
#: What stands out first.
_ORDER = f"{_PLAIN}, {_RULE_ORDER}"
_SAME = "l.value = i.value AND l.kind = i.kind AND l.scope = i.scope"
_OPEN = "l.feed_id = ? AND l.closed_by = 0"
_STAGED = f"EXISTS (SELECT 1 FROM incoming i WHERE {_SAME})"
_ADDED = (
    "SELECT 'added', i.value, i.kind, i.scope, min(i.raw), i.position FROM incoming i"
    f" WHERE NOT EXISTS (SELECT 1 FROM listings l WHERE {_SAME} AND {_OPEN})"
    " AND NOT EXISTS (SELECT 1 FROM incoming j WHERE j.value = i.value AND j.kind = i.kind AND j.scope = i.scope"
    " AND j.position < i.position)"
    " GROUP BY i.value, i.kind, i.scope, i.position ORDER BY i.value LIMIT ?"
)
_REMOVED = (
    "SELECT 'removed', l.value, l.kind, l.scope, l.raw, NULL FROM listings l"
    f" WHERE {_OPEN} AND NOT {_STAGED} ORDER BY l.value LIMIT ?"
)


class HeldChanges:
    """The differences that held runs wait with."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(
        self,
        run_id: int,
        feed_id: int,
        held: Iterable[tuple[Rule, str | None, int, str]],
        stands_out: Callable[[str, Rule], str],
    ) -> None:
        """Keep how what is staged differs from what a feed lists, inside a transaction.

        ``held`` are the rules that would wait alone (entry, position, why); ``stands_out`` says why an added or removed
        rule deserves a look, or nothing.
        """
        found = chain(
            self._database.tuples(_ADDED, (feed_id, MAX_CHANGES_KEPT)),
            self._database.tuples(_REMOVED, (feed_id, MAX_CHANGES_KEPT)),
        )
        self._database.execute("DELETE FROM changes WHERE run_id = ?", (run_id,))
        self._database.execute_many(
            "INSERT INTO changes (run_id, change, value, kind, scope, raw, position, stands_out)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            chain(
                (
                    (run_id, "held", rule.value, rule.kind.value, rule.scope.value, raw, position, why)
                    for rule, raw, position, why in held
                ),
                ((run_id, *row, stands_out(row[0], _rule(*row[1:4]))) for row in found),
            ),
        )

    def delete_superseded(self, feed_id: int) -> None:
        """Forget the differences of a feed's superseded runs: nobody will decide on them any more."""
        with self._database.transaction():
            self._database.execute(
                "DELETE FROM changes WHERE run_id IN (SELECT id FROM runs WHERE feed_id = ? AND review = 'superseded')",
                (feed_id,),
            )

    def find(
        self,
        run_id: int,
        *,
        change: str | None = None,
        search: str = "",
        standing_out: bool = False,
        limit: int = 100,
        offset: int = 0,
    ) -> tuple[list[Change], int]:
        """Return one page of what a run would change, what stands out first, and how many changes fit in all.

        ``search`` is text within the value or the entry as published, case ignored.
        """
        where, parameters = _narrowed(run_id, change, search, standing_out)
        total = self._database.value(f"SELECT count(*) FROM changes WHERE {where}", parameters)
        rows = self._database.tuples(
            f"SELECT change, value, kind, scope, raw, position, stands_out FROM changes WHERE {where}"
            f" ORDER BY {_ORDER} LIMIT ? OFFSET ?",
            (*parameters, limit, offset),
        )
        return [_change(row) for row in rows], int(total)

    def page(
        self,
        run_id: int,
        *,
        change: str | None = None,
        search: str = "",
        standing_out: bool = False,
        after: Place | None = None,
        limit: int = 100,
    ) -> tuple[list[Change], Place | None]:
        """Return so many changes of a run after a place in their order, and the place of the last of them.

        Narrowed and ordered as :meth:`find` does; a page costs the same wherever it is. The place is None at the end.
        """
        where, parameters = _narrowed(run_id, change, search, standing_out)
        first, *rule = after or (0,)
        rows: list[tuple[Any, ...]] = []
        for plain in range(first, 2):
            # One group after the other, so that the index leads to the very place.
            beyond = f" AND ({_RULE_ORDER}) > (?, ?, ?, ?)" if rule and plain == first else ""
            rows += self._database.tuples(
                "SELECT change, value, kind, scope, raw, position, stands_out FROM changes"
                f" WHERE {where} AND {_PLAIN} = ?{beyond} ORDER BY {_RULE_ORDER} LIMIT ?",
                (*parameters, plain, *(rule if beyond else ()), limit + 1 - len(rows)),
            )
        last = rows[limit - 1] if len(rows) > limit else None
        place = (int(last[6] == ""), last[0], last[1], last[2], last[3]) if last else None
        return [_change(row) for row in rows[:limit]], place

    def suffixes(self, feed_id: int) -> set[str]:
        """Return the last labels of every host that a feed lists now."""
        rows = self._database.tuples(
            "SELECT l.value FROM listings l WHERE l.feed_id = ? AND l.closed_by = 0 AND l.kind IN ('host', 'url')",
            (feed_id,),
        )
        return {last_label(row[0]) for row in rows}

    def removed_below(self, feed_id: int, rule: Rule) -> str | None:
        """Return a value that the feed lists, that is not staged, and that begins with a staged one that is new."""
        new = self._database.value(
            "SELECT NOT EXISTS (SELECT 1 FROM listings l"
            f" WHERE l.value = ? AND l.kind = ? AND l.scope = ? AND {_OPEN})",
            (rule.value, rule.kind.value, rule.scope.value, feed_id),
        )
        if not new:
            return None
        # No character of a canonical value comes after the last one of Unicode.
        found = self._database.value(
            f"SELECT l.value FROM listings l WHERE l.value > ? AND l.value < ? AND {_OPEN} AND NOT {_STAGED} LIMIT 1",
            (rule.value, rule.value + "\U0010ffff", feed_id),
        )
        return str(found) if found else None

    # What the guards said

    def keep_said(self, run_id: int, said: Iterable[GuardFinding]) -> None:
        """Keep what guards said of a run."""
        with self._database.transaction():
            self._database.execute("DELETE FROM spoken WHERE run_id = ?", (run_id,))
            self._database.execute_many(
                "INSERT INTO spoken (run_id, guard, effect, sentence) VALUES (?, ?, ?, ?)", _said_rows(run_id, said)
            )

    def said(self, run_id: int) -> list[GuardFinding]:
        """Return what guards said of a run."""
        rows = self._database.tuples(
            "SELECT guard, effect, sentence FROM spoken WHERE run_id = ? ORDER BY rowid", (run_id,)
        )
        return [GuardFinding(guard, Effect(effect), sentence) for guard, effect, sentence in rows]


def last_label(value: str) -> str:
    """Return the last label of the host in a rule's value.

    >>> last_label("pirate.co.uk/films?page=1.5"), last_label("pirate.example")
    ('uk', 'example')
    """
    return value.partition("/")[0].rpartition(".")[2]


def _narrowed(run_id: int, change: str | None, search: str, standing_out: bool) -> tuple[str, list[Any]]:
    """Return the condition that narrows a run's changes, and its parameters."""
    conditions, parameters = ["run_id = ?"], [run_id]  # type: tuple[list[str], list[Any]]
    if change:
        conditions.append("change = ?")
        parameters.append(change)
    if search:
        pattern = like(search)
        conditions.append("(lower(value) LIKE ? ESCAPE '\\' OR lower(raw) LIKE ? ESCAPE '\\')")
        parameters += [pattern, pattern]
    if standing_out:
        conditions.append("stands_out <> ''")
    return " AND ".join(conditions), parameters


def _change(row: tuple[Any, ...]) -> Change:
    return Change(row[0], _rule(*row[1:4]), row[4] or row[1], row[5], row[6])


def _said_rows(run_id: int, said: Iterable[GuardFinding]) -> Iterator[tuple[Any, ...]]:
    return ((run_id, item.guard, item.effect.value, item.sentence) for item in said)


def _rule(value: str, kind: str, scope: str) -> Rule:
    return Rule(RuleKind(kind), value, Scope(scope))
