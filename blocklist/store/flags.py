"""Entries that are listed and worth a look, and what people decided about them."""

from __future__ import annotations

from collections.abc import Iterable

from blocklist.domain.clock import now
from blocklist.domain.listing import Rule
from blocklist.domain.run import FlaggedEntry, FlagState, GuardFinding
from blocklist.store.base_table import Table, chunks, like, marks
from blocklist.store.columns import RULE, listed, same_rule
from blocklist.store.mapping import column, entry_of, mapper, rule_of
from blocklist.store.staging import StagedEntry

_STATED = ("guard", "why", "raw", "position", "run_id", "flagged_at")
_COLUMNS = ("feed", *RULE, *_STATED)


class Flags(Table):
    """The flagged entries of all feeds, by the feed's name."""

    def keep(
        self, feed: str, feed_id: int, run_id: int, flagged: Iterable[tuple[StagedEntry, GuardFinding]], moment: str
    ) -> None:
        """Note which newly listed entries are worth a look, and close the flags of those that are listed no more.

        Inside a transaction, after the listings of the run are recorded.
        """
        self._database.execute_many(
            f"INSERT INTO flags ({listed(_COLUMNS)}, state) VALUES ({marks(_COLUMNS)}, 'open')"
            f" ON CONFLICT (feed, {listed(RULE)}) DO UPDATE SET"
            f" {', '.join(f'{name} = excluded.{name}' for name in _STATED)},"
            " state = 'open', decided_by = NULL, decided_at = NULL, reason = NULL",
            (
                (
                    *(feed, entry.rule.value, entry.rule.kind.value, entry.rule.scope.value),
                    *(finding.guard, finding.sentence, entry.raw, entry.position, run_id, moment),
                )
                for entry, finding in flagged
            ),
        )
        self._database.execute(
            "UPDATE flags SET state = 'withdrawn', decided_at = ? WHERE feed = ? AND state = 'open' AND NOT EXISTS"
            f" (SELECT 1 FROM listings l WHERE l.feed_id = ? AND l.closed_by = 0 AND {same_rule('l', 'flags')})",
            (moment, feed, feed_id),
        )

    def withdraw_all(self, feed: str) -> int:
        """Close the open flags of a feed that is removed, inside a transaction; return their number."""
        return self._update("flags", {"state": "withdrawn", "decided_at": now()}, "feed = ? AND state = 'open'", feed)

    def decide(self, rule: Rule, state: FlagState, by: str, reason: str) -> int:
        """Close the open flags of a rule in all feeds, inside a transaction; return their number."""
        return self._update(
            "flags",
            {"state": state.value, "decided_by": by, "decided_at": now(), "reason": reason},
            "value = ? AND kind = ? AND scope = ? AND state = 'open'",
            *(rule.value, rule.kind.value, rule.scope.value),
        )

    def allow(self, rule: Rule, by: str, reason: str) -> int:
        """Close the open flags of an allowed host and of those below it, in a transaction; return their number."""
        decision = {"state": FlagState.ALLOWED.value, "decided_by": by, "decided_at": now(), "reason": reason}
        below = "%." + like(rule.value).removeprefix("%").removesuffix("%")
        return self._update(
            "flags",
            decision,
            "kind = 'host' AND state = 'open' AND (value = ? OR value LIKE ? ESCAPE '\\')",
            *(rule.value, below),
        )

    def decided(self, rules: Iterable[Rule]) -> set[Rule]:
        """Return those of some rules that a person has looked at, in whatever feed."""
        wanted, found = set(rules), set()
        for chunk in chunks(rule.value for rule in wanted):
            rows = self._database.rows(
                f"SELECT {listed(RULE)} FROM flags WHERE state IN ('dismissed', 'allowed')"
                f" AND value IN ({marks(chunk)})",
                chunk,
            )
            found |= {rule_of(row) for row in rows}
        return found & wanted

    def get(self, id_: int) -> FlaggedEntry:
        """Return a flag, whatever its state.

        :raises NotFoundError: there is none of that id.
        """
        return _flag(self._get("flag", "SELECT * FROM flags WHERE id = ?", id_))

    def all(self, feed: str | None = None, state: FlagState | None = FlagState.OPEN) -> list[FlaggedEntry]:
        """Return the flags of a feed or of all, in one state or (None) in any, oldest first."""
        return self.page(feed=feed, state=state, limit=None)

    def page(
        self, *, feed: str | None = None, state: FlagState | None = None, after: int = 0, limit: int | None = 100
    ) -> list[FlaggedEntry]:
        """Return up to ``limit`` flags of a feed or of all, in one state or in any, oldest first, those after an id."""
        narrowed = (("id > ?", after), ("feed = ?", feed or None), ("state = ?", state and state.value))
        return [_flag(row) for row in self._page("flags", limit, *narrowed)]

    def open(self) -> dict[str, int]:
        """Return how many flags are open, by feed; feeds without any are left out."""
        return dict(self._database.tuples("SELECT feed, count(*) FROM flags WHERE state = 'open' GROUP BY feed"))


_flag = mapper(FlaggedEntry, entry=entry_of, run=column("run_id"))
