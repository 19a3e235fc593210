"""Entries held alone: those that wait for a person, and what was decided, remembered for every later run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from blocklist.domain.clock import now
from blocklist.domain.listing import Rule
from blocklist.domain.run import GuardFinding, HeldEntry, HoldState
from blocklist.store.base_table import Table, chunks, marks
from blocklist.store.columns import PUBLISHED, RULE, listed, same_rule
from blocklist.store.engine import Row
from blocklist.store.mapping import column, entry_of, mapper

#: What a run states of an entry that it holds.
_STATED = ("guard", "why", *PUBLISHED, "run_id")
_COLUMNS = ("feed", *RULE, *_STATED, "held_at")
_RESTATED = ", ".join(f"{name} = excluded.{name}" for name in _STATED)
_DECISION = ("decided_by", "decided_at", "reason")
#: Who decided where no person did.
BY_ITSELF = "blocklist"


class HeldNow(NamedTuple):
    """An entry that a run holds: its rule, why, and the facts of its first row, by column."""

    rule: Rule
    finding: GuardFinding
    facts: Row


class Holds(Table):
    """The holds of all feeds, by the feed's name: they outlast a feed that is removed and added again."""

    def of_rules(self, feed: str, rules: Iterable[Rule]) -> dict[Rule, HeldEntry]:
        """Return the holds of these rules in a feed: those that wait, and those that a person decided on."""
        wanted = set(rules)
        found: dict[Rule, HeldEntry] = {}
        for chunk in chunks(rule.value for rule in wanted):
            rows = self._database.rows(
                f"SELECT * FROM holds WHERE feed = ? AND value IN ({marks(chunk)})", (feed, *chunk)
            )
            found |= {hold.rule: hold for hold in map(_hold, rows) if hold.rule in wanted}
        return found

    def keep(self, feed: str, feed_id: int, run_id: int, waiting: Iterable[HeldNow], moment: str) -> None:
        """Note which entries of a feed's list wait, inside a transaction, after the list is recorded.

        Those that waited and are listed now are released; those that are no longer in the list are withdrawn.
        """
        waited = "holds.state = 'waiting'"
        self._database.execute_many(
            f"INSERT INTO holds ({listed(_COLUMNS)}, state) VALUES ({marks(_COLUMNS)}, 'waiting')"
            f" ON CONFLICT (feed, {listed(RULE)}) DO UPDATE SET {_RESTATED},"
            f" held_at = CASE WHEN {waited} THEN holds.held_at ELSE excluded.held_at END,"
            # One that waits with a decision waits because a person revoked another.
            + ", ".join(f" {name} = CASE WHEN {waited} THEN holds.{name} END" for name in _DECISION)
            + ", state = 'waiting'",
            (_row(feed, run_id, moment, item) for item in waiting),
        )
        gone = "feed = ? AND state = 'waiting' AND run_id <> ?"
        self._database.execute(
            f"UPDATE holds SET state = 'released', decided_by = ?, decided_at = ?, reason = ? WHERE {gone} AND EXISTS"
            f" (SELECT 1 FROM listings l WHERE l.feed_id = ? AND l.closed_by = 0 AND {same_rule('l', 'holds')})",
            (BY_ITSELF, moment, "no guard holds it any more", feed, run_id, feed_id),
        )
        self._database.execute(
            f"UPDATE holds SET state = 'withdrawn', decided_at = ? WHERE {gone}", (moment, feed, run_id)
        )

    def keep_released(self, feed: str, run_id: int, released: Iterable[tuple[HeldNow, str]], moment: str) -> None:
        """Note entries that a run lists although a guard would hold them, each with the reason, in a transaction."""
        self._database.execute_many(
            f"INSERT INTO holds ({listed((*_COLUMNS, *_DECISION))}, state)"
            f" VALUES ({marks((*_COLUMNS, *_DECISION))}, 'released')"
            f" ON CONFLICT (feed, {listed(RULE)}) DO UPDATE SET {_RESTATED},"
            " decided_by = excluded.decided_by, decided_at = excluded.decided_at, reason = excluded.reason,"
            " state = 'released'",
            ((*_row(feed, run_id, moment, item), BY_ITSELF, moment, reason) for item, reason in released),
        )

    def undecided(self) -> list[HeldEntry]:
        """Return the waiting entries of all feeds that nobody has decided on, oldest first."""
        rows = self._database.rows("SELECT * FROM holds WHERE state = 'waiting' AND decided_by IS NULL ORDER BY id")
        return [_hold(row) for row in rows]

    def kept_off(self, feed: str) -> list[HeldEntry]:
        """Return the entries of a feed that a person refused, or let wait again: whatever guards say, not listed."""
        rows = self._database.rows(
            "SELECT * FROM holds WHERE feed = ?"
            " AND (state = 'refused' OR (state = 'waiting' AND decided_by IS NOT NULL))",
            (feed,),
        )
        return [_hold(row) for row in rows]

    def withdraw_all(self, feed: str) -> int:
        """Close the waiting holds of a feed that is removed, inside a transaction; return their number."""
        return self._update(
            "holds", {"state": "withdrawn", "decided_at": now()}, "feed = ? AND state = 'waiting'", feed
        )

    def decide(self, id_: int, state: HoldState, by: str, reason: str) -> None:
        """Note a decision, or that the entry waits again where a person revokes a decision."""
        decision = {"decided_by": by, "decided_at": now(), "reason": reason}
        self._update("holds", {"state": state.value, **decision}, "id = ?", id_)

    def get(self, id_: int) -> HeldEntry:
        """Return a hold, whatever its state.

        :raises NotFoundError: there is none of that id.
        """
        return _hold(self._get("hold", "SELECT * FROM holds WHERE id = ?", id_))

    def all(self, feed: str | None = None, state: HoldState | None = HoldState.WAITING) -> list[HeldEntry]:
        """Return the holds of a feed or of all, in one state or (None) in any, oldest first."""
        return self.page(feed=feed, state=state, limit=None)

    def page(
        self, *, feed: str | None = None, state: HoldState | None = None, after: int = 0, limit: int | None = 100
    ) -> list[HeldEntry]:
        """Return up to ``limit`` holds of a feed or of all, in one state or in any, oldest first, those after an id."""
        narrowed = (("id > ?", after), ("feed = ?", feed or None), ("state = ?", state and state.value))
        return [_hold(row) for row in self._page("holds", limit, *narrowed)]

    def waiting(self) -> dict[str, int]:
        """Return how many entries wait, by feed; feeds without any are left out."""
        return dict(self._database.tuples("SELECT feed, count(*) FROM holds WHERE state = 'waiting' GROUP BY feed"))


def _row(feed: str, run_id: int, moment: str, item: HeldNow) -> tuple[Any, ...]:
    rule, finding, facts = item
    published = (facts[name] for name in PUBLISHED)
    return (
        *(feed, rule.value, rule.kind.value, rule.scope.value, finding.guard, finding.sentence),
        *(*published, run_id, moment),
    )


_hold = mapper(HeldEntry, entry=entry_of, run=column("run_id"))
