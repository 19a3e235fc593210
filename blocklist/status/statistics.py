"""Statistics for the overview: listed sites and lookups over time, the workers of the lookup node, and recent runs.

All are read from counts that are updated with each change: their cost does not grow with the number of listings.
"""

from __future__ import annotations

import json
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from blocklist.domain.clock import later, now, rfc3339
from blocklist.store import Store

#: Returns what each worker of a lookup node reports: see :meth:`blocklist.node.metrics.Counters.state`.
ReadScoreboard = Callable[[], list[dict[str, Any]]]
#: A worker that has not reported for so many seconds counts as down.
SILENT = 5


class ListedOn(NamedTuple):
    """How many sites an authority (None: the sum of all that have no row) listed at the end of a day, in UTC."""

    day: str
    authority: str | None
    listed: int


class TrafficPoint(NamedTuple):
    """The lookups of the time up to ``at``, in lookups per second; None where there is no sample.

    ``share_listed`` is the share of lookups whose verdict was ``listed``, None where there was no lookup.
    """

    at: str
    lookups: float | None = None
    listed: float | None = None
    share_listed: float | None = None


class RunMark(NamedTuple):
    """One run on a feed's timeline; ``outcome`` is None while it is under way."""

    id: int
    started_at: str
    finished_at: str | None
    outcome: str | None
    added: int
    removed: int
    listed: int


@dataclass(frozen=True, slots=True)
class ListedNow:
    """What is listed now: the number of different sites in snapshot ``version``, and of sites by authority."""

    sites: int
    version: int
    by_authority: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class LookupWorker:
    """One worker of a lookup node: the version of its snapshot, and when it last reported.

    ``age`` is the seconds since its snapshot was last known to be up to date. Before it has one, ``version`` is 0 and
    ``age`` None.
    """

    node: str
    worker: int
    up: bool
    version: int
    age: float | None
    stale: bool
    reported_at: str | None
    connections: int


class Statistics:
    """Read models of listed sites, lookups and runs over time."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def listed_now(self) -> ListedNow:
        """Return how many sites are listed now, in all and by authority."""
        newest = self._store.snapshots.newest() or {"rules": 0, "version": 0}
        return ListedNow(newest["rules"], newest["version"], tuple(self._store.statistics.listed_now()))

    def listed_over_time(self, days: int = 90, *, most: int = 8) -> list[ListedOn]:
        """Return a row for each of the last days, today included, and each authority, the largest first within a day.

        The ``most`` authorities with the most sites now have their own rows; one more row, None, sums the others.
        """
        today = date.fromisoformat(now()[:10])
        first = (today - timedelta(days=days - 1)).isoformat()
        listed = Counter(self._store.statistics.listed_before(first))
        changes: dict[str, list[tuple[str, int]]] = {}
        for day, authority, change in self._store.statistics.listed_changes(first):
            changes.setdefault(day, []).append((authority, change))
        ends = listed.copy()
        for day_changes in changes.values():
            for authority, change in day_changes:
                ends[authority] += change
        shown = [name for name, _ in sorted(ends.items(), key=lambda item: (-item[1], item[0]))[:most]]
        rows = []
        for back in range(days - 1, -1, -1):
            day = (today - timedelta(days=back)).isoformat()
            for authority, change in changes.get(day, ()):
                listed[authority] += change
            rows += [ListedOn(day, name, listed[name]) for name in shown]
            if len(ends) > len(shown):
                rows.append(ListedOn(day, None, listed.total() - sum(listed[name] for name in shown)))
        return rows

    def traffic(self, hours: int = 24, *, points: int = 120) -> list[TrafficPoint]:
        """Return the lookups of the last hours, in ``points`` intervals of equal length, oldest first."""
        end = now()
        length = max(60.0, hours * 3600 / points)
        begin = later(end, -hours * 3600)
        sums: dict[int, list[float]] = {}
        for row in self._store.statistics.samples(begin):
            number = int((_seconds(row["at"]) - _seconds(begin) - 1) // length)
            total = sums.setdefault(number, [0.0, 0.0, 0.0])
            for index, name in enumerate(("seconds", "lookups", "listed")):
                total[index] += row[name]
        found = []
        for number in range(int(hours * 3600 / length)):
            seconds, lookups, listed = sums.get(number, (0.0, 0.0, 0.0))
            at = later(begin, (number + 1) * length)
            share = listed / lookups if lookups else None
            rates = (lookups / seconds, listed / seconds, share) if seconds else ()
            found.append(TrafficPoint(at, *rates))
        return found

    def sampler(self, read_scoreboard: ReadScoreboard) -> Sampler:
        """Return a sampler that records the lookups of a lookup node, for :meth:`traffic`."""
        return Sampler(self._store, read_scoreboard)

    def recent_runs(self, feeds: Iterable[str], each: int = 20) -> dict[str, list[RunMark]]:
        """Return the newest ``each`` runs of these feeds, oldest first: one query in all."""
        found: dict[str, list[RunMark]] = {name: [] for name in feeds}
        for feed, id_, started, finished, outcome, counts in self._store.statistics.recent_runs(list(found), each):
            figures = json.loads(counts)
            marks = (figures.get(name, 0) for name in ("added", "removed", "listed"))
            found[feed].append(RunMark(id_, started, finished, outcome, *marks))
        return found


def lookup_workers(read_scoreboard: ReadScoreboard) -> list[LookupWorker]:
    """Return the workers of this service's lookup node, as they last reported."""
    name = socket.gethostname()
    return [_worker(name, worker, state) for worker, state in enumerate(read_scoreboard())]


