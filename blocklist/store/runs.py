"""Runs: every attempt, its stage, figures and outcome, and the review of those that were held."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from blocklist.domain.clock import now
from blocklist.domain.errors import NotFoundError
from blocklist.domain.listing import Rejected
from blocklist.domain.run import Counts, Outcome, Run, Stage
from blocklist.store.database import Database, Row

#: Rejected rows kept word for word a run; the counts by code cover all of them, and so does the kept body.
MAX_REJECTIONS_KEPT = 1_000

#: After every moment there is.
_NEVER = "9999"
_RUN = "SELECT runs.*, feeds.name AS feed FROM runs JOIN feeds ON feeds.id = runs.feed_id"


class Runs:
    """What happened to each feed, in order."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, feed_id: int, started_by: str, moment: str) -> int:
        """Keep a run that begins; return its id."""
        with self._database.transaction():
            return self._database.insert(
                "INSERT INTO runs (feed_id, started_by, started_at, stage) VALUES (?, ?, ?, ?) RETURNING id",
                (feed_id, started_by, moment, Stage.FETCH.value),
            )

    def reach(self, id_: int, stage: Stage) -> None:
        """Note the stage that a run is in, so that one that died tells where."""
        self._update(id_, stage=stage.value)

    def note_body(self, id_: int, sha256: str, size: int, validators: Row) -> None:
        """Note which body a run works on."""
        self._update(id_, body_sha256=sha256, body_bytes=size, validators=json.dumps(validators))

    def note_format(self, id_: int, seen: str, content_type: str | None) -> None:
        """Note what a body was read as, in words, and the content type it came with."""
        self._update(id_, seen=seen, content_type=content_type)

    def content_type(self, id_: int) -> str | None:
        """Return the content type that a run's body came with."""
        found: str | None = self._database.value("SELECT content_type FROM runs WHERE id = ?", (id_,))
        return found

    def finish(
        self,
        id_: int,
        outcome: Outcome,
        reason: str,
        counts: Counts | None = None,
        rejected_by_code: dict[str, int] | None = None,
    ) -> None:
        """Note how a run ended. A held one waits for review."""
        values: dict[str, Any] = {"outcome": outcome.value, "reason": reason, "finished_at": now()}
        if counts is not None:
            values |= {"counts": json.dumps(asdict(counts)), "rejected_by_code": json.dumps(rejected_by_code or {})}
        if outcome is Outcome.HELD:
            values["review"] = "pending"
        self._update(id_, **values)

    def note_counts(self, id_: int, counts: Counts, rejected_by_code: dict[str, int]) -> None:
        """Note the figures of a run that is under way, so that one that fails later still shows them."""
        self._update(id_, counts=json.dumps(asdict(counts)), rejected_by_code=json.dumps(rejected_by_code))

    def keep_rejections(self, id_: int, rejections: Iterable[Rejected]) -> None:
        """Keep the rejected rows that a person will want to see."""
        with self._database.transaction():
            self._database.execute("DELETE FROM rejections WHERE run_id = ?", (id_,))
            self._database.execute_many(
                "INSERT INTO rejections (run_id, position, raw, code, reason) VALUES (?, ?, ?, ?, ?)",
                ((id_, item.position, item.raw[:500], item.code, item.reason[:500]) for item in rejections),
            )

    def rejections(self, id_: int, limit: int = MAX_REJECTIONS_KEPT) -> list[Rejected]:
        """Return the rejected rows kept of a run, in the order of the body."""
        rows = self._database.rows(
            "SELECT raw, position, code, reason FROM rejections WHERE run_id = ? ORDER BY position LIMIT ?",
            (id_, limit),
        )
        return [Rejected(**row) for row in rows]

    def review(self, id_: int, state: str, by: str, reason: str) -> None:
        """Note a person's decision on a held run: ``approved``, ``rejected``; or ``superseded`` by a later run."""
        self._update(id_, review=state, review_by=by, review_at=now(), review_reason=reason)

    def supersede(self, feed_id: int, by_run: int, body: str | None = None) -> None:
        """Close the pending reviews of a feed's earlier runs: all, or those of the same body."""
        same_body = " AND body_sha256 = ?" if body else ""
        with self._database.transaction():
            self._database.execute(
                "UPDATE runs SET review = 'superseded', review_at = ?, review_reason = ?"
                f" WHERE feed_id = ? AND id < ? AND review = 'pending'{same_body}",
                (now(), f"superseded by run {by_run}", feed_id, by_run, *([body] if body else [])),
            )

    def rejected_body(self, feed_id: int, body: str) -> Run | None:
        """Return the run whose body, this very one, a person rejected."""
        return self._one(f"{_RUN} WHERE feed_id = ? AND body_sha256 = ? AND review = 'rejected'", (feed_id, body))

    def get(self, id_: int) -> Run:
        """Return a run.

        :raises NotFoundError: there is none of that id.
        """
        run = self._one(f"{_RUN} WHERE runs.id = ?", (id_,))
        if run is None:
            raise NotFoundError(f"there is no run {id_}: 'blocklist run list' shows those there are")
        return run

    def all(self, feed: str | None = None, limit: int = 50) -> list[Run]:
        """Return the newest runs, newest first, of one feed or of all."""
        which, parameters = (" WHERE feeds.name = ?", (feed, limit)) if feed else ("", (limit,))
        return [_run(row) for row in self._database.rows(f"{_RUN}{which} ORDER BY runs.id DESC LIMIT ?", parameters)]

    def page(
        self,
        *,
        feed: str | None = None,
        outcome: Outcome | None = None,
        review: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[Run]:
        """Return so many runs, newest first, older than run ``before``; of one feed, outcome or state of review."""
        conditions: list[str] = ["true"]
        parameters: list[Any] = []
        if feed is not None:
            # By id, so that an index has them in order: several feeds may have had the name, one after the other.
            ids = [row[0] for row in self._database.tuples("SELECT id FROM feeds WHERE name = ?", (feed,))]
            if not ids:
                return []
            conditions.append(f"runs.feed_id IN ({', '.join('?' * len(ids))})")
            parameters += ids
        for condition, value in (
            ("runs.outcome = ?", outcome and outcome.value),
            ("runs.review = ?", review),
            ("runs.id < ?", before),
        ):
            if value is not None:
                conditions.append(condition)
                parameters.append(value)
        rows = self._database.rows(
            f"{_RUN} WHERE {' AND '.join(conditions)} ORDER BY runs.id DESC LIMIT ?", (*parameters, limit)
        )
        return [_run(row) for row in rows]

    def latest(self, feeds: Sequence[int] | None = None) -> dict[str, tuple[str | None, str]]:
        """Return outcome and reason of the newest run of each feed, or of those of these ids: one query in all."""
        which = f" AND feeds.id IN ({', '.join('?' * len(feeds))})" if feeds is not None else ""
        rows = self._database.tuples(
            "SELECT feeds.name, runs.outcome, runs.reason FROM feeds JOIN runs ON runs.id ="
            " (SELECT max(r.id) FROM runs r WHERE r.feed_id = feeds.id)"
            f" WHERE feeds.removed_at IS NULL{which}",
            feeds or (),
        )
        return {name: (outcome, reason) for name, outcome, reason in rows}

    def pending(self) -> list[Run]:
        """Return the held runs that wait for review, oldest first."""
        return [_run(row) for row in self._database.rows(f"{_RUN} WHERE review = 'pending' ORDER BY runs.id")]

    def newer_bodies(self, run: Run) -> list[Run]:
        """Return the later runs of a run's feed that read another body, oldest first; a hundred at most."""
        rows = self._database.rows(
            f"{_RUN} WHERE feeds.name = ? AND runs.id > ? AND body_sha256 IS NOT NULL AND body_sha256 <> ?"
            " ORDER BY runs.id LIMIT 100",
            (run.feed, run.id, run.body_sha256 or ""),
        )
        return [_run(row) for row in rows]

    def last_applied(self, feed: str, before: str | None = None) -> str | None:
        """Return when a feed's list last changed, None before it first did; or of what was ``before`` a moment."""
        found: str | None = self._database.value(
            "SELECT max(finished_at) FROM runs JOIN feeds ON feeds.id = runs.feed_id"
            " WHERE feeds.name = ? AND feeds.removed_at IS NULL AND outcome = 'applied' AND finished_at < ?",
            (feed, before or _NEVER),
        )
        return found

    def unfinished(self, feed_id: int) -> list[Run]:
        """Return the runs of a feed that have not ended, or whose process died."""
        return [_run(row) for row in self._database.rows(f"{_RUN} WHERE feed_id = ? AND outcome IS NULL", (feed_id,))]

    def validators(self, id_: int) -> Row:
        """Return the HTTP validators of a run's body."""
        text = self._database.value("SELECT validators FROM runs WHERE id = ?", (id_,))
        return dict(json.loads(text or "{}"))

    def _one(self, sql: str, parameters: tuple[Any, ...]) -> Run | None:
        row = self._database.row(f"{sql} ORDER BY runs.id DESC LIMIT 1", parameters)
        return _run(row) if row else None

    def _update(self, id_: int, **values: Any) -> None:
        columns = ", ".join(f"{column} = ?" for column in values)
        with self._database.transaction():
            self._database.execute(f"UPDATE runs SET {columns} WHERE id = ?", (*values.values(), id_))


def _run(row: Row) -> Run:
    review = None
    if row["review"]:
        review = {
            "state": row["review"],
            "by": row["review_by"],
            "at": row["review_at"],
            "reason": row["review_reason"],
        }
    return Run(
        id=row["id"],
        feed=row["feed"],
        trigger=row["started_by"],
        started_at=row["started_at"],
        stage=Stage(row["stage"]),
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        reason=row["reason"],
        finished_at=row["finished_at"],
        counts=Counts(**json.loads(row["counts"])),
        rejected_by_code=json.loads(row["rejected_by_code"]),
        body_sha256=row["body_sha256"],
        body_bytes=row["body_bytes"],
        seen=row["seen"],
        body_from=json.loads(row["validators"] or "{}").get("from"),
        review=review,
    )
