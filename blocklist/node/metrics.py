"""The counts of one worker, and the sums over all workers in Prometheus' text format."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from blocklist.domain.verdict import VerdictKind

LISTED, NOT_LISTED, UNKNOWN = range(3)
_VERDICTS = ("listed", "not_listed", "unknown")
#: The index of each verdict in the counts of a policy.
INDEX = {VerdictKind(name): index for index, name in enumerate(_VERDICTS)}
#: Upper bounds of the latency histogram, in seconds: close together around the time of a lookup.
BUCKETS = (5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 1e-2, 0.1, 1.0)
#: Requests that are timed after each tick. Not all, since reading the clock twice costs a tenth of a lookup.
SAMPLED = 32
#: The most policies counted separately: callers choose the name, so the number must be bounded.
_MAX_POLICIES = 128


class Counters:
    """The counts of one worker: plain integers, used in one thread, so counting costs one addition."""

    def __init__(self) -> None:
        self._verdicts: dict[str, list[int]] = {}
        self.requests: dict[str, int] = {}
        self.buckets = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0
        self.values: dict[str, int] = dict.fromkeys(
            ("connections", "bad_requests", "timeouts", "refused_connections", "swaps", "refused_snapshots"), 0
        )

    def verdicts(self, policy: str) -> list[int]:
        """Return the counts of a policy, by the indices :data:`LISTED`, ...; the caller adds to this list."""
        counts = self._verdicts.get(policy)
        if counts is None:
            if len(self._verdicts) >= _MAX_POLICIES:
                policy = "other"
            counts = self._verdicts.setdefault(policy, [0, 0, 0])
        return counts

    def count_verdicts(self, policy: str, verdict: VerdictKind, number: int) -> None:
        """Add ``number`` targets with this verdict to the counts of a policy."""
        self.verdicts(policy)[INDEX[verdict]] += number

    def record_duration(self, seconds: float) -> None:
        """Add one timed request to the histogram."""
        self.buckets[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds

    def state(self) -> dict[str, Any]:
        """Return all counts as JSON data."""
        timed = {"buckets": self.buckets, "seconds": self.seconds}
        return {"verdicts": self._verdicts, "requests": self.requests, "values": self.values} | timed

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from the counts of a worker that died: Prometheus counters must never decrease."""
        for policy, counts in state.get("verdicts", {}).items():
            self.verdicts(policy)[:] = counts
        self.requests.update(state.get("requests", {}))
        if len(state.get("buckets", ())) == len(self.buckets):
            self.buckets[:] = state["buckets"]
            self.seconds = state["seconds"]
        self.values.update(state.get("values", {}))


def exposition(workers: Iterable[dict[str, Any]]) -> bytes:
    """Return the metrics of all workers in Prometheus' text format; each state is as on the scoreboard."""
    # Imported at the first scrape: a worker that is never scraped needs less memory without it.
    from prometheus_client import CollectorRegistry, core, generate_latest  # noqa: PLC0415

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(core, list(workers)))
    return bytes(generate_latest(registry))


class _Collector:
    def __init__(self, core: Any, workers: list[dict[str, Any]]) -> None:
        """``core`` is :mod:`prometheus_client.core`."""
        self._core, self._workers = core, workers

    def collect(self) -> Iterator[Any]:
        """Yield each metric."""
        yield from self._counters()
        yield self._latency()
        yield from self._gauges()

    def _counters(self) -> Iterator[Any]:
        counter = self._core.CounterMetricFamily
        lookups = counter("blocklist_lookups", "Targets judged.", labels=("policy", "verdict"))
        for policy, counts in _summed_lists(worker.get("verdicts", {}) for worker in self._workers).items():
            for verdict, count in zip(_VERDICTS, counts, strict=True):
                lookups.add_metric((policy, verdict), count)
        yield lookups
        requests = counter("blocklist_requests", "Requests read by the HTTP parser.", labels=("route", "status"))
        for label, count in _summed(worker.get("requests", {}) for worker in self._workers).items():
            requests.add_metric(tuple(label.split(" ", 1)), count)
        yield requests
        values = _summed(worker.get("values", {}) for worker in self._workers)
        for name, help_ in (
            ("bad_requests", "Requests that are not valid HTTP/1.1."),
            ("timeouts", "Connections closed because their client was too slow."),
            ("refused_connections", "Connections refused because too many were open."),
            ("swaps", "Newer snapshots that began to serve."),
            ("refused_snapshots", "Snapshots refused because damaged, unreadable or older."),
        ):
            yield counter(f"blocklist_{name}", help_, value=values.get(name, 0))

    def _latency(self) -> Any:
        total, buckets = 0, []
        by_worker = [worker["buckets"] for worker in self._workers if "buckets" in worker]
        for bound, *counts in zip((*map(str, BUCKETS), "+Inf"), *by_worker, strict=True):
            total += sum(counts)
            buckets.append((bound, total))
        return self._core.HistogramMetricFamily(
            "blocklist_request_duration_seconds",
            f"Time to answer a lookup without the HTTP parser; {SAMPLED} requests are timed every 0.2 seconds.",
            buckets=buckets,
            sum_value=sum(worker.get("seconds", 0.0) for worker in self._workers),
        )

    def _gauges(self) -> Iterator[Any]:
        for name, help_ in (
            ("snapshot_version", "Version of the snapshot that a worker serves; 0 before the first."),
            ("snapshot_age_seconds", "Seconds since the snapshot was last known to be up to date."),
            ("snapshot_stale", "1 if the snapshot is stale."),
            ("connections", "Connections open now."),
            ("worker_up", "1 if the worker reported within the last 5 seconds."),
        ):
            gauge = self._core.GaugeMetricFamily(f"blocklist_{name}", help_, labels=("worker",))
            for number, worker in enumerate(self._workers):
                gauge.add_metric((str(number),), self._gauge(worker, name))
            yield gauge

    def _gauge(self, worker: dict[str, Any], name: str) -> float:
        if name == "connections":
            return float(worker.get("values", {}).get(name, 0))
        if name == "worker_up":
            return float(time.time() - worker.get("reported_at", 0) < 5)
        return float(worker.get(name, 0))


def _summed(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return total


def _summed_lists(counts: Iterable[dict[str, list[int]]]) -> dict[str, list[int]]:
    total: dict[str, list[int]] = {}
    for each in counts:
        for name, values in each.items():
            total[name] = [a + b for a, b in zip(total.get(name, [0] * len(values)), values, strict=True)]
    return total