class Sampler:
    """Records the lookups of a lookup node between two calls of :meth:`sample`."""

    def __init__(
        self, store: Store, read_scoreboard: ReadScoreboard, timer: Callable[[], float] = time.monotonic
    ) -> None:
        """Start from what the node has counted so far; ``timer`` returns seconds, as :func:`time.monotonic` does."""
        self._store = store
        self._read_scoreboard = read_scoreboard
        self._timer = timer
        self._since = timer()
        self._counted: list[list[int]] = []
        self._counted = self._read()

    def sample(self) -> None:
        """Record the lookups since the sample before."""
        before, counted, moment = self._counted, self._read(), self._timer()
        listed, not_listed, unknown = (total - last for total, last in zip(_sums(counted), _sums(before), strict=True))
        self._store.statistics.add_sample(now(), moment - self._since, listed + not_listed + unknown, listed, unknown)
        self._counted, self._since = counted, moment

    def _read(self) -> list[list[int]]:
        """Return the verdicts of each worker. Counters only grow: a smaller value was read while it changed."""
        counted = [_sums(state.get("verdicts", {}).values()) for state in self._read_scoreboard()]
        known: Sequence[list[int]] = self._counted or [[0, 0, 0]] * len(counted)
        return [list(map(max, now_, before)) for now_, before in zip(counted, known, strict=True)]


def _sums(verdicts: Iterable[Sequence[int]]) -> list[int]:
    """Return the sum of each column: listed, not listed, unknown."""
    return [sum(column) for column in zip(*verdicts, strict=True)] or [0, 0, 0]


def _worker(name: str, worker: int, state: dict[str, Any]) -> LookupWorker:
    reported: float | None = state.get("reported_at")
    version = int(state.get("snapshot_version", 0))
    return LookupWorker(
        node=name,
        worker=worker,
        up=reported is not None and time.time() - reported < SILENT,
        version=version,
        age=float(state["snapshot_age_seconds"]) if version else None,
        stale=bool(state.get("snapshot_stale")),
        reported_at=rfc3339(datetime.fromtimestamp(reported, UTC)) if reported else None,
        connections=int(state.get("values", {}).get("connections", 0)),
    )


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
