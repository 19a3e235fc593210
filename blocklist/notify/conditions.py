"""What is wrong now, read from what runs and people wrote down; and what to say when it no longer is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from blocklist.config.notifications import Event
from blocklist.domain.errors import NotFoundError
from blocklist.domain.run import Outcome
from blocklist.service.publishing import Publishing
from blocklist.status.feed_status import state_of
from blocklist.store import Store


class Condition(NamedTuple):
    """One thing that is wrong: which, of what feed (or nothing), and in a sentence.

    What keeps its ``marker`` is the same thing still; with another it is news again.
    """

    event: Event
    subject: str
    marker: str
    said: str


def conditions(service: Publishing) -> Iterator[Condition]:
    """Yield everything that is wrong now."""
    store = service.store
    for feed in store.feeds.all():
        if state_of(feed) == "stale":
            since = f"could not be read since it was added on {feed.created_at}"
            if feed.last_success:
                since = f"was last known to be current on {feed.last_success}"
            said = f"{feed.name} is stale: its list {since}. See 'blocklist run list --feed {feed.name}'."
            yield Condition(Event.FEED_STALE, feed.name, "", said)
    for row in store.alerts.failing():
        said = f"{row['feed']}: run {row['id']} failed: {row['reason']}. The previous list goes on serving."
        yield Condition(Event.RUN_FAILED, row["feed"], "", said)
    for run in store.runs.pending():
        said = f"{run.feed}: run {run.id} waits for review: {run.reason}. See 'blocklist run show {run.id}'."
        # The same body is held again at each refresh until somebody decides: that is no news.
        yield Condition(Event.RUN_HELD, run.feed, run.body_sha256 or str(run.id), said)
    for row in store.alerts.entries_waiting():
        many = f"{row['waiting']:,} entries wait" if row["waiting"] > 1 else "an entry waits"
        said = (
            f"{row['feed']}: {many} alone for a decision, the newest {row['value']}: {row['why']}. "
            f"See 'blocklist hold list --feed {row['feed']}'."
        )
        yield Condition(Event.ENTRY_HELD, row["feed"], f"{row['id']:012}", said)
    if service.publish_failure and service.is_behind():
        said = f"The snapshot could not be published: {service.publish_failure}. The last one goes on serving."
        yield Condition(Event.SNAPSHOT_UNPUBLISHED, "", "", said)


def is_news(event: Event, before: str, after: str) -> bool:
    """Return whether something that was wrong already is news again, by its markers.

    Of entries that wait, only further ones are: a decision on the newest leaves older ones.
    """
    return after > before if event is Event.ENTRY_HELD else after != before


def ending(store: Store, event: Event, subject: str) -> str | None:
    """Return what to say now that something is no longer wrong; None where it ended by somebody's own hand."""
    if event is Event.SNAPSHOT_UNPUBLISHED:
        newest = store.snapshots.newest()
        return f"The snapshot is up to date again: version {newest['version'] if newest else 0}."
    if event not in (Event.FEED_STALE, Event.RUN_FAILED):
        return None
    try:
        feed = store.feeds.get(subject)
    except NotFoundError:
        return None
    if event is Event.FEED_STALE:
        return None if feed.paused else f"{subject} is no longer stale: its list was current on {feed.last_success}."
    last = next((run for run in store.runs.all(subject, 5) if run.outcome), None)
    if last and last.outcome in (Outcome.APPLIED, Outcome.UNCHANGED):
        return f"{subject} is refreshed again: run {last.id}: {last.reason}."
    return None
