"""Alerts, which say what is wrong from when until when, and the outbox of messages that tell of them."""

from __future__ import annotations

from collections.abc import Iterable

from blocklist.store.database import Database, Row

#: Of a message, without its content.
_MESSAGE = "id, message, channel, created_at, summary, state, attempts, next_try, ended_at, trouble"


class Alerts:
    """What people are told."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # What is wrong, as the runs and feeds have it

    def failing(self) -> list[Row]:
        """Return the newest ended run of each feed whose last runs did not succeed, if it failed: feed, id, reason."""
        return self._database.rows(
            "SELECT feeds.name AS feed, runs.id, runs.reason FROM feeds JOIN runs ON runs.id ="
            " (SELECT max(r.id) FROM runs r WHERE r.feed_id = feeds.id AND r.outcome IS NOT NULL)"
            " WHERE feeds.failures > 0 AND feeds.removed_at IS NULL AND runs.outcome = 'failed'"
        )

    def entries_waiting(self) -> list[Row]:
        """Return of each feed with entries that wait alone how many, and of the newest its id, value and why."""
        return self._database.rows(
            "SELECT newest.feed, counted.waiting, newest.id, newest.value, newest.why FROM"
            " (SELECT max(id) AS id, count(*) AS waiting FROM holds WHERE state = 'waiting' GROUP BY feed) AS counted"
            " JOIN holds AS newest ON newest.id = counted.id"
        )

    # Alerts

    def open(self) -> list[Row]:
        """Return the alerts that have not ended."""
        return self._database.rows("SELECT * FROM alerts WHERE ended_at IS NULL ORDER BY id")

    def to_report(self) -> list[Row]:
        """Return the alerts that have not ended, and those that did and nobody was told so."""
        return self._database.rows("SELECT * FROM alerts WHERE closed = 0 ORDER BY id")

    def begin(self, event: str, subject: str, marker: str, said: str, moment: str) -> None:
        """Open an alert, inside a transaction."""
        self._database.execute(
            "INSERT INTO alerts (event, subject, marker, said, begun_at) VALUES (?, ?, ?, ?, ?)",
            (event, subject, marker, said, moment),
        )

    def restate(self, id_: int, marker: str, said: str, *, anew: bool) -> None:
        """Say an alert in other words, inside a transaction; ``anew``: it is news again."""
        told = ", told_at = NULL" if anew else ""
        self._database.execute(f"UPDATE alerts SET marker = ?, said = ?{told} WHERE id = ?", (marker, said, id_))

    def end(self, id_: int, moment: str, ending: str | None) -> None:
        """End an alert, inside a transaction; what nobody was told, or has no ``ending``, needs no telling."""
        self._database.execute(
            "UPDATE alerts SET ended_at = ?, ending = ?,"
            " closed = CASE WHEN told_at IS NULL OR ? IS NULL THEN 1 ELSE 0 END WHERE id = ?",
            (moment, ending, ending, id_),
        )

    def note_reported(self, ids: Iterable[int], moment: str) -> None:
        """Note that alerts were told, inside a transaction; those that have ended are done with."""
        self._database.execute_many(
            "UPDATE alerts SET told_at = ?, closed = CASE WHEN ended_at IS NULL THEN 0 ELSE 1 END WHERE id = ?",
            ((moment, id_) for id_ in ids),
        )

    # The outbox

    def queue(self, message: str, channel: str, summary: str, content: str, moment: str, next_try: str) -> int:
        """Put a message into the outbox, inside a transaction; return its number."""
        return self._database.insert(
            "INSERT INTO outbox (message, channel, created_at, summary, content, state, next_try)"
            " VALUES (?, ?, ?, ?, ?, 'waiting', ?) RETURNING id",
            (message, channel, moment, summary, content, next_try),
        )

    def last_queued(self) -> str | None:
        """Return when the newest message was put into the outbox."""
        found = self._database.value("SELECT max(created_at) FROM outbox")
        return str(found) if found else None

    def due(self, moment: str) -> list[int]:
        """Return the numbers of the messages that are due to be delivered, the longest due first."""
        rows = self._database.tuples(
            "SELECT id FROM outbox WHERE state = 'waiting' AND next_try <= ? ORDER BY next_try, id", (moment,)
        )
        return [row[0] for row in rows]

    def claim(self, id_: int, moment: str, until: str) -> Row | None:
        """Take a message that is due, so that nobody else delivers it before ``until``; None where it is not due."""
        with self._database.transaction():
            taken = self._database.execute(
                "UPDATE outbox SET next_try = ?, attempts = attempts + 1"
                " WHERE id = ? AND state = 'waiting' AND next_try <= ?",
                (until, id_, moment),
            )
            return self._database.row("SELECT * FROM outbox WHERE id = ?", (id_,)) if taken else None

    def note_delivered(self, id_: int, moment: str, trouble: str | None) -> None:
        """Note that a message was delivered."""
        self._close(id_, "delivered", moment, trouble)

    def note_given_up(self, id_: int, moment: str, trouble: str) -> None:
        """Note that a message will not be delivered."""
        self._close(id_, "given up", moment, trouble)

    def note_retry(self, id_: int, next_try: str, trouble: str) -> None:
        """Note that a message could not be delivered, and when it is tried again."""
        with self._database.transaction():
            self._database.execute("UPDATE outbox SET next_try = ?, trouble = ? WHERE id = ?", (next_try, trouble, id_))

    def messages(self, state: str | None = None, limit: int = 50, before: int = 2**63 - 1) -> list[Row]:
        """Return the newest messages, those before a number, newest first, without their content."""
        which, of = (" AND state = ?", (state,)) if state else ("", ())
        return self._database.rows(
            f"SELECT {_MESSAGE} FROM outbox WHERE id < ?{which} ORDER BY id DESC LIMIT ?", (before, *of, limit)
        )

    def get(self, id_: int) -> Row:
        """Return a message, without its content."""
        row = self._database.row(f"SELECT {_MESSAGE} FROM outbox WHERE id = ?", (id_,))
        assert row is not None
        return row

    def delete_before(self, before: str) -> None:
        """Drop the messages and alerts that ended before a moment, inside a transaction."""
        self._database.execute("DELETE FROM outbox WHERE state <> 'waiting' AND created_at < ?", (before,))
        self._database.execute("DELETE FROM alerts WHERE closed = 1 AND ended_at < ?", (before,))

    def _close(self, id_: int, state: str, moment: str, trouble: str | None) -> None:
        with self._database.transaction():
            self._database.execute(
                "UPDATE outbox SET state = ?, ended_at = ?, trouble = ? WHERE id = ?", (state, moment, trouble, id_)
            )
