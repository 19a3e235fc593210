"""The tables, as steps that are never edited once released: a change is a new step at the end."""

from __future__ import annotations

from sqlite_utils import Database, Migrations

from blocklist.store.engine.sqlite.schema import access_tables as access
from blocklist.store.engine.sqlite.schema import (
    alert_tables,
    first_tables,
    flag_tables,
    renamed,
    review_tables,
    statistics_tables,
)

_SEEN_OF_A_BODY = (
    # What each run's body was read as, and the content type by which format ``auto`` decided.
    "ALTER TABLE runs ADD COLUMN seen TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE runs ADD COLUMN content_type TEXT",
)
_PAGES = (
    # Every list can be read a page at a time at the same cost.
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
#: What was delisted since a moment is found without walking all listings.
_ENDINGS = ("CREATE INDEX listings_ended ON listings (listed_until, id) WHERE listed_until IS NOT NULL",)
#: What one feed listed and delisted is found without walking what others did.
_ENDINGS_OF_A_FEED = (
    "CREATE INDEX listings_ended_of ON listings (feed_id, listed_until, id) WHERE listed_until IS NOT NULL",
    "CREATE INDEX listings_once_of ON listings (feed_id, id) WHERE listed_until IS NOT NULL",
)
#: What waits for a person is found by its rule.
_HELD_RULES = ("CREATE INDEX held_changes_value ON held_changes (value)",)
#: Whether the last line of a body says that it is the end; null for bodies that were read before this was noted.
_END_MARKERS = ("ALTER TABLE bodies ADD COLUMN end_marker INTEGER",)

_STATEMENTS = {
    "m001_tables": first_tables.STATEMENTS,
    "m002_what_was_seen_of_a_body": _SEEN_OF_A_BODY,
    "m003_reviews": review_tables.STATEMENTS,
    "m004_figures": statistics_tables.STATEMENTS,
    "m005_pages": _PAGES,
    "m006_tokens": (*access.TOKENS, *access.AUDIT_ORIGIN),
    "m007_notices": alert_tables.STATEMENTS,
    "m008_people": access.PEOPLE,
    "m009_endings": _ENDINGS,
    "m010_two_people": (*access.AUDIT_END, *access.OVERRIDES_CONFIRMED),
    "m011_endings_of_a_feed": _ENDINGS_OF_A_FEED,
    "m012_names": renamed.STATEMENTS,
    "m013_flags": flag_tables.STATEMENTS,
    "m014_end_markers": _END_MARKERS,
    "m015_held_rules": _HELD_RULES,
}


def _migrations() -> Migrations:
    migrations = Migrations("blocklist")
    for name, statements in _STATEMENTS.items():

        def apply(database: Database, statements: tuple[str, ...] = statements) -> None:
            for statement in statements:
                database.execute(statement)

        migrations(name=name)(apply)
    return migrations


MIGRATIONS = _migrations()
