"""The tables, as steps that are never edited once released: a change is a new step at the end."""

from __future__ import annotations

from sqlite_utils import Database, Migrations

from blocklist.store.schema import access_tables, alert_tables, statistics_tables

MIGRATIONS = Migrations("blocklist")


@MIGRATIONS()
def m001_tables(database: Database) -> None:
    """Create the tables of the first version."""
    for statement in _FIRST_TABLES:
        database.execute(statement)


@MIGRATIONS()
def m002_what_was_seen_of_a_body(database: Database) -> None:
    """Keep what each run's body was read as, and the content type by which format ``auto`` decided."""
    database.execute("ALTER TABLE runs ADD COLUMN seen TEXT NOT NULL DEFAULT ''")
    database.execute("ALTER TABLE runs ADD COLUMN content_type TEXT")


_FIRST_TABLES = (
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


@MIGRATIONS()
def m003_reviews(database: Database) -> None:
    """Create the tables of reviews, of entries held alone, and of what is known of each body."""
    for statement in _REVIEW_TABLES:
        database.execute(statement)


_REVIEW_TABLES = (
    # By the feed's name, not its id: a feed whose definition changes is removed and added anew, and what a person
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


@MIGRATIONS()
def m004_figures(database: Database) -> None:
    """Create the tables of figures over time, and count what the listings so far tell."""
    for statement in statistics_tables.STATEMENTS:
        database.execute(statement)


@MIGRATIONS()
def m005_pages(database: Database) -> None:
    """Let every list be read a page at a time at the same cost, and remember requests that create something."""
    for statement in _PAGES:
        database.execute(statement)


_PAGES = (
    "CREATE INDEX runs_outcome ON runs (outcome, id)",
    "CREATE INDEX runs_reviewed ON runs (review, id) WHERE review IS NOT NULL",
    "CREATE INDEX holds_state ON holds (state, id)",
    "CREATE INDEX holds_feed ON holds (feed, id)",
    # In the order in which a person reviews them: see Changes.page.
    "CREATE INDEX changes_order ON changes"
    " (run_id, (CASE WHEN stands_out = '' THEN 1 ELSE 0 END), change, value, kind, scope)",
    # answer: null while the request that brought the key is under way.
    """
    CREATE TABLE requests (
        actor TEXT NOT NULL,
        key TEXT NOT NULL,
        request_hash TEXT NOT NULL,
        begun_at TEXT NOT NULL,
        answer TEXT,
        PRIMARY KEY (actor, key)
    )
    """,
    "CREATE INDEX requests_begun ON requests (begun_at)",
)


@MIGRATIONS()
def m006_tokens(database: Database) -> None:
    """Create the table of tokens for programs, and let the audit log say from where a change was asked for."""
    for statement in (*access_tables.TOKENS, *access_tables.AUDIT_ORIGIN):
        database.execute(statement)


@MIGRATIONS()
def m007_notices(database: Database) -> None:
    """Create the tables of alerts and of the messages that tell of them."""
    for statement in alert_tables.STATEMENTS:
        database.execute(statement)


@MIGRATIONS()
def m008_people(database: Database) -> None:
    """Create the tables of people, their sessions, and the links by which they set their passwords."""
    for statement in access_tables.PEOPLE:
        database.execute(statement)


@MIGRATIONS()
def m009_endings(database: Database) -> None:
    """Let what was delisted since a moment be found without walking all listings."""
    database.execute("CREATE INDEX listings_ended ON listings (listed_until, id) WHERE listed_until IS NOT NULL")


@MIGRATIONS()
def m010_two_people(database: Database) -> None:
    """Let an override wait for a second person, and keep where the audit log ends."""
    for statement in (*access_tables.AUDIT_END, *access_tables.OVERRIDES_CONFIRMED):
        database.execute(statement)


@MIGRATIONS()
def m011_endings_of_a_feed(database: Database) -> None:
    """Let what one feed listed and delisted be found without walking what others did."""
    database.execute(
        "CREATE INDEX listings_ended_of ON listings (feed_id, listed_until, id) WHERE listed_until IS NOT NULL"
    )
    database.execute("CREATE INDEX listings_once_of ON listings (feed_id, id) WHERE listed_until IS NOT NULL")
