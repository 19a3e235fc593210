"""What guards found in each run."""

from __future__ import annotations

from collections.abc import Iterable

from blocklist.domain.run import Effect, GuardFinding
from blocklist.store.base_table import Table


class GuardFindings(Table):
    """The findings of guards, in the order in which they were kept."""

    def keep(self, run_id: int, findings: Iterable[GuardFinding]) -> None:
        """Keep the findings of a run in place of those kept before."""
        with self._database.transaction():
            self._database.execute("DELETE FROM guard_findings WHERE run_id = ?", (run_id,))
            self._database.execute_many(
                "INSERT INTO guard_findings (run_id, guard, effect, sentence) VALUES (?, ?, ?, ?)",
                ((run_id, item.guard, item.effect.value, item.sentence) for item in findings),
            )

    def of_run(self, run_id: int) -> list[GuardFinding]:
        """Return the findings of a run."""
        rows = self._database.tuples(
            "SELECT guard, effect, sentence FROM guard_findings WHERE run_id = ? ORDER BY id", (run_id,)
        )
        return [GuardFinding(guard, Effect(effect), sentence) for guard, effect, sentence in rows]
