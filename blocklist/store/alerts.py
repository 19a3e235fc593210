"""Alerts, which state what is wrong from when until when, and the outbox of messages about them."""

from __future__ import annotations

from collections.abc import Iterable

from blocklist.store.base_table import Table, all_of
from blocklist.store.engine import Row

#: The columns of a message without its content.
_MESSAGE = "id, message, channel, created_at, summary, state, attempts, next_try, ended_at, trouble"


class Alerts(Table):
    """What is wrong, and the messages that report it."""

    # What is wrong, as runs and feeds have it

    def failing(self) -> list[Row]:
        """Return the newest ended run of each feed whose last runs did not succeed, if it failed: feed, id, reason."""
        return self._database.rows(
            "SELECT feeds.name AS feed, runs.id, runs.reason FROM feeds JOIN runs ON runs.id ="
            " (SELECT max(r.id) FROM runs r WHERE r.feed_id = feeds.id AND r.outcome IS NOT NULL)"
            " WHERE feeds.failures > 0 AND feeds.removed_at IS NULL AND runs.outcome = 'failed'"
        )

    def entries_waiting(self) -> list[Row]:
        """Return for each feed with held entries how many wait, and id, value and reason of the newest."""
        return self._database.rows(
            "SELECT newest.feed, counted.waiting, newest.id, newest.value, newest.why FROM"
            " (SELECT max(id) AS id, count(*) AS waiting FROM holds WHERE state = 'waiting' GROUP BY feed) AS counted"
            " JOIN holds AS newest ON newest.id = counted.id"
        )

    def entries_flagged(self) -> list[Row]:
        """Return for each feed with flagged entries how many are open, and id, value and reason of the newest."""
        return self._database.rows(
            "SELECT newest.feed, counted.open, newest.id, newest.value, newest.why FROM"
            " (SELECT max(id) AS id, count(*) AS open FROM flags WHERE state = 'open' GROUP BY feed) AS counted"
            " JOIN flags AS newest ON newest.id = counted.id"
        )

    # Alerts

    def open(self) -> list[Row]:
        """Return the alerts that have not ended."""
        return self._database.rows("SELECT * FROM alerts WHERE ended_at IS NULL ORDER BY id")

    def to_report(self) -> list[Row]:
        """Return the alerts that have not ended, and those whose end is not reported yet."""
        return self._database.rows("SELECT * FROM alerts WHERE closed = 0 ORDER BY id")

    def begin(self, event: str, subject: str, marker: str, sentence: str, moment: str) -> None:
        """Open an alert, inside a transaction."""
        self._insert("alerts", event=event, subject=subject, marker=marker, sentence=sentence, begun_at=moment)

    def restate(self, id_: int, marker: str, sentence: str, *, report_again: bool) -> None:
        """Change the sentence of an alert, inside a transaction; ``report_again``: people are told of it again."""
        unreported = {"reported_at": None} if report_again else {}
        self._update("alerts", {"marker": marker, "sentence": sentence, **unreported}, "id = ?", id_)

    def end(self, id_: int, moment: str, ending: str | None) -> None:
        """End an alert, inside a transaction; one that was never reported, or has no ``ending``, is not reported."""
        self._database.execute(
            "UPDATE alerts SET ended_at = ?, ending = ?, closed = CASE WHEN reported_at IS NULL THEN 1 ELSE ? END"
            " WHERE id = ?",
            (moment, ending, int(ending is None), id_),
        )

    def note_reported(self, ids: Iterable[int], moment: str) -> None:
        """Note that alerts were reported, inside a transaction; nothing more is due for those that have ended."""
        self._database.execute_many(
            "UPDATE alerts SET reported_at = ?, closed = CASE WHEN ended_at IS NULL THEN 0 ELSE 1 END WHERE id = ?",
            ((moment, id_) for id_ in ids),
        )

    # The outbox

    def queue(self, message: str, channel: str, summary: str, content: str, moment: str, next_try: str) -> int:
        """Put a message into the outbox, inside a transaction; return its number."""
        state = {"created_at": moment, "state": "waiting", "next_try": next_try}
        return self._insert("outbox", message=message, channel=channel, summary=summary, content=content, **state)

    def last_queued(self) -> str | None:
        """Return when the newest message was put into the outbox."""
        return self._database.text("SELECT max(created_at) FROM outbox")

    def due(self, moment: str) -> list[int]:
        """Return the numbers of the messages that are due for delivery, the longest due first."""
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
        """Note that a message was delivered; ``trouble`` is what went wrong all the same."""
        self._update("outbox", {"state": "delivered", "ended_at": moment, "trouble": trouble}, "id = ?", id_)

    def note_given_up(self, id_: int, moment: str, trouble: str) -> None:
        """Note that a message will not be delivered, and why."""
        self._update("outbox", {"state": "given up", "ended_at": moment, "trouble": trouble}, "id = ?", id_)

    def note_retry(self, id_: int, next_try: str, trouble: str) -> None:
        """Note why a message could not be delivered, and when it is tried again."""
        self._update("outbox", {"next_try": next_try, "trouble": trouble}, "id = ?", id_)

    def messages(self, state: str | None = None, limit: int = 50, before: int = 2**63 - 1) -> list[Row]:
        """Return the newest messages with a number below ``before``, newest first, without their content."""
        where, parameters = all_of(("id < ?", before), ("state = ?", state or None))
        return self._database.rows(
            f"SELECT {_MESSAGE} FROM outbox WHERE {where} ORDER BY id DESC LIMIT ?", (*parameters, limit)
        )

    def get(self, id_: int) -> Row:
        """Return a message without its content."""
        row = self._database.row(f"SELECT {_MESSAGE} FROM outbox WHERE id = ?", (id_,))
        assert row is not None
        return row

    def delete_before(self, before: str) -> None:
        """Delete the messages and alerts that ended before a moment, inside a transaction."""
        self._database.execute("DELETE FROM outbox WHERE state <> 'waiting' AND created_at < ?", (before,))
        self._database.execute("DELETE FROM alerts WHERE closed = 1 AND ended_at < ?", (before,))
