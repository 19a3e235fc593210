"""The table of entries that are listed and worth a look, and how the lists of the last days are found."""

from __future__ import annotations

STATEMENTS = (
    """
    CREATE TABLE flags (
        id INTEGER PRIMARY KEY,
        feed TEXT NOT NULL,
        kind TEXT NOT NULL,
        value TEXT NOT NULL,
        scope TEXT NOT NULL,
        guard TEXT NOT NULL,
        why TEXT NOT NULL,
        raw TEXT,
        position INTEGER NOT NULL,
        run_id INTEGER NOT NULL REFERENCES runs (id),
        flagged_at TEXT NOT NULL,
        state TEXT NOT NULL,
        decided_by TEXT,
        decided_at TEXT,
        reason TEXT
    )
    """,
    "CREATE UNIQUE INDEX flags_rule ON flags (feed, value, kind, scope)",
    "CREATE INDEX flags_value ON flags (value)",
    "CREATE INDEX flags_state ON flags (state, id)",
    "CREATE INDEX flags_feed ON flags (feed, id)",
    "CREATE INDEX holds_value ON holds (value)",
    "CREATE INDEX runs_applied ON runs (feed_id, finished_at) WHERE outcome = 'applied'",
)
