"""The review of held runs: approving one applies exactly the body that was held; rejecting it is final."""

from __future__ import annotations

from blocklist.definitions.definition import definition_of
from blocklist.domain.errors import ConflictError, UsageError
from blocklist.domain.run import Run
from blocklist.refresh import recording
from blocklist.refresh.run import Refresher
from blocklist.store import Store

#: How long a review waits for a run of the same feed to end, in seconds.
_WAIT = 60


def approve(store: Store, refresher: Refresher, run_id: int, by: str, reason: str) -> Run:
    """Apply the body of a held run although guards hold it, and return the run.

    :raises ConflictError: the run does not wait for review.
    :raises UnreadableFeedError: the body cannot be used under the present definition and settings of the feed.
    """
    run = _pending(store, run_id, reason)
    feed = store.feeds.get(run.feed)
    with refresher.locked(run.feed, _WAIT):
        run = _pending(store, run_id, reason)
        try:
            with refresher.bodies.open(run.body_sha256 or "") as body:
                inspection = refresher.inspector.inspect(
                    definition_of(feed), feed.id, body, content_type=store.runs.content_type(run_id)
                )
            if inspection.failure:
                raise inspection.failure
            with store.database.transaction():
                # Somebody may have rejected it while the body was read.
                _pending(store, run_id, reason)
                recording.apply(store, feed, run_id, inspection)
                store.runs.review(run_id, "approved", by, reason)
                store.audit.add(by, "run.approve", str(run_id), feed=run.feed, reason=reason, held_for=run.reason)
        finally:
            store.staging.clear()
    return store.runs.get(run_id)


def reject(store: Store, run_id: int, by: str, reason: str) -> Run:
    """Reject the body of a held run: a later run with the same body fails with this reason.

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
        why = f" ({run.review['reason']})" if run.review and run.review["reason"] else ""
        raise ConflictError(f"run {run_id} does not wait for review: it is {state}{why}")
    return run
