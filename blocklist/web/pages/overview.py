"""The overview: is everything all right, and if not, what needs a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, url_for

from blocklist.domain.access import Role
from blocklist.domain.clock import later, now
from blocklist.domain.run import Run
from blocklist.lookup.http import SnapshotHolder
from blocklist.service import Service
from blocklist.status import statistics
from blocklist.web.authorization import needs
from blocklist.web.pages import charts
from blocklist.web.pages.layout import to_review
from blocklist.web.pages.template_filters import counted, span

#: How far back the timelines of runs reach, in seconds.
TIMELINE = 7 * 86_400
#: Feeds whose timeline the overview shows: those that need a look first.
_FEEDS = 12
#: Things of one sort that are named; of more, their number is.
_NAMED = 5
#: Seconds after which every worker answers from a new snapshot.
_SWAP = 5
#: Runs of a feed that its timeline holds at most.
RUNS_ON_TIMELINE = 200


@dataclass(frozen=True, slots=True)
class Need:
    """Something that a person should see to: a sentence, where to do so, and in a word what is done there."""

    sentence: str
    address: str
    action: str
    grave: bool = False


def add(pages: Blueprint, service: Service, holder: SnapshotHolder) -> None:
    """Add the overview."""

    @pages.get("/")
    @needs(Role.VIEWER)
    def overview() -> str:
        feeds = service.feeds.rows()
        nodes = statistics.lookup_workers(service.read_scoreboard)
        found = [*_snapshot_needs(service, holder, nodes), *_review_needs(service), *_feed_needs(feeds)]
        first = sorted(feeds, key=lambda row: (_calm(row), row["last_success"] or "", row["name"]))[:_FEEDS]
        traffic = service.statistics.traffic()
        return render_template(
            "overview.html",
            needs=sorted(found, key=lambda need: not need.grave),
            feeds=feeds,
            states=_states(feeds),
            listed=service.statistics.listed_now(),
            over_time=charts.stacked(service.statistics.listed_over_time(most=6)),
            latest=next((point for point in reversed(traffic) if point.lookups is not None), None),
            rates=charts.rates(traffic),
            snapshot=holder.snapshot,
            stale=holder.stale,
            nodes=nodes,
            waiting=to_review(service),
            timelines=timelines(service, [row["name"] for row in first]),
            shown=first,
        )


def timelines(service: Service, feeds: list[str]) -> dict[str, list[charts.Mark]]:
    """Return the runs of some feeds over the last days, as strips."""
    end = now()
    begin = later(end, -TIMELINE)
    runs = service.statistics.recent_runs(feeds, RUNS_ON_TIMELINE)
    return {name: charts.strip(marks, begin, end) for name, marks in runs.items()}


def _snapshot_needs(service: Service, holder: SnapshotHolder, nodes: list[statistics.LookupWorker]) -> list[Need]:
    found = []
    here = url_for("admin.overview") + "#nodes"
    if holder.snapshot is None:
        return []
    if holder.stale:
        age = span(service.settings.snapshot.max_age)
        found.append(
            Need(f"Answers say that they are stale: no run confirmed the list for {age}.", here, "Nodes", True)
        )
    silent = [node for node in nodes if not node.up]
    settled = holder.snapshot.built_at < later(now(), -_SWAP)
    behind = [node for node in nodes if settled and node.up and node.version != holder.snapshot.version]
    if silent:
        sentence = f"{counted(len(silent), 'lookup worker')} told nothing for {statistics.SILENT} seconds."
        found.append(Need(sentence, here, "Nodes", True))
    if behind:
        sentence = (
            f"{counted(len(behind), 'lookup worker')} answers from another version than {holder.snapshot.version}."
        )
        found.append(Need(sentence, here, "Nodes"))
    return found


def _review_needs(service: Service) -> list[Need]:
    pending, waiting = service.runs.pending(), service.holds.waiting()
    found = [_run_need(run) for run in pending[:_NAMED]]
    if len(pending) > _NAMED:
        sentence = f"{counted(len(pending) - _NAMED, 'more run')} wait for review."
        found.append(Need(sentence, url_for("admin.review"), "Review"))
    if waiting:
        where = ", ".join(sorted(waiting, key=lambda name: -waiting[name])[:_NAMED])
        more = f" and {len(waiting) - _NAMED} more" if len(waiting) > _NAMED else ""
        number = sum(waiting.values())
        verb = "waits" if number == 1 else "wait"
        sentence = f"{counted(number, 'entry', 'entries')} of {where}{more} {verb} alone for a decision."
        found.append(Need(sentence, url_for("admin.review") + "#entries", "Review"))
    if overrides := service.overrides.waiting():
        verb = "waits" if overrides == 1 else "wait"
        sentence = f"{counted(overrides, 'override')} {verb} for a second person."
        found.append(Need(sentence, url_for("admin.overrides"), "Overrides"))
    return found


def _run_need(run: Run) -> Need:
    return Need(f"{run.feed}: held, {run.reason}.", url_for("admin.run", id_=run.id), f"Review run {run.id}")


def _feed_needs(feeds: list[dict[str, Any]]) -> list[Need]:
    if not feeds:
        return [Need("There are no feeds yet: nothing is listed.", url_for("admin.new_feed"), "Add a feed", True)]
    stale = [row for row in feeds if row["state"] == "stale"]
    failed = [row for row in feeds if row["last_outcome"] == "failed" and row["state"] not in ("stale", "paused")]
    found = [_stale_need(row) for row in stale[:_NAMED]]
    if len(stale) > _NAMED:
        sentence = f"{counted(len(stale) - _NAMED, 'more feed')} are stale."
        found.append(Need(sentence, url_for("admin.feeds", state="stale"), "Show them", True))
    found += [
        Need(f"{row['name']}: the last run failed: {row['last_reason']}.", _of(row), "Look at it")
        for row in failed[:_NAMED]
    ]
    if len(failed) > _NAMED:
        sentence = f"The last run of {counted(len(failed) - _NAMED, 'more feed')} failed."
        found.append(Need(sentence, url_for("admin.feeds", state="failed"), "Show them"))
    return found


def _stale_need(row: dict[str, Any]) -> Need:
    said = f": {row['last_reason']}" if row["last_outcome"] in ("held", "failed") else ""
    return Need(f"{row['name']} is stale{said}.", _of(row), "Look at it", True)


def _of(row: dict[str, Any]) -> str:
    return url_for("admin.feed", name=row["name"])


def _calm(row: dict[str, Any]) -> bool:
    return row["state"] == "fresh" and row["last_outcome"] not in ("held", "failed")


def _states(feeds: list[dict[str, Any]]) -> dict[str, int]:
    """Return how many feeds are in each state, those of which there are any."""
    counts = {"fresh": 0, "stale": 0, "new": 0, "paused": 0}
    for row in feeds:
        counts[row["state"]] += 1
    return {state: number for state, number in counts.items() if number}
