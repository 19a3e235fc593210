"""What is known of each kept body, and which bodies are no longer needed."""

from __future__ import annotations

from collections.abc import Iterable

from blocklist.domain.clock import now
from blocklist.guards.stated_dates import is_believed
from blocklist.store.base_table import Table
from blocklist.store.engine import Row

#: Bodies that stay whatever their age: of what counts now, of what is served, of what waits for a person.
_NEEDED = (
    "SELECT body_sha256 FROM runs WHERE id IN (SELECT run_id FROM listings WHERE closed_by = 0)",
    "SELECT applied_body FROM feeds WHERE removed_at IS NULL",
    "SELECT body_sha256 FROM runs WHERE review = 'pending' OR outcome IS NULL",
    "SELECT body_sha256 FROM runs WHERE id IN (SELECT run_id FROM holds WHERE state IN ('waiting', 'approved'))",
)


class Evidence(Table):
    """All bodies that runs read, by their SHA-256."""

    def note(self, sha256: str, ends_open: bool, stated_date: str | None, end_marker: bool = False) -> None:
        """Note a body that is kept: whether its last line lacks a line break, its date, and whether it says it ends."""
        with self._database.transaction():
            self._database.execute(
                "INSERT INTO bodies (sha256, kept_at, ends_open, stated_date, end_marker) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (sha256) DO UPDATE SET ends_open = excluded.ends_open,"
                " stated_date = excluded.stated_date, end_marker = excluded.end_marker, pruned_at = NULL",
                (sha256, now(), int(ends_open), stated_date, int(end_marker)),
            )

    def about(self, sha256: str) -> Row | None:
        """Return what is known of a body, such as ``kept_at``, ``ends_open``, ``stated_date``, ``pruned_at``."""
        return self._database.row("SELECT * FROM bodies WHERE sha256 = ?", (sha256,))

    def stated_date(self, feed_id: int) -> str | None:
        """Return the date that a feed's current body states; None where it states none, or one that cannot be right."""
        row = self._database.row(
            "SELECT b.stated_date, b.kept_at FROM bodies b JOIN feeds f ON f.applied_body = b.sha256 WHERE f.id = ?",
            (feed_id,),
        )
        stated = row["stated_date"] if row else None
        return stated if stated and row and is_believed(stated, row["kept_at"]) else None

    def always_ended_with_newline(self, feed_id: int) -> bool:
        """Return whether a feed had good bodies, and the last line of each had a line break."""
        most = self._database.value(
            "SELECT max(b.ends_open) FROM bodies b JOIN runs r ON r.body_sha256 = b.sha256"
            " WHERE r.feed_id = ? AND r.outcome IN ('applied', 'unchanged')",
            (feed_id,),
        )
        return bool(most == 0)

    def always_ended_with_marker(self, feed_id: int) -> bool:
        """Return whether a feed had good bodies, and the last line of each said that it is the end."""
        least = self._database.value(
            "SELECT min(b.end_marker) FROM bodies b JOIN runs r ON r.body_sha256 = b.sha256"
            " WHERE r.feed_id = ? AND r.outcome IN ('applied', 'unchanged')",
            (feed_id,),
        )
        return bool(least == 1)

    def unneeded(self, before: str) -> list[str]:
        """Return the bodies that are not needed, and that only runs started before a moment read."""
        needed = " UNION ".join(_NEEDED)
        rows = self._database.tuples(
            "SELECT r.body_sha256 FROM runs r LEFT JOIN bodies b ON b.sha256 = r.body_sha256"
            " WHERE r.body_sha256 IS NOT NULL AND b.pruned_at IS NULL"
            " GROUP BY r.body_sha256 HAVING max(r.started_at) < ?"
            f" AND r.body_sha256 NOT IN (SELECT body_sha256 FROM ({needed}) AS n WHERE body_sha256 IS NOT NULL)",
            (before,),
        )
        return [row[0] for row in rows]

    def note_pruned(self, bodies: Iterable[str]) -> None:
        """Note bodies that are no longer kept, inside a transaction."""
        moment = now()
        self._database.execute_many(
            "INSERT INTO bodies (sha256, kept_at, pruned_at) VALUES (?, ?, ?)"
            " ON CONFLICT (sha256) DO UPDATE SET pruned_at = excluded.pruned_at",
            ((sha256, moment, moment) for sha256 in bodies),
        )

    def last_upkeep(self, task: str) -> str | None:
        """Return when a task of upkeep was last done."""
        return self._database.text("SELECT done_at FROM upkeep WHERE task = ?", (task,))

    def note_upkeep(self, task: str) -> None:
        """Note that a task of upkeep is done now."""
        with self._database.transaction():
            self._database.execute(
                "INSERT INTO upkeep (task, done_at) VALUES (?, ?)"
                " ON CONFLICT (task) DO UPDATE SET done_at = excluded.done_at",
                (task, now()),
            )
