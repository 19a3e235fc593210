"""The tables, as steps that are never edited once released: a change is a new step at the end."""

from __future__ import annotations

from sqlite_utils import Database, Migrations

from blocklist.store.engine.sqlite.schema import (
    access_tables,
    alert_tables,
    first_tables,
    renamed,
    review_tables,
    statistics_tables,
)

MIGRATIONS = Migrations("blocklist")


@MIGRATIONS()
def m001_tables(database: Database) -> None:
    """Create the tables of the first version."""
    for statement in first_tables.STATEMENTS:
        database.execute(statement)


@MIGRATIONS()
def m002_what_was_seen_of_a_body(database: Database) -> None:
    """Keep what each run's body was read as, and the content type by which format ``auto`` decided."""
    database.execute("ALTER TABLE runs ADD COLUMN seen TEXT NOT NULL DEFAULT ''")
    database.execute("ALTER TABLE runs ADD COLUMN content_type TEXT")


@MIGRATIONS()
def m003_reviews(database: Database) -> None:
    """Create the tables of reviews, of entries held alone, and of what is known of each body."""
    for statement in review_tables.STATEMENTS:
        database.execute(statement)


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


@MIGRATIONS()
def m012_names(database: Database) -> None:
    """Give tables and columns the names that the code uses for them."""
    for statement in renamed.STATEMENTS:
        database.execute(statement)
