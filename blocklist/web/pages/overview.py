"""The overview: the state of the installation, and what needs attention."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from flask import Blueprint, render_template, url_for

from blocklist.domain.access import Role
from blocklist.domain.clock import later, now
from blocklist.lookup.http import SnapshotHolder
from blocklist.service import Service
from blocklist.status import statistics
from blocklist.web.authorization import needs
from blocklist.web.pages import charts
from blocklist.web.pages.layout import review_count
from blocklist.web.pages.template_filters import counted, span

#: The length of the timelines of runs, in seconds.
TIMELINE = 7 * 86_400
#: Maximum number of feeds with a timeline on the overview.
_FEEDS = 12
#: Maximum number of alerts of one kind; the rest are one alert with their number.
_MAX_ALERTS = 5
#: Seconds after which every worker should have loaded a new snapshot.
_SWAP = 5
#: Maximum number of runs on the timeline of a feed.
RUNS_ON_TIMELINE = 200


class Alert(NamedTuple):
    """A sentence about something that needs attention, with a link to the page where it can be handled."""

    sentence: str
    address: str
    link: str
    critical: bool = False


def register(pages: Blueprint, service: Service, holder: SnapshotHolder) -> None:
    """Register the overview."""

    @pages.get("/")
    @needs(Role.VIEWER)
    def overview() -> str:
        feeds = service.feeds.rows()
        nodes = statistics.lookup_workers(service.read_scoreboard)
        found = [
            *_snapshot_alerts(service, holder, nodes),
            *_distribution_alerts(service),
            *_review_alerts(service),
            *_feed_alerts(feeds),
        ]
        first = sorted(feeds, key=lambda row: (_is_healthy(row), row["last_success"] or "", row["name"]))[:_FEEDS]
        traffic = service.statistics.traffic()
        return render_template(
            "overview.html",
            alerts=sorted(found, key=lambda alert: not alert.critical),
            feeds=feeds,
            states=_states(feeds),
            listed=service.statistics.listed_now(),
            over_time=charts.listed_chart(service.statistics.listed_over_time(most=6)),
            latest=next((point for point in reversed(traffic) if point.lookups is not None), None),
            traffic=charts.traffic_chart(traffic),
            snapshot=holder.snapshot,
            stale=holder.stale,
            nodes=nodes,
            waiting=review_count(service),
            timelines=timelines(service, [row["name"] for row in first]),
            shown=first,
        )


def timelines(service: Service, feeds: list[str]) -> dict[str, list[charts.Mark]]:
    """Return the runs of the last days as marks, by feed."""
    end = now()
    begin = later(end, -TIMELINE)
    runs = service.statistics.recent_runs(feeds, RUNS_ON_TIMELINE)
    return {name: charts.run_marks(marks, begin, end) for name, marks in runs.items()}


def _snapshot_alerts(service: Service, holder: SnapshotHolder, nodes: list[statistics.LookupWorker]) -> list[Alert]:
    found: list[Alert] = []
    if holder.snapshot is None:
        return found
    here = url_for("admin.overview") + "#nodes"
    if holder.stale:
        sentence = (
            f"The snapshot is stale: no run has confirmed the lists for {span(service.settings.snapshot.max_age)}."
        )
        found.append(Alert(sentence, here, "Nodes", critical=True))
    silent = [node for node in nodes if not node.up]
    settled = holder.snapshot.built_at < later(now(), -_SWAP)
    behind = [node for node in nodes if settled and node.up and node.version != holder.snapshot.version]
    if silent:
        number = counted(len(silent), "lookup worker has", "lookup workers have")
        sentence = f"{number} not responded for {statistics.SILENT} seconds."
        found.append(Alert(sentence, here, "Nodes", critical=True))
    if behind:
        number = counted(len(behind), "lookup worker uses", "lookup workers use")
        sentence = f"{number} another snapshot version than {holder.snapshot.version}."
        found.append(Alert(sentence, here, "Nodes"))
    return found


def _distribution_alerts(service: Service) -> list[Alert]:
    here = url_for("admin.overview") + "#nodes"
    return [Alert(condition.sentence, here, "Nodes") for condition in service.distribution.conditions()]


def _review_alerts(service: Service) -> list[Alert]:
    pending, waiting = service.runs.pending(), service.holds.waiting()
    found = [
        Alert(f"{run.feed}: held, {run.reason}.", url_for("admin.run", id_=run.id), f"Review run {run.id}")
        for run in pending[:_MAX_ALERTS]
    ]
    if len(pending) > _MAX_ALERTS:
        sentence = f"{counted(len(pending) - _MAX_ALERTS, 'more run')} wait for review."
        found.append(Alert(sentence, url_for("admin.review"), "Review"))
    if waiting:
        where = ", ".join(sorted(waiting, key=lambda name: -waiting[name])[:_MAX_ALERTS])
        more = f" and {len(waiting) - _MAX_ALERTS} more" if len(waiting) > _MAX_ALERTS else ""
        number = sum(waiting.values())
        verb = "waits" if number == 1 else "wait"
        sentence = f"{counted(number, 'held entry', 'held entries')} of {where}{more} {verb} for a decision."
        found.append(Alert(sentence, url_for("admin.review") + "#entries", "Review"))
    if flagged := sum(service.flags.open().values()):
        verb = "is" if flagged == 1 else "are"
        sentence = f"{counted(flagged, 'listed entry', 'listed entries')} {verb} worth a look."
        found.append(Alert(sentence, url_for("admin.review") + "#flags", "Review"))
    if overrides := service.overrides.waiting():
        sentence = f"{counted(overrides, 'override waits', 'overrides wait')} for confirmation by a second person."
        found.append(Alert(sentence, url_for("admin.overrides"), "Overrides"))
    return found


def _feed_alerts(feeds: list[dict[str, Any]]) -> list[Alert]:
    if not feeds:
        sentence = "There are no feeds yet: nothing is listed."
        return [Alert(sentence, url_for("admin.new_feed"), "Add a feed", critical=True)]
    stale = [row for row in feeds if row["state"] == "stale"]
    failed = [row for row in feeds if row["last_outcome"] == "failed" and row["state"] not in ("stale", "paused")]
    found = [_stale_alert(row) for row in stale[:_MAX_ALERTS]]
    if len(stale) > _MAX_ALERTS:
        sentence = f"{counted(len(stale) - _MAX_ALERTS, 'more feed')} are stale."
        found.append(Alert(sentence, url_for("admin.feeds", state="stale"), "Show feeds", critical=True))
    found += [
        Alert(f"{row['name']}: the last run failed: {row['last_reason']}.", _feed_url(row), "Show feed")
        for row in failed[:_MAX_ALERTS]
    ]
    if len(failed) > _MAX_ALERTS:
        sentence = f"The last run of {counted(len(failed) - _MAX_ALERTS, 'more feed')} failed."
        found.append(Alert(sentence, url_for("admin.feeds", state="failed"), "Show feeds"))
    return found


def _stale_alert(row: dict[str, Any]) -> Alert:
    reason = f": {row['last_reason']}" if row["last_outcome"] in ("held", "failed") else ""
    return Alert(f"{row['name']} is stale{reason}.", _feed_url(row), "Show feed", critical=True)


def _feed_url(row: dict[str, Any]) -> str:
    return url_for("admin.feed", name=row["name"])


def _is_healthy(row: dict[str, Any]) -> bool:
    return row["state"] == "fresh" and row["last_outcome"] not in ("held", "failed")


def _states(feeds: list[dict[str, Any]]) -> dict[str, int]:
    counts = Counter(row["state"] for row in feeds)
    return {state: counts[state] for state in ("fresh", "stale", "new", "paused") if counts[state]}
