"""The geometry of SVG charts, in units of their view box. Templates draw it, the style sheet colors it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from blocklist.domain.clock import seconds_between
from blocklist.domain.listing import Listing
from blocklist.status.statistics import ListedOn, RunMark, TrafficPoint

WIDTH, HEIGHT = 1_000, 240
#: The height of a run on a timeline, as a share of its height: the outcome is not shown by color alone.
_HEIGHTS = {"applied": 0.8, "unchanged": 0.45, "held": 1.0, "failed": 1.0, None: 0.45}
#: The width of a run on a timeline.
_MARK_WIDTH = 7


class Area(NamedTuple):
    """One band of a chart: its label, color number, SVG path and last value."""

    label: str
    color: int
    path: str
    last: float


class Row(NamedTuple):
    """The values at a time, in the order of the areas; None if there was no measurement."""

    at: str
    values: tuple[float | None, ...]


class Chart(NamedTuple):
    """Bands over time. ``top`` is the end of the axis, ``begins`` and ``ends`` are times, ``rows`` are a table."""

    areas: tuple[Area, ...]
    top: float
    begins: str
    ends: str
    rows: tuple[Row, ...]


class Mark(NamedTuple):
    """One rectangle on a timeline. ``kind`` is its CSS class, ``title`` its tooltip."""

    x: float
    width: float
    y: float
    height: float
    kind: str
    title: str


def listed_chart(points: Sequence[ListedOn], every: int = 7) -> Chart | None:
    """Return the listed sites over time, one band for each authority, the largest at the bottom; None if empty.

    The table has one row for each ``every`` days, including the last day.
    """
    days = sorted({point.day for point in points})
    labels = list(dict.fromkeys(point.authority for point in points))
    value = {(point.day, point.authority): point.listed for point in points}
    totals = [sum(value.get((day, label), 0) for label in labels) for day in days]
    if not any(totals):
        return None
    # Begin one week before the first listed site, so that its start is visible.
    first = next(index for index, total in enumerate(totals) if total)
    days, totals = days[max(0, first - 7) :], totals[max(0, first - 7) :]
    top = _round_up(max(totals))
    below = [0] * len(days)
    areas = []
    for index, label in enumerate(labels):
        series = [value.get((day, label), 0) for day in days]
        above = [base + part for base, part in zip(below, series, strict=True)]
        color = min(index + 1, 7) if label is not None else 7
        areas.append(Area(label or "all others", color, _band(below, above, top), series[-1]))
        below = above
    shown = days[(len(days) - 1) % every :: every]
    rows = tuple(Row(day, tuple(value.get((day, label), 0) for label in labels)) for day in shown)
    return Chart(tuple(areas), top, days[0], days[-1], rows)


def traffic_chart(points: Sequence[TrafficPoint], every: int = 10) -> Chart | None:
    """Return lookups and listed lookups per second over time; None if there were no lookups or no measurements."""
    lookups = [point.lookups or 0.0 for point in points]
    if not any(lookups):
        return None
    top = _round_up(max(lookups))
    nothing = [0.0] * len(points)
    listed = [point.listed or 0.0 for point in points]
    areas = (
        Area("lookups per second", 1, _band(nothing, lookups, top), lookups[-1]),
        Area("listed lookups per second", 2, _band(nothing, listed, top), listed[-1]),
    )
    shown = points[(len(points) - 1) % every :: every]
    rows = tuple(Row(point.at, (point.lookups, point.listed)) for point in shown)
    return Chart(areas, top, points[0].at, points[-1].at, rows)


def run_marks(runs: Iterable[RunMark], begin: str, end: str) -> list[Mark]:
    """Return the runs between two times as marks, oldest first."""
    whole = seconds_between(begin, end)
    marks = []
    for run in runs:
        place = seconds_between(begin, run.started_at) / whole
        if place < 0:
            continue
        height = _HEIGHTS.get(run.outcome, 1.0) * 100
        x = min(place, 1) * (WIDTH - _MARK_WIDTH)
        marks.append(Mark(round(x, 1), _MARK_WIDTH, 100 - height, height, run.outcome or "running", run.started_at))
    return marks


def listing_marks(listings: Sequence[Listing], end: str) -> tuple[str, list[list[Mark]]]:
    """Return when the oldest listing began, and the interval of each listing as marks from then until ``end``."""
    begin = min((item.listed_from for item in listings), default=end)
    whole = max(seconds_between(begin, end), 1.0)
    marks = []
    for item in listings:
        x = seconds_between(begin, item.stated_from) / whole * WIDTH
        until = seconds_between(begin, item.listed_until or end) / whole * WIDTH
        kind = "past" if item.listed_until else "listed"
        marks.append([Mark(round(x, 1), round(max(until - x, 6), 1), 20, 60, kind, "")])
    return begin, marks


def _band(below: Sequence[float], above: Sequence[float], top: float) -> str:
    step = WIDTH / max(len(above) - 1, 1)

    def points(line: Sequence[float]) -> list[str]:
        return [f"{index * step:.1f},{HEIGHT - part / top * HEIGHT:.1f}" for index, part in enumerate(line)]

    if len(above) == 1:
        below, above = [*below, *below], [*above, *above]
        step = WIDTH
    return f"M{' L'.join(points(above))} L{' L'.join(reversed(points(below)))} Z"


def _round_up(value: float) -> float:
    """Return the smallest suitable end of an axis that is not less than the value.

    >>> _round_up(3_412), _round_up(0.7), _round_up(1)
    (4000, 0.8, 1)
    """
    scale = 10.0 ** math.floor(math.log10(value))
    rounded = next(step * scale for step in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * scale >= value * 0.999_999)
    return int(rounded) if rounded >= 1 and rounded == int(rounded) else round(rounded, 9)
