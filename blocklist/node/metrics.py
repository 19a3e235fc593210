"""What a worker counts, and the sum over all workers in Prometheus' text format."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Any

from blocklist.domain.verdict import VerdictKind

LISTED, NOT_LISTED, UNKNOWN = range(3)
_VERDICTS = ("listed", "not_listed", "unknown")
#: Where the counts of a policy have that of a verdict.
INDEX = {VerdictKind(name): index for index, name in enumerate(_VERDICTS)}
#: Upper bounds of the latency histogram, in seconds: half powers of ten around what a lookup takes.
BUCKETS = (5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 1e-2, 0.1, 1.0)
#: So many requests are timed after each tick: two readings of the clock cost as much as a tenth of a lookup.
SAMPLED = 32
#: Callers choose the policy that a query names: what is counted apart must not grow without end.
_MAX_POLICIES = 128


class Counters:
    """The counts of one worker. Plain integers in one thread: counting costs what adding costs."""

    def __init__(self) -> None:
        self._verdicts: dict[str, list[int]] = {}
        self.requests: dict[str, int] = {}
        self.buckets = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0
        self.values: dict[str, int] = dict.fromkeys(
            ("connections", "bad_requests", "timeouts", "refused_connections", "swaps", "refused_snapshots"), 0
        )

    def verdicts(self, policy: str) -> list[int]:
        """Return the counts of a policy, one for each verdict, to be added to."""
        counted = self._verdicts.get(policy)
        if counted is None:
            if len(self._verdicts) >= _MAX_POLICIES:
                policy = "other"
            counted = self._verdicts.setdefault(policy, [0, 0, 0])
        return counted

    def judged(self, policy: str, verdict: VerdictKind, number: int) -> None:
        """Count targets that were judged the long way."""
        self.verdicts(policy)[INDEX[verdict]] += number

    def timed(self, seconds: float) -> None:
        """Count one sampled request."""
        self.buckets[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds

    def state(self) -> dict[str, Any]:
        """Return everything counted, as data."""
        return {
            "verdicts": self._verdicts,
            "requests": self.requests,
            "buckets": self.buckets,
            "seconds": self.seconds,
            "values": self.values,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what a worker that died had counted: counters never go back."""
        for policy, counted in state.get("verdicts", {}).items():
            self.verdicts(policy)[:] = counted
        self.requests.update(state.get("requests", {}))
        if len(state.get("buckets", ())) == len(self.buckets):
            self.buckets[:] = state["buckets"]
            self.seconds = state["seconds"]
        self.values.update(state.get("values", {}))


def exposition(workers: Iterable[dict[str, Any]]) -> bytes:
    """Return the metrics of all workers in Prometheus' text format: of each its :meth:`Counters.state` and gauges."""
    # Imported when first asked for: a worker that nobody scrapes is smaller without it.
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(list(workers)))
    return bytes(generate_latest(registry))


class _Collector:
    def __init__(self, workers: list[dict[str, Any]]) -> None:
        self._workers = workers

    def collect(self) -> Iterator[Any]:
        """Yield each metric."""
        yield from self._counted()
        yield self._latency()
        yield from self._gauges()

    def _counted(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily  # noqa: PLC0415

        lookups = CounterMetricFamily("blocklist_lookups", "Targets judged.", labels=("policy", "verdict"))
        for policy, counted in _summed_lists(worker.get("verdicts", {}) for worker in self._workers).items():
            for verdict, count in zip(_VERDICTS, counted, strict=True):
                lookups.add_metric((policy, verdict), count)
        yield lookups
        requests = CounterMetricFamily(
            "blocklist_requests", "Requests answered the long way.", labels=("route", "status")
        )
        for label, count in _summed(worker.get("requests", {}) for worker in self._workers).items():
            requests.add_metric(tuple(label.split(" ", 1)), count)
        yield requests
        values = _summed(worker.get("values", {}) for worker in self._workers)
        for name, help_ in (
            ("bad_requests", "Requests that broke the rules of HTTP."),
            ("timeouts", "Connections closed because their client was too slow."),
            ("refused_connections", "Connections beyond the limit."),
            ("swaps", "Snapshots taken into service."),
            ("refused_snapshots", "Snapshots that must not serve: damaged, unreadable or older."),
        ):
            yield CounterMetricFamily(f"blocklist_{name}", help_, value=values.get(name, 0))

    def _latency(self) -> Any:
        from prometheus_client.core import HistogramMetricFamily  # noqa: PLC0415

        total, buckets = 0, []
        counted = [worker["buckets"] for worker in self._workers if "buckets" in worker]
        for bound, *counts in zip((*map(str, BUCKETS), "+Inf"), *counted, strict=True):
            total += sum(counts)
            buckets.append((bound, total))
        return HistogramMetricFamily(
            "blocklist_request_duration_seconds",
            f"Time to answer a lookup from its request line; {SAMPLED} requests in a fifth of a second are timed.",
            buckets=buckets,
            sum_value=sum(worker.get("seconds", 0.0) for worker in self._workers),
        )

    def _gauges(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415

        for name, help_ in (
            ("snapshot_version", "Version of the snapshot that a worker answers from; 0 before the first."),
            ("snapshot_age_seconds", "Seconds since the snapshot was last known to be up to date."),
            ("snapshot_stale", "1 where answers say that they are stale."),
            ("connections", "Connections open now."),
            ("worker_up", "1 where a worker told of itself within the last seconds."),
        ):
            gauge = GaugeMetricFamily(f"blocklist_{name}", help_, labels=("worker",))
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
    total: dict[str, int] = {}
    for each in counts:
        for name, count in each.items():
            total[name] = total.get(name, 0) + count
    return total


def _summed_lists(counts: Iterable[dict[str, list[int]]]) -> dict[str, list[int]]:
    total: dict[str, list[int]] = {}
    for each in counts:
        for name, counted in each.items():
            total[name] = [a + b for a, b in zip(total.get(name, [0] * len(counted)), counted, strict=True)]
    return total
