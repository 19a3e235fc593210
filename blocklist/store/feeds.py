"""Feeds: their definitions, and the three times that show how fresh each is."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, NamedTuple

import structlog

from blocklist.definitions.definition import FeedDefinition
from blocklist.domain.clock import now
from blocklist.domain.errors import ConflictError
from blocklist.domain.listing import Feed
from blocklist.store.base_table import Table
from blocklist.store.engine import Row
from blocklist.store.mapping import mapper

_LOG = structlog.get_logger("blocklist.store")


class AppliedBody(NamedTuple):
    """The body of the list that a feed serves, how it was read (a fingerprint), and its HTTP validators."""

    sha256: str | None
    reading: str | None
    validators: Row


class Feeds(Table):
    """The feeds of this installation. A removed feed keeps its row, so that its history keeps its name."""

    def add(self, definition: FeedDefinition) -> Feed:
        """Keep a new feed, due at once.

        :raises ConflictError: a feed of that name exists.
        """
        with self._database.transaction():
            self.check_new(definition.name)
            text, moment = definition.model_dump_json(exclude_defaults=True), now()
            self._insert("feeds", name=definition.name, definition=text, created_at=moment, next_due=moment)
        return self.get(definition.name)

    def check_new(self, name: str) -> None:
        """Check that no feed has a name.

        :raises ConflictError: a feed has it.
        """
        if self._database.value("SELECT 1 FROM feeds WHERE name = ? AND removed_at IS NULL", (name,)):
            raise ConflictError(f"feed {name!r} exists already: 'blocklist feed show {name}' shows it")

    def all(self) -> list[Feed]:
        """Return all feeds, by name."""
        return self._database.mapped(_feed, "SELECT * FROM feeds WHERE removed_at IS NULL ORDER BY name")

    def page(self, after: str = "", limit: int = 100) -> list[Feed]:
        """Return up to ``limit`` feeds by name, those after a name."""
        return self._database.mapped(
            _feed, "SELECT * FROM feeds WHERE removed_at IS NULL AND name > ? ORDER BY name LIMIT ?", (after, limit)
        )

    def including_removed(self) -> list[Feed]:
        """Return all feeds that there ever were: listings of removed ones still name them."""
        return self._database.mapped(_feed, "SELECT * FROM feeds ORDER BY id")

    def get(self, name: str) -> Feed:
        """Return a feed.

        :raises NotFoundError: there is none of that name.
        """
        return _feed(self._row(name))

    def due(self, moment: str) -> list[Feed]:
        """Return the feeds that are due and not paused, the longest overdue first."""
        return self._database.mapped(
            _feed,
            "SELECT * FROM feeds WHERE removed_at IS NULL AND paused = 0 AND next_due <= ? ORDER BY next_due, id",
            (moment,),
        )

    def edit(self, name: str, definition: FeedDefinition, next_due: str, *, moved: bool) -> None:
        """Keep another definition of a feed, inside a transaction; where its source ``moved``, delete the validators.

        They belong to the old address: another server must not be asked whether its list still has them.
        """
        values: dict[str, Any] = {"definition": definition.model_dump_json(exclude_defaults=True), "next_due": next_due}
        self._set(name, **values, **({"validators": None} if moved else {}))

    def set_paused(self, name: str, paused: bool) -> None:
        """Stop or resume a feed's schedule; its list is still served."""
        self._set(name, paused=int(paused), next_due=now())

    def note_attempt(self, name: str, moment: str, next_due: str) -> None:
        """Note that a refresh begins, and when the next is due: a run that dies is tried again then."""
        self._set(name, last_attempt=moment, next_due=next_due)

    def note_failure(self, feed_id: int, next_due: str) -> None:
        """Note a run that did not bring a current list: neither of the other two times changes.

        By id: a dead run may be found when its feed is already removed, and another feed has its name.
        """
        with self._database.transaction():
            self._database.execute(
                "UPDATE feeds SET failures = failures + 1, next_due = ? WHERE id = ?", (next_due, feed_id)
            )

    def note_success(self, name: str, moment: str, validators: Row | None) -> None:
        """Note that the list is known to be current, changed or not."""
        values: dict[str, Any] = {"last_success": moment, "failures": 0}
        if validators is not None:
            values["validators"] = json.dumps(validators)
        self._set(name, **values)

    def next_moment(self, name: str) -> str:
        """Return the time at which the next change of a feed is recorded, inside a transaction.

        It is never before its last change: by a clock that went back, a listing would end before it began.
        """
        last, moment = self.get(name).last_change or "", now()
        if last > moment:
            _LOG.warning("the clock went back", feed=name, now=moment, recorded=last)
        return max(last, moment)

    def note_change(self, name: str, moment: str, *, body: str, reading: str, listed: int) -> None:
        """Note that a new list was recorded, which body it came from and how it was read."""
        self._set(name, last_change=moment, applied_body=body, applied_reading=reading, listed=listed)

    def adjust_listed(self, name: str, by: int, moment: str) -> None:
        """Note that a decision on an entry changed how many sites a feed lists, inside a transaction."""
        self._database.execute(
            "UPDATE feeds SET listed = listed + ?, last_change = ? WHERE name = ? AND removed_at IS NULL",
            (by, moment, name),
        )

    def applied(self, name: str) -> AppliedBody:
        """Return the body of the list that a feed serves.

        :raises NotFoundError: there is no such feed.
        """
        row = self._row(name)
        return AppliedBody(row["applied_body"], row["applied_reading"], json.loads(row["validators"] or "{}"))

    def failures(self, feed_id: int) -> int:
        """Return how many runs in a row did not bring a current list."""
        return self._database.number("SELECT failures FROM feeds WHERE id = ?", (feed_id,))

    def remove(self, name: str) -> None:
        """Note a feed's end; :meth:`.Listings.close_all` closes its listings."""
        self._set(name, removed_at=now(), listed=0)

    def _row(self, name: str) -> Row:
        return self._get("feed", "SELECT * FROM feeds WHERE name = ? AND removed_at IS NULL", name)

    def _set(self, name: str, **values: Any) -> None:
        self._update("feeds", values, "name = ? AND removed_at IS NULL", name)


def definition_of(feed: Feed) -> FeedDefinition:
    """Return a feed's definition."""
    return FeedDefinition.model_validate(feed.definition)


# The schedule alone reads all feeds every second.
_parsed = lru_cache(maxsize=8_192)(FeedDefinition.model_validate_json)

_feed = mapper(
    Feed,
    title=lambda row: _parsed(row["definition"]).title or row["name"],
    authority=lambda row: _parsed(row["definition"]).authority.authority(),
    every=lambda row: _parsed(row["definition"]).every,
    definition=lambda row: json.loads(row["definition"]),
)
