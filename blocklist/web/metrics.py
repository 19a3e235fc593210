"""Metrics of the feeds and of what was sent. The control plane adds them to the metrics of the lookup node."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from blocklist.domain.run import Outcome
from blocklist.service.distribution import DistributionStatus
from blocklist.status.feed_status import STATES

_TIMES = {
    "last_attempt": "Start of the last run of a feed (Unix time).",
    "last_success": "When the list of a feed was last known to be current (Unix time); absent before the first time.",
    "last_change": "When the list of a feed last changed (Unix time); absent before the first time.",
}
_NUMBERS = {
    "listed": "Number of sites that a feed lists.",
    "waiting": "Number of held entries of a feed that wait for a decision.",
    "flagged": "Number of listed entries of a feed that are worth a look.",
    "reviews": "Number of held runs of a feed that wait for review.",
}


def feed_metrics(rows: Sequence[dict[str, Any]]) -> bytes:
    """Return the state of feeds, as :func:`.feed_rows` gives it, in the Prometheus text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(rows))
    return bytes(generate_latest(registry))


def distribution_metrics(status: DistributionStatus | None) -> bytes:
    """Return what was sent to other machines, in the Prometheus text format; nothing where nothing is sent."""
    if status is None:
        return b""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_SentCollector(status))
    return bytes(generate_latest(registry))


class _SentCollector:
    def __init__(self, status: DistributionStatus) -> None:
        self._status = status

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield each metric."""
        sent, unsent = self._status.sent, self._status.unsent
        for name, help_, value in (
            ("version", "Version of the snapshot in the store; 0 before the first.", sent.version if sent else 0),
            ("waiting", "1 if the current snapshot is not in the store yet.", self._status.waits),
            (
                "failed_attempts",
                "Attempts to send that failed since the last that succeeded.",
                unsent.attempts if unsent else 0,
            ),
        ):
            yield GaugeMetricFamily(f"blocklist_distribution_{name}", help_, value=float(value))
        if sent:
            help_ = "When the newest signature was made (Unix time)."
            signed = _unix(sent.signed_at)
            yield GaugeMetricFamily("blocklist_distribution_signed_timestamp_seconds", help_, value=signed)
        expiry = GaugeMetricFamily(
            "blocklist_trust_expiry_timestamp_seconds", "When root and targets expire (Unix time).", labels=("role",)
        )
        for role, moment in self._status.expires.items():
            expiry.add_metric((role,), _unix(moment))
        yield expiry


class _Collector:
    def __init__(self, rows: Sequence[dict[str, Any]]) -> None:
        self._rows = rows

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield each metric."""
        stale = {row["name"]: row["state"] == "stale" for row in self._rows}
        yield _gauge("stale", "1 if a feed is overdue: no success within three of its intervals.", stale)
        yield self._one_of("state", "1 for the current state of a feed.", "state", STATES)
        outcomes = tuple(outcome.value for outcome in Outcome)
        yield self._one_of("last_outcome", "1 for the outcome of the last run of a feed.", "outcome", outcomes)
        yield _gauge("interval_seconds", "Interval between two runs of a feed in seconds.", self._column("every"))
        for name, help_ in _TIMES.items():
            times = {feed: _unix(moment) for feed, moment in self._column(name).items() if moment}
            yield _gauge(f"{name}_timestamp_seconds", help_, times)
        for name, help_ in _NUMBERS.items():
            yield _gauge(name, help_, self._column(name))

    def _column(self, name: str) -> dict[str, Any]:
        return {row["name"]: row[name] for row in self._rows}

    def _one_of(self, name: str, help_: str, label: str, choices: tuple[str, ...]) -> GaugeMetricFamily:
        gauge = GaugeMetricFamily(f"blocklist_feed_{name}", help_, labels=("feed", label))
        for row in self._rows:
            for choice in choices:
                gauge.add_metric((row["name"], choice), float(row[name] == choice))
        return gauge


def _gauge(name: str, help_: str, values: dict[str, Any]) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(f"blocklist_feed_{name}", help_, labels=("feed",))
    for feed, value in values.items():
        gauge.add_metric((feed,), float(value))
    return gauge


def _unix(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
