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

PEOPLE = (
    # password: argon2, null until the person set one. subject: who it is to an OpenID provider, issuer and subject.
    """
    CREATE TABLE people (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        role TEXT NOT NULL,
        password TEXT,
        subject TEXT,
        created_at TEXT NOT NULL,
        created_by TEXT NOT NULL,
        signed_in_at TEXT,
        disabled_at TEXT
    )
    """,
    "CREATE UNIQUE INDEX people_name ON people (name)",
    "CREATE UNIQUE INDEX people_subject ON people (subject) WHERE subject IS NOT NULL",
    """
    CREATE TABLE sessions (
        id INTEGER PRIMARY KEY,
        hash TEXT NOT NULL,
        person_id INTEGER NOT NULL REFERENCES people (id),
        address TEXT NOT NULL,
        agent TEXT NOT NULL,
        created_at TEXT NOT NULL,
        seen_at TEXT NOT NULL,
        ends_at TEXT NOT NULL,
        ended_at TEXT
    )
    """,
    "CREATE UNIQUE INDEX sessions_hash ON sessions (hash)",
    "CREATE INDEX sessions_person ON sessions (person_id, id)",
    # person_id: null for the link that makes the first admin.
    """
    CREATE TABLE links (
        id INTEGER PRIMARY KEY,
        hash TEXT NOT NULL,
        person_id INTEGER REFERENCES people (id),
        created_at TEXT NOT NULL,
        expires_at TEXT NOT NULL,
        used_at TEXT
    )
    """,
    "CREATE UNIQUE INDEX links_hash ON links (hash)",
)

AUDIT_END = (
    "ALTER TABLE state ADD COLUMN audit_id INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE state ADD COLUMN audit_hash TEXT NOT NULL DEFAULT ''",
    "UPDATE state SET audit_id = coalesce((SELECT max(id) FROM audit), 0),"
    " audit_hash = coalesce((SELECT hash FROM audit ORDER BY id DESC LIMIT 1), '')",
)

# confirmed_at: null while an override waits for a second person. Those of the time before were in force at once.
OVERRIDES_CONFIRMED = (
    "ALTER TABLE overrides ADD COLUMN confirmed_at TEXT",
    "ALTER TABLE overrides ADD COLUMN confirmed_by TEXT",
    "UPDATE overrides SET confirmed_at = created_at, confirmed_by = author",
)
