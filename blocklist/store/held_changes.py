"""What each held run would change, kept for the person who decides on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple

from blocklist.domain.listing import Rule, RuleKind, Scope
from blocklist.domain.run import HeldChange
from blocklist.store.base_table import Table, all_of, containing, like, marks
from blocklist.store.columns import RULE, listed
from blocklist.store.mapping import entry_of, mapper
from blocklist.store.staging import Staging

#: Changes kept for each run and direction, in order of their values; the counts of the run and its body cover all.
MAX_CHANGES_KEPT = 50_000

_PLAIN = "CASE WHEN stands_out = '' THEN 1 ELSE 0 END"
_RULE_ORDER = "change, value, kind, scope"
_COLUMNS = ("run_id", "change", *RULE, "raw", "position", "stands_out")
_SELECT = f"SELECT {listed(_COLUMNS)} FROM held_changes WHERE"


class WaitingEntry(NamedTuple):
    """A rule that would wait for a person alone: its entry, the position in the body, and why."""

    rule: Rule
    raw: str | None
    position: int
    why: str


class HeldChangePlace(NamedTuple):
    """The place of a change in the order of its run's changes: first those that stand out (``plain`` is 0)."""

    plain: int
    change: str
    value: str
    kind: str
    scope: str


class HeldChanges(Table):
    """The changes that held runs wait with."""

    def keep(
        self, run_id: int, feed_id: int, held: Iterable[WaitingEntry], stands_out: Callable[[str, Rule], str]
    ) -> None:
        """Keep how the staged body differs from what its feed lists, inside a transaction.

        ``stands_out`` says why an added or removed rule deserves a look; an empty text where it does not.
        """
        staging = Staging(self._database)
        found: Iterator[tuple[Any, ...]] = chain(
            (("added", *change) for change in staging.added(feed_id, MAX_CHANGES_KEPT)),
            (("removed", *change) for change in staging.removed(MAX_CHANGES_KEPT)),
        )
        self._database.execute("DELETE FROM held_changes WHERE run_id = ?", (run_id,))
        self._database.execute_many(
            f"INSERT INTO held_changes ({listed(_COLUMNS)}) VALUES ({marks(_COLUMNS)})",
            chain(
                (
                    (run_id, "held", rule.value, rule.kind.value, rule.scope.value, raw, position, why)
                    for rule, raw, position, why in held
                ),
                (
                    (run_id, change, value, kind, scope, *published, stands_out(change, _rule(value, kind, scope)))
                    for change, value, kind, scope, *published in found
                ),
            ),
        )

    def delete_superseded(self, feed_id: int) -> None:
        """Delete the changes of a feed's superseded runs: nobody decides on them any more."""
        with self._database.transaction():
            self._database.execute(
                "DELETE FROM held_changes"
                " WHERE run_id IN (SELECT id FROM runs WHERE feed_id = ? AND review = 'superseded')",
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
    ) -> tuple[list[HeldChange], int]:
        """Return a page of what a run would change, what stands out first, and the number of changes in all.

        ``search`` is text within the value or the entry as published, case ignored.
        """
        where, parameters = _narrowed(run_id, change, search, standing_out)
        total = self._database.number(f"SELECT count(*) FROM held_changes WHERE {where}", parameters)
        rows = self._database.rows(
            f"{_SELECT} {where} ORDER BY {_PLAIN}, {_RULE_ORDER} LIMIT ? OFFSET ?", (*parameters, limit, offset)
        )
        return [_change(row) for row in rows], total

    def page(
        self,
        run_id: int,
        *,
        change: str | None = None,
        search: str = "",
        standing_out: bool = False,
        after: tuple[int, str, str, str, str] | None = None,
        limit: int = 100,
    ) -> tuple[list[HeldChange], HeldChangePlace | None]:
        """Return up to ``limit`` changes of a run after a :class:`HeldChangePlace`, and the place of the last of them.

        Narrowed and ordered as by :meth:`find`; each page costs the same. The place is None at the end.
        """
        where, parameters = _narrowed(run_id, change, search, standing_out)
        first, *rule = after or (0,)
        rows: list[dict[str, Any]] = []
        for plain in range(first, 2):
            # One group after the other: the index then leads straight to the place.
            beyond = f" AND ({_RULE_ORDER}) > (?, ?, ?, ?)" if rule and plain == first else ""
            rows += self._database.rows(
                f"{_SELECT} {where} AND {_PLAIN} = ?{beyond} ORDER BY {_RULE_ORDER} LIMIT ?",
                (*parameters, plain, *(rule if beyond else ()), limit + 1 - len(rows)),
            )
        last = rows[limit - 1] if len(rows) > limit else None
        place = (
            HeldChangePlace(int(last["stands_out"] == ""), *(last[name] for name in HeldChangePlace._fields[1:]))
            if last
            else None
        )
        return [_change(row) for row in rows[:limit]], place


def _narrowed(run_id: int, change: str | None, search: str, standing_out: bool) -> tuple[str, list[Any]]:
    where, parameters = all_of(("run_id = ?", run_id), ("change = ?", change or None))
    if search:
        where += f" AND ({containing('value')} OR {containing('raw')})"
        parameters += [like(search)] * 2
    if standing_out:
        where += " AND stands_out <> ''"
    return where, parameters


_change = mapper(HeldChange, entry=entry_of)


def _rule(value: str, kind: str, scope: str) -> Rule:
    return Rule(RuleKind(kind), value, Scope(scope))
