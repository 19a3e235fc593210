"""CSV that people open in spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

#: A cell that a spreadsheet would take for a formula (OWASP, CSV Injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\0")


def csv_line(cells: Iterable[Any]) -> str:
    r"""Return a line of CSV whose cells no spreadsheet takes for formulas.

    >>> csv_line(["=cmd()", None, 7])
    "'=cmd(),,7\r\n"
    """
    out = io.StringIO()
    csv.writer(out).writerow([_inert(cell) for cell in cells])
    return out.getvalue()


def _inert(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
