"""The outcomes of an inspection in the database: applied, held, or unchanged, each in one transaction."""

from __future__ import annotations

from blocklist.domain.clock import now
from blocklist.domain.listing import Feed, Rule, RuleKind
from blocklist.domain.run import Effect, Outcome, RunCounts, Stage
from blocklist.fetch import Body
from blocklist.guards.popular_hosts import why_it_stands_out
from blocklist.refresh.entry_summaries import summaries
from blocklist.refresh.inspection import Inspection
from blocklist.store import Store
from blocklist.store.held_changes import WaitingEntry
from blocklist.store.holds import HeldNow
from blocklist.store.listings import last_label


def apply(store: Store, feed: Feed, run_id: int, inspection: Inspection) -> None:
    """Make the staged list what the feed lists."""
    counts, diff = inspection.counts, inspection.diff
    assert diff is not None
    run = store.runs.get(run_id)
    changed = bool(diff.added or diff.removed or diff.amended)
    with store.database.transaction():
        # Read the time only inside the transaction: whoever asks for the changes since the last one they know must not
        # miss one that was recorded later with an earlier time.
        moment = store.feeds.next_moment(feed.name)
        store.runs.reach(run_id, Stage.RECORD)
        store.listings.record(feed.id, run_id, moment, diff)
        store.runs.keep_rejections(run_id, inspection.rejections)
        sifted, flagged = inspection.sifted, inspection.flagged
        store.holds.keep(feed.name, feed.id, run_id, sifted.held, moment)
        store.holds.keep_released(feed.name, run_id, sifted.confirmed, moment)
        store.flags.keep(feed.name, feed.id, run_id, flagged, moment)
        approved = [item for item in store.guard_findings.of_run(run_id) if item.effect is Effect.HOLDS]
        noted = [item for item in inspection.findings if item.effect is Effect.NOTES]
        store.guard_findings.keep(run_id, [*approved, *noted, *summaries(sifted, flagged)])
        _supersede(store, feed, run_id)
        # The real time: by one in the future, the feed would look fresh however long it fails.
        store.feeds.note_success(feed.name, now(), store.runs.validators(run_id))
        last_change = moment if changed else feed.last_change or moment
        store.feeds.note_change(
            feed.name, last_change, body=run.body_sha256 or "", reading=inspection.fingerprint, listed=diff.rules
        )
        store.statistics.update_counts(feed.id)
        outcome = Outcome.APPLIED if changed else Outcome.UNCHANGED
        store.runs.finish(run_id, outcome, _reason(counts, changed), counts, inspection.rejected_by_code, moment=moment)
        if changed:
            store.snapshots.contents_changed()


def hold(store: Store, feed: Feed, run_id: int, inspection: Inspection, next_due: str) -> None:
    """Keep what a run would change, for a person to decide on; the previous list continues to serve."""
    with store.database.transaction():
        _supersede(store, feed, run_id, store.runs.get(run_id).body_sha256)
        _keep_changes(store, feed, run_id, inspection.sifted.held)
        store.guard_findings.keep(run_id, inspection.all_findings)
        reason = "; ".join(item.sentence for item in inspection.holding)
        store.runs.finish(run_id, Outcome.HELD, reason, inspection.counts, inspection.rejected_by_code)
        store.feeds.note_failure(feed.id, next_due)


def unchanged(store: Store, feed: Feed, run_id: int, body: Body | None) -> None:
    """Note that the list that serves is current; ``body`` is None where the publisher did not send it again."""
    with store.database.transaction():
        store.feeds.note_success(feed.name, now(), body.validators if body else None)
        _supersede(store, feed, run_id)
        why = "the body is the one that serves already" if body else "the publisher says that it has not changed"
        reason = f"{why}: {feed.listed:,} sites"
        store.runs.finish(run_id, Outcome.UNCHANGED, reason, RunCounts(listed=feed.listed))


def _supersede(store: Store, feed: Feed, by_run: int, body: str | None = None) -> None:
    store.runs.supersede(feed.id, by_run, body)
    store.held_changes.delete_superseded(feed.id)


def _keep_changes(store: Store, feed: Feed, run_id: int, held: tuple[HeldNow, ...]) -> None:
    suffixes = store.listings.last_labels(feed.id)

    def stands_out(change: str, rule: Rule) -> str:
        if rule.kind is not RuleKind.HOST:
            return ""
        suffix = last_label(rule.value)
        is_first = change == "added" and suffixes and suffix not in suffixes
        return why_it_stands_out(rule.value) or (f"the first under .{suffix}" if is_first else "")

    waiting = [
        WaitingEntry(entry.rule, entry.facts["raw"], entry.facts["position"], entry.finding.sentence) for entry in held
    ]
    store.held_changes.keep(run_id, feed.id, waiting, stands_out)


def _reason(counts: RunCounts, changed: bool) -> str:
    waits = f"; {counts.held:,} held alone for a person" if counts.held else ""
    waits += f"; {counts.flagged:,} worth a look" if counts.flagged else ""
    if not changed:
        return f"the body was read again and lists the same {counts.rules:,} sites{waits}"
    figures = f"{counts.added:,} added, {counts.removed:,} removed, {counts.amended:,} restated"
    return f"{counts.rules:,} sites: {figures}{waits}"
