"""The tables of the first version: feeds, runs, listings, overrides, snapshots and the audit log."""

from __future__ import annotations

STATEMENTS = (
    """
    CREATE TABLE feeds (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        definition TEXT NOT NULL,
        paused INTEGER NOT NULL DEFAULT 0,
        created_at TEXT NOT NULL,
        removed_at TEXT,
        next_due TEXT NOT NULL,
        last_attempt TEXT,
        last_success TEXT,
        last_change TEXT,
        failures INTEGER NOT NULL DEFAULT 0,
        listed INTEGER NOT NULL DEFAULT 0,
        applied_reading TEXT,
        applied_body TEXT,
        validators TEXT
    )
    """,
    "CREATE UNIQUE INDEX feeds_name ON feeds (name) WHERE removed_at IS NULL",
    """
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY,
        feed_id INTEGER NOT NULL REFERENCES feeds (id),
        started_by TEXT NOT NULL,
        started_at TEXT NOT NULL,
        finished_at TEXT,
        stage TEXT NOT NULL,
        outcome TEXT,
        reason TEXT NOT NULL DEFAULT '',
        counts TEXT NOT NULL DEFAULT '{}',
        rejected_by_code TEXT NOT NULL DEFAULT '{}',
        body_sha256 TEXT,
        body_bytes INTEGER,
        validators TEXT,
        review TEXT,
        review_by TEXT,
        review_at TEXT,
        review_reason TEXT
    )
    """,
    "CREATE INDEX runs_feed ON runs (feed_id, id)",
    "CREATE INDEX runs_review ON runs (review) WHERE review = 'pending'",
    """
    CREATE TABLE rejections (
        run_id INTEGER NOT NULL REFERENCES runs (id),
        position INTEGER NOT NULL,
        raw TEXT NOT NULL,
        code TEXT NOT NULL,
        reason TEXT NOT NULL
    )
    """,
    "CREATE INDEX rejections_run ON rejections (run_id, position)",
    # closed_by is the run that closed the interval and 0 while it is open: never NULL, so that one unique index both
    # finds a rule's listings and lets no feed list a rule twice at once.
    """
    CREATE TABLE listings (
        id INTEGER PRIMARY KEY,
        feed_id INTEGER NOT NULL REFERENCES feeds (id),
        kind TEXT NOT NULL,
        value TEXT NOT NULL,
        scope TEXT NOT NULL,
        raw TEXT,
        position INTEGER NOT NULL,
        reference TEXT,
        legal_basis TEXT,
        published_at TEXT,
        authority TEXT,
        country TEXT,
        listed_from TEXT NOT NULL,
        stated_from TEXT NOT NULL,
        listed_until TEXT,
        run_id INTEGER NOT NULL REFERENCES runs (id),
        closed_by INTEGER NOT NULL DEFAULT 0
    )
    """,
    "CREATE UNIQUE INDEX listings_rule ON listings (value, kind, scope, feed_id, closed_by)",
    "CREATE INDEX listings_open ON listings (feed_id) WHERE closed_by = 0",
    """
    CREATE TRIGGER listings_stay BEFORE DELETE ON listings
    BEGIN SELECT RAISE(ABORT, 'listings are never deleted: close the interval'); END
    """,
    """
    CREATE TABLE overrides (
        id INTEGER PRIMARY KEY,
        action TEXT NOT NULL,
        kind TEXT NOT NULL,
        value TEXT NOT NULL,
        scope TEXT NOT NULL,
        reason TEXT NOT NULL,
        author TEXT NOT NULL,
        created_at TEXT NOT NULL,
        until TEXT,
        removed_at TEXT,
        removed_by TEXT
    )
    """,
    """
    CREATE TABLE snapshots (
        version INTEGER PRIMARY KEY,
        file TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        rules INTEGER NOT NULL,
        built_at TEXT NOT NULL,
        contents INTEGER NOT NULL
    )
    """,
    # contents: counts every change of what counts, so that a snapshot that lags behind is told from one that does not.
    "CREATE TABLE state (contents INTEGER NOT NULL)",
    "INSERT INTO state (contents) VALUES (0)",
    """
    CREATE TABLE audit (
        id INTEGER PRIMARY KEY,
        at TEXT NOT NULL,
        actor TEXT NOT NULL,
        action TEXT NOT NULL,
        target TEXT NOT NULL,
        detail TEXT NOT NULL,
        previous_hash TEXT NOT NULL,
        hash TEXT NOT NULL
    )
    """,
    """
    CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'audit events are never changed'); END
    """,
    """
    CREATE TRIGGER audit_stays_whole BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'audit events are never deleted'); END
    """,
)
