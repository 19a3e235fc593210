"""The tables of telling people: what is wrong, and the messages that say so."""

from __future__ import annotations

STATEMENTS = (
    """
    CREATE TABLE alerts (
        id INTEGER PRIMARY KEY,
        event TEXT NOT NULL,
        subject TEXT NOT NULL,
        marker TEXT NOT NULL,
        said TEXT NOT NULL,
        begun_at TEXT NOT NULL,
        told_at TEXT,
        ended_at TEXT,
        ending TEXT,
        closed INTEGER NOT NULL DEFAULT 0
    )
    """,
    "CREATE UNIQUE INDEX alerts_open ON alerts (event, subject) WHERE ended_at IS NULL",
    "CREATE INDEX alerts_untold ON alerts (id) WHERE closed = 0",
    """
    CREATE TABLE outbox (
        id INTEGER PRIMARY KEY,
        message TEXT NOT NULL UNIQUE,
        channel TEXT NOT NULL,
        created_at TEXT NOT NULL,
        summary TEXT NOT NULL,
        content TEXT NOT NULL,
        state TEXT NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        next_try TEXT NOT NULL,
        ended_at TEXT,
        trouble TEXT
    )
    """,
    "CREATE INDEX outbox_waiting ON outbox (next_try) WHERE state = 'waiting'",
    "CREATE INDEX outbox_age ON outbox (created_at)",
)
