"""The tables of who may use the control plane."""

from __future__ import annotations

TOKENS = (
    """
    CREATE TABLE tokens (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        prefix TEXT NOT NULL,
        hash TEXT NOT NULL,
        role TEXT NOT NULL,
        created_at TEXT NOT NULL,
        created_by TEXT NOT NULL,
        expires_at TEXT,
        last_used TEXT,
        revoked_at TEXT,
        revoked_by TEXT
    )
    """,
    "CREATE UNIQUE INDEX tokens_hash ON tokens (hash)",
)

AUDIT_ORIGIN = ("ALTER TABLE audit ADD COLUMN origin TEXT NOT NULL DEFAULT ''",)
