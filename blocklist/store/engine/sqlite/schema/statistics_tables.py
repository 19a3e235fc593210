"""The tables of figures over time, and how they begin in a database that has listings already."""

from __future__ import annotations

_AUTHORITY = "coalesce(c.authority, json_extract(feeds.definition, '$.authority.name'))"
#: Counted by feed and authority first: a feed's definition is read once a group and not once a listing.
_COUNTED = (
    "SELECT feed_id, nullif(authority, '') AS authority, substr({moment}, 1, 10) AS day, {sign}count(*) AS change"
    " FROM listings WHERE {moment} IS NOT NULL GROUP BY 1, 2, 3"
)

STATEMENTS = (
    # How the number of listed sites changed: a sum up to a day is what was listed at its end.
    """
    CREATE TABLE listed_daily (
        day TEXT NOT NULL,
        authority TEXT NOT NULL,
        change INTEGER NOT NULL,
        PRIMARY KEY (day, authority)
    )
    """,
    """
    CREATE TABLE listed_now (
        feed_id INTEGER NOT NULL REFERENCES feeds (id),
        authority TEXT NOT NULL,
        listed INTEGER NOT NULL,
        PRIMARY KEY (feed_id, authority)
    )
    """,
    # Few lists name an authority a row: for the rest this index is empty and costs nothing.
    "CREATE INDEX listings_authority ON listings (feed_id, authority) WHERE closed_by = 0 AND authority IS NOT NULL",
    """
    CREATE TABLE traffic (
        at TEXT PRIMARY KEY,
        seconds REAL NOT NULL,
        lookups INTEGER NOT NULL,
        listed INTEGER NOT NULL,
        unknown INTEGER NOT NULL
    )
    """,
    "INSERT INTO listed_daily (day, authority, change)"
    f" SELECT c.day, {_AUTHORITY}, sum(c.change) FROM ("
    f"{_COUNTED.format(moment='stated_from', sign='')} UNION ALL {_COUNTED.format(moment='listed_until', sign='-')}"
    f") AS c JOIN feeds ON feeds.id = c.feed_id GROUP BY c.day, {_AUTHORITY} HAVING sum(c.change) <> 0",
    "INSERT INTO listed_now (feed_id, authority, listed)"
    f" SELECT c.feed_id, {_AUTHORITY}, sum(c.listed) FROM ("
    "SELECT feed_id, nullif(authority, '') AS authority, count(*) AS listed FROM listings WHERE closed_by = 0"
    f" GROUP BY 1, 2) AS c JOIN feeds ON feeds.id = c.feed_id GROUP BY c.feed_id, {_AUTHORITY}",
)
