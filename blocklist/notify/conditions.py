"""The conditions that people are notified of: what is wrong now, and the sentence when it no longer is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from blocklist.config.notifications import Event
from blocklist.domain.errors import NotFoundError
from blocklist.domain.run import Outcome
from blocklist.status.feed_status import state_of
from blocklist.store import Store


class Condition(NamedTuple):
    """One thing that is wrong, and a sentence about it; ``subject`` is the feed, empty where it is no feed's.

    While the ``marker`` stays, the condition is the same; with another marker it is news again.
    """

    event: Event
    subject: str
    marker: str
    sentence: str


def conditions(store: Store, unpublished: str) -> Iterator[Condition]:
    """Yield everything that is wrong now; ``unpublished`` is why the snapshot lags behind, empty where it does not."""
    for feed in store.feeds.all():
        if state_of(feed) == "stale":
            since = f"could not be read since it was added on {feed.created_at}"
            if feed.last_success:
                since = f"was last known to be current on {feed.last_success}"
            sentence = f"{feed.name} is stale: its list {since}. See 'blocklist run list --feed {feed.name}'."
            yield Condition(Event.FEED_STALE, feed.name, "", sentence)
    for row in store.alerts.failing():
        sentence = f"{row['feed']}: run {row['id']} failed: {row['reason']}. The previous list goes on serving."
        yield Condition(Event.RUN_FAILED, row["feed"], "", sentence)
    for run in store.runs.pending():
        sentence = f"{run.feed}: run {run.id} waits for review: {run.reason}. See 'blocklist run show {run.id}'."
        # Each refresh holds the same body again until a person decides: that is not news.
        yield Condition(Event.RUN_HELD, run.feed, run.body_sha256 or str(run.id), sentence)
    for row in store.alerts.entries_waiting():
        many = f"{row['waiting']:,} entries wait" if row["waiting"] > 1 else "an entry waits"
        sentence = (
            f"{row['feed']}: {many} alone for a decision, the newest {row['value']}: {row['why']}. "
            f"See 'blocklist hold list --feed {row['feed']}'."
        )
        yield Condition(Event.ENTRY_HELD, row["feed"], f"{row['id']:012}", sentence)
    for row in store.alerts.entries_flagged():
        many = f"{row['open']:,} listed entries are" if row["open"] > 1 else "a listed entry is"
        sentence = (
            f"{row['feed']}: {many} worth a look, the newest {row['value']}: {row['why']}. "
            f"See 'blocklist flag list --feed {row['feed']}'."
        )
        yield Condition(Event.ENTRY_FLAGGED, row["feed"], f"{row['id']:012}", sentence)
    if unpublished:
        sentence = f"The snapshot could not be published: {unpublished}. The last one goes on serving."
        yield Condition(Event.SNAPSHOT_UNPUBLISHED, "", "", sentence)


def is_news(event: Event, before: str, after: str) -> bool:
    """Return whether a condition is news again, from its markers before and after.

    Of entries that wait or are flagged, only a newer one is news: after a decision on the newest, older ones are left.
    """
    return after > before if event in (Event.ENTRY_HELD, Event.ENTRY_FLAGGED) else after != before


def ending(store: Store, event: Event, subject: str) -> str | None:
    """Return the sentence about a condition that has ended; None where a person's own action ended it."""
    if event in (Event.SNAPSHOT_UNPUBLISHED, Event.SNAPSHOT_UNSENT):
        newest = store.snapshots.newest()
        again = "The snapshot is up to date" if event is Event.SNAPSHOT_UNPUBLISHED else "Signed snapshots are sent"
        return f"{again} again: version {newest['version'] if newest else 0}."
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
