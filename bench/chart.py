"""A bar chart as SVG, in the few elements it needs."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

_WIDTH, _LEFT, _RIGHT, _BAR, _GAP = 900, 300, 110, 14, 14
_COLORS = ("#2f6f9f", "#9fc3dc")


def bars(title: str, series: Sequence[str], rows: Sequence[tuple[str, Sequence[float]]]) -> str:
    """Return a chart of groups of horizontal bars, one bar for each series, with the figures beside them.

    :raises ValueError: a row has not one figure for each series, or there are none.
    """
    most = max((value for _, values in rows for value in values), default=0.0)
    if most <= 0 or any(len(values) != len(series) for _, values in rows):
        raise ValueError("a chart needs one figure above zero for each row and series")
    group = _BAR * len(series) + _GAP
    height = 80 + group * len(rows)
    root = ElementTree.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {_WIDTH} {height}",
            "font-family": "sans-serif",
            "font-size": "13",
            "role": "img",
        },
    )
    ElementTree.SubElement(root, "title").text = title
    ElementTree.SubElement(root, "rect", {"width": str(_WIDTH), "height": str(height), "fill": "#ffffff"})
    _text(root, 16, 24, title, {"font-weight": "bold"})
    for number, name in enumerate(series):
        left = _LEFT + number * 220
        _rect(root, left, 38, 12, number)
        _text(root, left + 18, 49, name)
    for row, (name, values) in enumerate(rows):
        top = 68 + row * group
        _text(root, _LEFT - 10, top + (_BAR * len(series)) // 2 + 5, name, {"text-anchor": "end"})
        for number, value in enumerate(values):
            width = (_WIDTH - _LEFT - _RIGHT) * value / most
            _rect(root, _LEFT, top + number * _BAR, max(1.0, width), number)
            _text(root, _LEFT + width + 6, top + number * _BAR + 11, f"{value:,.0f}", {"font-size": "11"})
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _rect(root: ElementTree.Element, left: float, top: float, width: float, color: int) -> None:
    place = {"x": f"{left:.0f}", "y": f"{top:.0f}", "width": f"{width:.1f}", "height": str(_BAR - 2)}
    ElementTree.SubElement(root, "rect", place | {"fill": _COLORS[color % len(_COLORS)]})


def _text(root: ElementTree.Element, left: float, top: float, text: str, more: dict[str, str] | None = None) -> None:
    place = {"x": f"{left:.0f}", "y": f"{top:.0f}", "fill": "#222222"}
    ElementTree.SubElement(root, "text", place | (more or {})).text = text
