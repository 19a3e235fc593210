"""Figures for the overview: listed sites over time, what is asked, the nodes that answer, each feed's recent runs.

All are read from counts kept as things happen: none costs more for a million listings than for ten.
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

#: What each worker of a lookup node says of itself: see :meth:`blocklist.node.metrics.Counters.state`.
Board = Callable[[], list[dict[str, Any]]]
#: A worker that has not told of itself for so many seconds does not answer.
SILENT = 5


class ListedOn(NamedTuple):
    """How many sites an authority (None: all that are not shown one by one) listed at the end of a day, in UTC."""

    day: str
    authority: str | None
    listed: int


class TrafficPoint(NamedTuple):
    """What lookup nodes were asked in the time up to ``at``; rates are per second, None where nobody watched.

    ``share_listed`` is the share of lookups whose verdict was ``listed``, None where there was no lookup.
    """

    at: str
    lookups: float | None
    listed: float | None
    share_listed: float | None


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
    """What counts now: ``sites``, each once, in snapshot ``version``; and of each authority how many it lists."""

    sites: int
    version: int
    by_authority: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class NodeSeen:
    """One worker of a lookup node: which snapshot it answers from, and when it last told of itself.

    ``age`` is the seconds since its snapshot was last known to be up to date. ``version`` is 0 and ``age`` None before
    it has one.
    """

    node: str
    worker: int
    up: bool
    version: int
    age: float | None
    stale: bool
    told_at: str | None
    connections: int


def listed_now(store: Store) -> ListedNow:
    """Return how many sites are listed now, in all and by authority."""
    newest = store.snapshots.newest() or {"rules": 0, "version": 0}
    return ListedNow(newest["rules"], newest["version"], tuple(store.statistics.listed_now()))


def listed_over_time(store: Store, days: int = 90, *, most: int = 8) -> list[ListedOn]:
    """Return a row for each of the last days, today included, and each authority, the largest first within a day.

    The ``most`` authorities with the most sites now have rows of their own; one more, None, sums the rest.
    """
    today = date.fromisoformat(now()[:10])
    first = (today - timedelta(days=days - 1)).isoformat()
    listed = Counter(store.statistics.listed_before(first))
    changes: dict[str, list[tuple[str, int]]] = {}
    for day, authority, change in store.statistics.listed_changes(first):
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


def traffic(store: Store, hours: int = 24, *, points: int = 120) -> list[TrafficPoint]:
    """Return lookups and blocks per second over the last hours, in so many points of equal length, oldest first."""
    end = now()
    length = max(60.0, hours * 3600 / points)
    begin = later(end, -hours * 3600)
    sums: dict[int, list[float]] = {}
    for row in store.statistics.samples(begin):
        number = int((_seconds(row["at"]) - _seconds(begin) - 1) // length)
        total = sums.setdefault(number, [0.0, 0.0, 0.0])
        for index, name in enumerate(("seconds", "lookups", "listed")):
            total[index] += row[name]
    found = []
    for number in range(int(hours * 3600 / length)):
        seconds, lookups, listed = sums.get(number, (0.0, 0.0, 0.0))
        at = later(begin, (number + 1) * length)
        if not seconds:
            found.append(TrafficPoint(at, None, None, None))
        else:
            found.append(TrafficPoint(at, lookups / seconds, listed / seconds, listed / lookups if lookups else None))
    return found


def nodes_seen(board: Board) -> list[NodeSeen]:
    """Return the workers that this service's lookup node has, as they last told of themselves."""
    name = socket.gethostname()
    return [_node(name, worker, state) for worker, state in enumerate(board())]


def recent_runs(store: Store, feeds: Iterable[str], each: int = 20) -> dict[str, list[RunMark]]:
    """Return the newest runs of each of these feeds, oldest first: one query, however many feeds."""
    found: dict[str, list[RunMark]] = {name: [] for name in feeds}
    for feed, id_, started_at, finished_at, outcome, counts in store.statistics.recent_runs(list(found), each):
        figures = json.loads(counts)
        marks = (figures.get(name, 0) for name in ("added", "removed", "listed"))
        found[feed].append(RunMark(id_, started_at, finished_at, outcome, *marks))
    return found


class Sampler:
    """Writes down what a lookup node was asked since the last time, for :func:`traffic`."""

    def __init__(self, store: Store, board: Board, timer: Callable[[], float] = time.monotonic) -> None:
        """Begin from what the node has counted so far; ``timer`` measures the seconds between samples."""
        self._store = store
        self._board = board
        self._timer = timer
        self._since = timer()
        self._counted: list[list[int]] = []
        self._counted = self._read()

    def sample(self) -> None:
        """Write down one sample."""
        before, counted, moment = self._counted, self._read(), self._timer()
        listed, not_listed, unknown = (total - last for total, last in zip(_sums(counted), _sums(before), strict=True))
        self._store.statistics.add_sample(now(), moment - self._since, listed + not_listed + unknown, listed, unknown)
        self._counted, self._since = counted, moment

    def _read(self) -> list[list[int]]:
        """Return the verdicts of each worker: counters never go back, so what reads less was read badly."""
        counted = [_verdicts(state) for state in self._board()]
        known: Sequence[list[int]] = self._counted or [[0, 0, 0]] * len(counted)
        return [list(map(max, now_, before)) for now_, before in zip(counted, known, strict=True)]


def _verdicts(state: dict[str, Any]) -> list[int]:
    return _sums(state.get("verdicts", {}).values())


def _sums(verdicts: Iterable[Sequence[int]]) -> list[int]:
    """Return the sum of each verdict: listed, not listed, unknown."""
    return [sum(column) for column in zip(*verdicts, strict=True)] or [0, 0, 0]


def _node(name: str, worker: int, state: dict[str, Any]) -> NodeSeen:
    told: float | None = state.get("told_at")
    version = int(state.get("snapshot_version", 0))
    return NodeSeen(
        node=name,
        worker=worker,
        up=told is not None and time.time() - told < SILENT,
        version=version,
        age=float(state["snapshot_age_seconds"]) if version else None,
        stale=bool(state.get("snapshot_stale")),
        told_at=rfc3339(datetime.fromtimestamp(told, UTC)) if told else None,
        connections=int(state.get("values", {}).get("connections", 0)),
    )


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
