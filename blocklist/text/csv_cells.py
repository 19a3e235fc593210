"""CSV that people open in spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

#: A spreadsheet evaluates a cell that begins with one of these as a formula (OWASP, CSV Injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\0")


def csv_line(cells: Iterable[Any]) -> str:
    r"""Return one line of CSV. Cells that a spreadsheet would evaluate as formulas begin with an apostrophe.

    >>> csv_line(["=cmd()", None, 7])
    "'=cmd(),,7\r\n"
    """
    out = io.StringIO()
    csv.writer(out).writerow([_escape_formula(cell) for cell in cells])
    return out.getvalue()


def _escape_formula(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
