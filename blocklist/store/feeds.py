"""Feeds: their definitions, and the three times that say how fresh each is."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from blocklist.definitions.definition import FeedDefinition
from blocklist.domain.clock import now
from blocklist.domain.errors import ConflictError, NotFoundError
from blocklist.domain.listing import Authority, Feed
from blocklist.store.database import Database, Row


class Feeds:
    """The feeds of this installation. A removed one keeps its row, so that its history keeps its name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, definition: FeedDefinition) -> Feed:
        """Keep a new feed, due at once.

        :raises ConflictError: a feed of that name exists.
        """
        with self._database.transaction():
            self.check_new(definition.name)
            moment = now()
            self._database.insert(
                "INSERT INTO feeds (name, definition, created_at, next_due) VALUES (?, ?, ?, ?) RETURNING id",
                (definition.name, definition.model_dump_json(exclude_defaults=True), moment, moment),
            )
        return self.get(definition.name)

    def check_new(self, name: str) -> None:
        """Make sure that a name is free.

        :raises ConflictError: a feed has it.
        """
        if self._database.value("SELECT 1 FROM feeds WHERE name = ? AND removed_at IS NULL", (name,)):
            raise ConflictError(f"feed {name!r} exists already: 'blocklist feed show {name}' shows it")

    def all(self) -> list[Feed]:
        """Return every feed, by name."""
        return [_feed(row) for row in self._database.rows("SELECT * FROM feeds WHERE removed_at IS NULL ORDER BY name")]

    def page(self, after: str = "", limit: int = 100) -> list[Feed]:
        """Return so many feeds by name, those after a name."""
        rows = self._database.rows(
            "SELECT * FROM feeds WHERE removed_at IS NULL AND name > ? ORDER BY name LIMIT ?", (after, limit)
        )
        return [_feed(row) for row in rows]

    def including_removed(self) -> list[Feed]:
        """Return every feed there ever was, removed ones included: their listings still tell of them."""
        return [_feed(row) for row in self._database.rows("SELECT * FROM feeds ORDER BY id")]

    def get(self, name: str) -> Feed:
        """Return a feed.

        :raises NotFoundError: there is none of that name.
        """
        return _feed(self._row(name))

    def due(self, moment: str) -> list[Feed]:
        """Return the feeds that are due and not paused, the longest overdue first."""
        rows = self._database.rows(
            "SELECT * FROM feeds WHERE removed_at IS NULL AND paused = 0 AND next_due <= ? ORDER BY next_due, id",
            (moment,),
        )
        return [_feed(row) for row in rows]

    def edit(self, name: str, definition: FeedDefinition, next_due: str, *, moved: bool) -> None:
        """Keep another definition of a feed, inside a transaction; where its source ``moved``, forget the validators.

        They are the old address's: another server must not be asked whether its list still has them.
        """
        values: dict[str, Any] = {"definition": definition.model_dump_json(exclude_defaults=True), "next_due": next_due}
        self._update(name, **values, **({"validators": None} if moved else {}))

    def set_paused(self, name: str, paused: bool) -> None:
        """Stop or resume a feed's schedule; its list goes on serving."""
        self._update(name, paused=int(paused), next_due=now())

    def note_attempt(self, name: str, moment: str, next_due: str) -> None:
        """Note that a refresh begins, and when the next is due: a run that dies is tried again then."""
        self._update(name, last_attempt=moment, next_due=next_due)

    def note_failure(self, feed_id: int, next_due: str) -> None:
        """Note a run that did not bring a current list: neither of the other two times moves.

        By id, since a dead run may be found when its feed is removed already, and another has its name.
        """
        with self._database.transaction():
            self._database.execute(
                "UPDATE feeds SET failures = failures + 1, next_due = ? WHERE id = ?", (next_due, feed_id)
            )

    def note_success(self, name: str, moment: str, validators: Row | None) -> None:
        """Note that the list is known to be current, unchanged or not."""
        values: dict[str, Any] = {"last_success": moment, "failures": 0}
        if validators is not None:
            values["validators"] = json.dumps(validators)
        self._update(name, **values)

    def note_change(self, name: str, moment: str, *, body: str, reading: str, listed: int) -> None:
        """Note that a new list was recorded, which body it came from and how it was read."""
        self._update(name, last_change=moment, applied_body=body, applied_reading=reading, listed=listed)

    def adjust_listed(self, name: str, by: int) -> None:
        """Note that a person's decision changed how many sites a feed lists, inside a transaction."""
        moment = now()
        self._database.execute(
            "UPDATE feeds SET listed = listed + ?, last_change = ? WHERE name = ? AND removed_at IS NULL",
            (by, moment, name),
        )

    def applied(self, name: str) -> tuple[str | None, str | None, Row]:
        """Return the body of the list that serves (its SHA-256), how it was read, and its HTTP validators."""
        row = self._row(name)
        return row["applied_body"], row["applied_reading"], json.loads(row["validators"] or "{}")

    def failures(self, feed_id: int) -> int:
        """Return how many runs in a row did not bring a current list."""
        return int(self._database.value("SELECT failures FROM feeds WHERE id = ?", (feed_id,)))

    def remove(self, name: str) -> None:
        """Date a feed's end; closing its listings is :meth:`.Listings.close_all`."""
        self._update(name, removed_at=now(), listed=0)

    def _row(self, name: str) -> Row:
        row = self._database.row("SELECT * FROM feeds WHERE name = ? AND removed_at IS NULL", (name,))
        if row is None:
            raise NotFoundError(f"there is no feed {name!r}: 'blocklist feed list' shows those there are")
        return row

    def _update(self, name: str, **values: Any) -> None:
        columns = ", ".join(f"{column} = ?" for column in values)
        with self._database.transaction():
            self._database.execute(
                f"UPDATE feeds SET {columns} WHERE name = ? AND removed_at IS NULL", (*values.values(), name)
            )


def definition_of(feed: Feed) -> FeedDefinition:
    """Return a kept feed's definition."""
    return FeedDefinition.model_validate(feed.definition)


@lru_cache(maxsize=8_192)
def _told(definition: str) -> tuple[str, Authority, int]:
    """Return title, authority and interval of a definition: the schedule alone asks for all feeds every second."""
    parsed = FeedDefinition.model_validate_json(definition)
    return parsed.title, parsed.authority.authority(), parsed.every


def _feed(row: Row) -> Feed:
    title, authority, every = _told(row["definition"])
    return Feed(
        id=row["id"],
        name=row["name"],
        title=title or row["name"],
        authority=authority,
        definition=json.loads(row["definition"]),
        every=every,
        paused=bool(row["paused"]),
        created_at=row["created_at"],
        next_due=row["next_due"],
        last_attempt=row["last_attempt"],
        last_success=row["last_success"],
        last_change=row["last_change"],
        listed=row["listed"],
    )
