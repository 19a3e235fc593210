"""Runs: all attempts to refresh, their stage, counts and outcome, and the review of those that were held."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from blocklist.domain.clock import now
from blocklist.domain.listing import Rejected
from blocklist.domain.run import AppliedList, Outcome, Run, RunCounts, Stage
from blocklist.store.base_table import Table, all_of, marks
from blocklist.store.engine import Row
from blocklist.store.mapping import column, mapper

#: Rejected rows kept of each run with their text; the counts by code cover all of them, and so does the kept body.
MAX_REJECTIONS_KEPT = 1_000

#: A time after all others.
_NEVER = "9999"
_RUN = "SELECT runs.*, feeds.name AS feed FROM runs JOIN feeds ON feeds.id = runs.feed_id"


class LastRun(NamedTuple):
    """How the newest run of a feed ended; ``outcome`` is None while it is under way."""

    outcome: str | None
    reason: str


class Runs(Table):
    """What happened to each feed, in order."""

    def start(self, feed_id: int, started_by: str, moment: str) -> int:
        """Keep a run that begins; return its id."""
        stage = Stage.FETCH.value
        return self._insert("runs", feed_id=feed_id, started_by=started_by, started_at=moment, stage=stage)

    def reach(self, id_: int, stage: Stage) -> None:
        """Note the stage that a run is in: of a run whose process died it shows where."""
        self._set(id_, stage=stage.value)

    def note_body(self, id_: int, sha256: str, size: int, validators: Row) -> None:
        """Note which body a run reads: its SHA-256, size in bytes, and HTTP validators."""
        self._set(id_, body_sha256=sha256, body_bytes=size, validators=json.dumps(validators))

    def note_format(self, id_: int, seen: str, content_type: str | None) -> None:
        """Note the format that a body was read as, in words, and the content type it came with."""
        self._set(id_, seen=seen, content_type=content_type)

    def content_type(self, id_: int) -> str | None:
        """Return the content type that a run's body came with."""
        return self._database.text("SELECT content_type FROM runs WHERE id = ?", (id_,))

    def finish(
        self,
        id_: int,
        outcome: Outcome,
        reason: str,
        counts: RunCounts | None = None,
        rejected_by_code: dict[str, int] | None = None,
        *,
        moment: str | None = None,
    ) -> None:
        """Note how a run ended, now or at a moment. A held one waits for review."""
        values: dict[str, Any] = {"outcome": outcome.value, "reason": reason, "finished_at": moment or now()}
        if counts is not None:
            values |= _counts(counts, rejected_by_code or {})
        if outcome is Outcome.HELD:
            values["review"] = "pending"
        self._set(id_, **values)

    def note_counts(self, id_: int, counts: RunCounts, rejected_by_code: dict[str, int]) -> None:
        """Note the counts of a run that is under way, so that one that fails later still shows them."""
        self._set(id_, **_counts(counts, rejected_by_code))

    def keep_rejections(self, id_: int, rejections: Iterable[Rejected]) -> None:
        """Keep the rejected rows of a run to show."""
        with self._database.transaction():
            self._database.execute("DELETE FROM rejections WHERE run_id = ?", (id_,))
            self._database.execute_many(
                "INSERT INTO rejections (run_id, position, raw, code, reason) VALUES (?, ?, ?, ?, ?)",
                ((id_, item.position, item.raw[:500], item.code, item.reason[:500]) for item in rejections),
            )

    def rejections(self, id_: int, limit: int = MAX_REJECTIONS_KEPT) -> list[Rejected]:
        """Return the rejected rows kept of a run, in the order of the body."""
        query = "SELECT raw, position, code, reason FROM rejections WHERE run_id = ? ORDER BY position LIMIT ?"
        return list(self._database.named(Rejected, query, (id_, limit)))

    def review(self, id_: int, state: str, by: str, reason: str) -> None:
        """Note a person's decision on a held run: ``approved`` or ``rejected``."""
        self._set(id_, review=state, review_by=by, review_at=now(), review_reason=reason)

    def supersede(self, feed_id: int, by_run: int, body: str | None = None) -> None:
        """Close the pending reviews of a feed's earlier runs: all, or those of the same body."""
        where, parameters = all_of(
            ("review = 'pending' AND feed_id = ?", feed_id), ("id < ?", by_run), ("body_sha256 = ?", body or None)
        )
        reason = f"superseded by run {by_run}"
        self._update("runs", {"review": "superseded", "review_at": now(), "review_reason": reason}, where, *parameters)

    def rejected_body(self, feed_id: int, body: str) -> Run | None:
        """Return the run whose body, this very one, a person rejected."""
        condition = "feed_id = ? AND body_sha256 = ? AND review = 'rejected' ORDER BY runs.id DESC LIMIT 1"
        return next(iter(self._many(condition, feed_id, body)), None)

    def get(self, id_: int) -> Run:
        """Return a run.

        :raises NotFoundError: there is none of that id.
        """
        return _run(self._get("run", f"{_RUN} WHERE runs.id = ?", id_))

    def all(self, feed: str | None = None, limit: int = 50) -> list[Run]:
        """Return the newest runs, newest first, of one feed or of all."""
        where, parameters = all_of(("feeds.name = ?", feed or None))
        return self._many(f"{where} ORDER BY runs.id DESC LIMIT ?", *parameters, limit)

    def page(
        self,
        *,
        feed: str | None = None,
        outcome: Outcome | None = None,
        review: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[Run]:
        """Return up to ``limit`` runs older than run ``before``, newest first; of one feed, outcome or review state."""
        where, parameters = all_of(
            ("runs.outcome = ?", outcome and outcome.value), ("runs.review = ?", review), ("runs.id < ?", before)
        )
        if feed is not None:
            # By id, so that an index has them in order: several feeds may have had the name, one after the other.
            ids = [row[0] for row in self._database.tuples("SELECT id FROM feeds WHERE name = ?", (feed,))]
            if not ids:
                return []
            where += f" AND runs.feed_id IN ({marks(ids)})"
            parameters += ids
        return self._many(f"{where} ORDER BY runs.id DESC LIMIT ?", *parameters, limit)

    def latest(self, feeds: Sequence[int] | None = None) -> dict[str, LastRun]:
        """Return how the newest run of each feed ended, or of the feeds with these ids, by name: one query in all."""
        which = "true" if feeds is None else f"feeds.id IN ({marks(feeds)})"
        rows = self._database.tuples(
            "SELECT feeds.name, runs.outcome, runs.reason FROM feeds JOIN runs ON runs.id ="
            " (SELECT max(r.id) FROM runs r WHERE r.feed_id = feeds.id)"
            f" WHERE feeds.removed_at IS NULL AND {which}",
            feeds or (),
        )
        return {name: LastRun(outcome, reason) for name, outcome, reason in rows}

    def pending(self) -> list[Run]:
        """Return the held runs that wait for review, oldest first."""
        return self._many("review = 'pending' ORDER BY runs.id")

    def newer_bodies(self, run: Run) -> list[Run]:
        """Return the later runs of a run's feed that read another body, oldest first; a hundred at most."""
        return self._many(
            "feeds.name = ? AND runs.id > ? AND body_sha256 IS NOT NULL AND body_sha256 <> ?"
            " ORDER BY runs.id LIMIT 100",
            *(run.feed, run.id, run.body_sha256 or ""),
        )

    def last_applied(self, feed: str, before: str | None = None) -> str | None:
        """Return when a feed's list last changed, or last before a moment; None before it first did."""
        return self._database.text(
            "SELECT max(finished_at) FROM runs JOIN feeds ON feeds.id = runs.feed_id"
            " WHERE feeds.name = ? AND feeds.removed_at IS NULL AND outcome = 'applied' AND finished_at < ?",
            (feed, before or _NEVER),
        )

    def applied_since(self, feed_id: int, moment: str) -> list[AppliedList]:
        """Return the lists of a feed that were applied since a moment, oldest first."""
        rows = self._database.tuples(
            "SELECT finished_at, body_sha256, counts, review FROM runs"
            " WHERE feed_id = ? AND outcome = 'applied' AND finished_at >= ? ORDER BY finished_at, id",
            (feed_id, moment),
        )
        return [
            AppliedList(
                at, body, (found := json.loads(counts)).get("rules", 0), found.get("listed", 0), review == "approved"
            )
            for at, body, counts, review in rows
        ]

    def last_applied_body(self, feed_id: int, body: str) -> str | None:
        """Return when a body was last applied for a feed; None if it never was."""
        return self._database.text(
            "SELECT max(finished_at) FROM runs WHERE feed_id = ? AND body_sha256 = ? AND outcome = 'applied'",
            (feed_id, body),
        )

    def unfinished(self, feed_id: int) -> list[Run]:
        """Return the runs of a feed that have not ended, or whose process died."""
        return self._many("feed_id = ? AND outcome IS NULL", feed_id)

    def validators(self, id_: int) -> Row:
        """Return the HTTP validators of a run's body."""
        return dict(json.loads(self._database.text("SELECT validators FROM runs WHERE id = ?", (id_,)) or "{}"))

    def _many(self, condition: str, *parameters: Any) -> list[Run]:
        return self._database.mapped(_run, f"{_RUN} WHERE {condition}", parameters)

    def _set(self, id_: int, **values: Any) -> None:
        self._update("runs", values, "id = ?", id_)


def _counts(counts: RunCounts, rejected_by_code: dict[str, int]) -> Row:
    return {"counts": json.dumps(asdict(counts)), "rejected_by_code": json.dumps(rejected_by_code)}


def _review(row: Row) -> Row | None:
    if not row["review"]:
        return None
    return {"state": row["review"], **{name: row[f"review_{name}"] for name in ("by", "at", "reason")}}


_run = mapper(
    Run,
    trigger=column("started_by"),
    counts=lambda row: RunCounts(**json.loads(row["counts"])),
    rejected_by_code=lambda row: json.loads(row["rejected_by_code"]),
    body_from=lambda row: json.loads(row["validators"] or "{}").get("from"),
    review=_review,
)
