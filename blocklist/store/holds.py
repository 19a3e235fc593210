"""Entries held alone: those that wait for a person, and what was decided, remembered for every later run."""

from __future__ import annotations

from collections.abc import Iterable

from blocklist.domain.clock import now
from blocklist.domain.listing import Rule
from blocklist.domain.run import GuardFinding, HeldEntry, HoldState
from blocklist.store.base_table import Table, chunks, marks
from blocklist.store.columns import PUBLISHED, RULE, listed
from blocklist.store.engine import Row
from blocklist.store.mapping import column, entry_of, mapper

#: What a run states of an entry that it holds.
_STATED = ("guard", "why", *PUBLISHED, "run_id")
_COLUMNS = ("feed", *RULE, *_STATED, "held_at")


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

    def keep(self, feed: str, run_id: int, waiting: Iterable[tuple[Rule, GuardFinding, Row]]) -> int:
        """Note which entries of a feed's list wait, inside a transaction; return their number.

        Those that waited and are no longer in the list are withdrawn.
        """
        moment = now()
        held = [
            (
                *(feed, rule.value, rule.kind.value, rule.scope.value, finding.guard, finding.sentence),
                *(*(facts[name] for name in PUBLISHED), run_id, moment),
            )
            for rule, finding, facts in waiting
        ]
        self._database.execute_many(
            f"INSERT INTO holds ({listed(_COLUMNS)}, state) VALUES ({marks(_COLUMNS)}, 'waiting')"
            f" ON CONFLICT (feed, {listed(RULE)}) DO UPDATE SET"
            f" {', '.join(f'{name} = excluded.{name}' for name in _STATED)},"
            " held_at = CASE WHEN holds.state = 'waiting' THEN holds.held_at ELSE excluded.held_at END,"
            " state = 'waiting', decided_by = NULL, decided_at = NULL, reason = NULL",
            held,
        )
        self._database.execute(
            "UPDATE holds SET state = 'withdrawn', decided_at = ? WHERE feed = ? AND state = 'waiting' AND run_id <> ?",
            (moment, feed, run_id),
        )
        return len(held)

    def withdraw_all(self, feed: str) -> int:
        """Close the waiting holds of a feed that is removed, inside a transaction; return their number."""
        return self._update(
            "holds", {"state": "withdrawn", "decided_at": now()}, "feed = ? AND state = 'waiting'", feed
        )

    def decide(self, id_: int, state: HoldState, by: str | None, reason: str | None) -> None:
        """Note a person's decision, or that the entry waits again where a decision is revoked (``by`` is None)."""
        decision = {"decided_by": by, "decided_at": None if by is None else now(), "reason": reason}
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


_hold = mapper(HeldEntry, entry=entry_of, run=column("run_id"))
