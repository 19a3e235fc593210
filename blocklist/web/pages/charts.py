"""The geometry of charts, in units of their own view box: templates draw it, the style sheet colors it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from blocklist.domain.clock import seconds_between
from blocklist.domain.listing import Listing
from blocklist.status.statistics import ListedOn, RunMark, TrafficPoint

WIDTH, HEIGHT = 1_000, 240
#: How much of a strip's height a run takes: what needs a look is told by its size too, not by its color alone.
_TALL = {"applied": 0.8, "unchanged": 0.45, "held": 1.0, "failed": 1.0, None: 0.45}
#: Width of a run on a strip.
_MARK = 7


@dataclass(frozen=True, slots=True)
class Area:
    """One band of a chart: what it is, the number of its color, its outline, and its latest value."""

    label: str
    color: int
    path: str
    last: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Bands over time, and a table of the same: ``rows`` are a moment and its values, in the order of the areas."""

    areas: tuple[Area, ...]
    top: float
    begins: str
    ends: str
    rows: tuple[tuple[str, tuple[float | None, ...]], ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """One piece of a strip: where it begins, how wide and high it is, and what it is."""

    x: float
    width: float
    y: float
    height: float
    what: str
    said: str


def stacked(points: Sequence[ListedOn], every: int = 7) -> Chart | None:
    """Return the listed sites over time, one band an authority, the largest at the bottom; None where there are none.

    The table has a row for every so many days, and the last.
    """
    days = sorted({point.day for point in points})
    labels = list(dict.fromkeys(point.authority for point in points))
    value = {(point.day, point.authority): point.listed for point in points}
    totals = [sum(value.get((day, label), 0) for label in labels) for day in days]
    if not any(totals):
        return None
    # Before the first list there was nothing to see but for a week of it, which shows when it came.
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
    shown = [day for index, day in enumerate(days) if (len(days) - 1 - index) % every == 0]
    rows = tuple((day, tuple(value.get((day, label), 0) for label in labels)) for day in shown)
    return Chart(tuple(areas), top, days[0], days[-1], rows)


def rates(points: Sequence[TrafficPoint], every: int = 10) -> Chart | None:
    """Return lookups and blocks per second over time; None where nobody asked anything, or nobody watched."""
    lookups = [point.lookups or 0.0 for point in points]
    if not any(lookups):
        return None
    top = _round_up(max(lookups))
    nothing = [0.0] * len(points)
    listed = [point.listed or 0.0 for point in points]
    areas = (
        Area("lookups per second", 1, _band(nothing, lookups, top), lookups[-1]),
        Area("of them listed", 2, _band(nothing, listed, top), listed[-1]),
    )
    shown = [point for index, point in enumerate(points) if (len(points) - 1 - index) % every == 0]
    rows = tuple((point.at, (point.lookups, point.listed)) for point in shown)
    return Chart(areas, top, points[0].at, points[-1].at, rows)


def strip(runs: Iterable[RunMark], begin: str, end: str) -> list[Mark]:
    """Return a feed's runs between two moments as marks, the older first."""
    whole = seconds_between(begin, end)
    marks = []
    for run in runs:
        place = seconds_between(begin, run.started_at) / whole
        if place < 0:
            continue
        height = _TALL.get(run.outcome, 1.0) * 100
        x = min(place, 1) * (WIDTH - _MARK)
        marks.append(Mark(round(x, 1), _MARK, 100 - height, height, run.outcome or "running", run.started_at))
    return marks


def intervals(listings: Sequence[Listing], end: str) -> tuple[str, list[list[Mark]]]:
    """Return when the oldest of some listings began, and each listing's interval as a strip from then to a moment."""
    begin = min((item.listed_from for item in listings), default=end)
    whole = max(seconds_between(begin, end), 1.0)
    strips = []
    for item in listings:
        x = seconds_between(begin, item.stated_from) / whole * WIDTH
        until = seconds_between(begin, item.listed_until or end) / whole * WIDTH
        what = "past" if item.listed_until else "listed"
        strips.append([Mark(round(x, 1), round(max(until - x, 6), 1), 20, 60, what, "")])
    return begin, strips


def _band(below: Sequence[float], above: Sequence[float], top: float) -> str:
    """Return the outline of what lies between two lines."""
    step = WIDTH / max(len(above) - 1, 1)

    def points(line: Sequence[float]) -> list[str]:
        return [f"{index * step:.1f},{HEIGHT - part / top * HEIGHT:.1f}" for index, part in enumerate(line)]

    if len(above) == 1:
        below, above = [*below, *below], [*above, *above]
        step = WIDTH
    return f"M{' L'.join(points(above))} L{' L'.join(reversed(points(below)))} Z"


def _round_up(value: float) -> float:
    """Return the next number that an axis may end with.

    >>> _round_up(3_412), _round_up(0.7), _round_up(1)
    (4000, 0.8, 1)
    """
    scale = 10.0 ** math.floor(math.log10(value))
    rounded = next(step * scale for step in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * scale >= value * 0.999_999)
    return int(rounded) if rounded >= 1 and rounded == int(rounded) else round(rounded, 9)
