"""The review of held runs: approve applies exactly the body that was held, reject drops it for good."""

from __future__ import annotations

from blocklist.definitions.definition import definition_of
from blocklist.domain.errors import ConflictError, UsageError
from blocklist.domain.run import Run
from blocklist.refresh import guards
from blocklist.refresh.run import Refresher
from blocklist.store import Store

#: How long a review waits for a run of the same feed to end, in seconds.
_WAIT = 60


def approve(store: Store, refresher: Refresher, run_id: int, by: str, reason: str) -> Run:
    """Apply the body of a held run, whatever its guards said, and return the run.

    :raises ConflictError: the run does not wait for review.
    :raises UnreadableFeedError: the body gives no rules under the feed's present definition.
    """
    run = _pending(store, run_id, reason)
    feed = store.feeds.get(run.feed)
    with refresher.locked(run.feed, _WAIT):
        run = _pending(store, run_id, reason)
        definition = definition_of(feed)
        reader = refresher.reader(definition)
        try:
            with (
                refresher.bodies.open(run.body_sha256 or "") as raw,
                reader.opened(raw, store.runs.content_type(run_id)) as body,
            ):
                diff = refresher.stage_and_compare(feed, definition, body, reader, run_id)
            counts = reader.counts(diff)
            guards.check_counts(counts)
            with store.database.transaction():
                # Somebody may have rejected it while the body was being read.
                _pending(store, run_id, reason)
                refresher.record(feed, definition, run_id, counts, diff, reader)
                store.runs.review(run_id, "approved", by, reason)
                store.audit.add(by, "run.approve", str(run_id), feed=run.feed, reason=reason, held_for=run.reason)
        finally:
            store.staging.clear()
    return store.runs.get(run_id)


def reject(store: Store, run_id: int, by: str, reason: str) -> Run:
    """Drop the body of a held run; the same body is not held again, it fails with this reason.

    :raises ConflictError: the run does not wait for review.
    """
    with store.database.transaction():
        run = _pending(store, run_id, reason)
        store.runs.review(run_id, "rejected", by, reason)
        store.audit.add(by, "run.reject", str(run_id), feed=run.feed, reason=reason, held_for=run.reason)
    return store.runs.get(run_id)


def _pending(store: Store, run_id: int, reason: str) -> Run:
    if not reason.strip():
        raise UsageError("a review needs a reason: it is kept as evidence")
    run = store.runs.get(run_id)
    state = run.review["state"] if run.review else "not held"
    if state != "pending" or run.review is None:
        said = f" ({run.review['reason']})" if run.review and run.review["reason"] else ""
        raise ConflictError(f"run {run_id} does not wait for review: it is {state}{said}")
    return run
