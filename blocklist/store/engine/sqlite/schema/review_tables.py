"""The tables of reviews: entries held alone, held changes, findings of guards, and bodies."""

from __future__ import annotations

STATEMENTS = (
    # By the feed's name, not its id: a feed whose definition changes is removed and added again, and what a person
    # decided on its entries still holds.
    """
    CREATE TABLE holds (
        id INTEGER PRIMARY KEY,
        feed TEXT NOT NULL,
        kind TEXT NOT NULL,
        value TEXT NOT NULL,
        scope TEXT NOT NULL,
        guard TEXT NOT NULL,
        why TEXT NOT NULL,
        raw TEXT,
        position INTEGER NOT NULL,
        reference TEXT,
        legal_basis TEXT,
        published_at TEXT,
        authority TEXT,
        country TEXT,
        run_id INTEGER NOT NULL REFERENCES runs (id),
        held_at TEXT NOT NULL,
        state TEXT NOT NULL,
        decided_by TEXT,
        decided_at TEXT,
        reason TEXT
    )
    """,
    "CREATE UNIQUE INDEX holds_rule ON holds (feed, value, kind, scope)",
    "CREATE INDEX holds_waiting ON holds (feed) WHERE state = 'waiting'",
    """
    CREATE TABLE changes (
        run_id INTEGER NOT NULL REFERENCES runs (id),
        change TEXT NOT NULL,
        value TEXT NOT NULL,
        kind TEXT NOT NULL,
        scope TEXT NOT NULL,
        raw TEXT,
        position INTEGER,
        stands_out TEXT NOT NULL
    )
    """,
    "CREATE INDEX changes_run ON changes (run_id, change, value)",
    """
    CREATE TABLE spoken (
        run_id INTEGER NOT NULL REFERENCES runs (id),
        guard TEXT NOT NULL,
        effect TEXT NOT NULL,
        sentence TEXT NOT NULL
    )
    """,
    "CREATE INDEX spoken_run ON spoken (run_id)",
    """
    CREATE TABLE bodies (
        sha256 TEXT PRIMARY KEY,
        kept_at TEXT NOT NULL,
        ends_open INTEGER NOT NULL DEFAULT 0,
        stated_date TEXT,
        pruned_at TEXT
    )
    """,
    "CREATE INDEX runs_body ON runs (body_sha256)",
    "CREATE TABLE upkeep (task TEXT PRIMARY KEY, done_at TEXT NOT NULL)",
)
