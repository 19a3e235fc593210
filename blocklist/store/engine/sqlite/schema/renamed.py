"""Tables and columns under the names that the code uses for them."""

from __future__ import annotations

STATEMENTS = (
    "ALTER TABLE changes RENAME TO held_changes",
    "DROP INDEX changes_run",
    "CREATE INDEX held_changes_run ON held_changes (run_id, change, value)",
    "DROP INDEX changes_order",
    # In the order in which a person reviews them: see HeldChanges.page.
    "CREATE INDEX held_changes_order ON held_changes"
    " (run_id, (CASE WHEN stands_out = '' THEN 1 ELSE 0 END), change, value, kind, scope)",
    # With an id, which keeps the order in which the guards of a run found something.
    """
    CREATE TABLE guard_findings (
        id INTEGER PRIMARY KEY,
        run_id INTEGER NOT NULL REFERENCES runs (id),
        guard TEXT NOT NULL,
        effect TEXT NOT NULL,
        sentence TEXT NOT NULL
    )
    """,
    "INSERT INTO guard_findings (run_id, guard, effect, sentence)"
    " SELECT run_id, guard, effect, sentence FROM spoken ORDER BY rowid",
    "DROP TABLE spoken",
    "CREATE INDEX guard_findings_run ON guard_findings (run_id, id)",
    "ALTER TABLE alerts RENAME COLUMN said TO sentence",
    "ALTER TABLE alerts RENAME COLUMN told_at TO reported_at",
    "DROP INDEX alerts_untold",
    "CREATE INDEX alerts_to_report ON alerts (id) WHERE closed = 0",
    "ALTER TABLE traffic RENAME TO lookup_samples",
    "ALTER TABLE links RENAME TO one_time_links",
    "DROP INDEX links_hash",
    "CREATE UNIQUE INDEX one_time_links_hash ON one_time_links (hash)",
)
