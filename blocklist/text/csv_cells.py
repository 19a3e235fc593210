"""CSV that people open in spreadsheets."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import Any

#: Where a formula can begin (OWASP, CSV Injection): a cell that begins with one of these characters, full-width ones
#: included, or what follows a character at which a spreadsheet may split the cell. Where ``;`` separates the cells, as
#: in most of Europe, quotes do not protect a cell of a line that is separated by commas.
_FORMULA = re.compile(r"(?:^(?=[\t\r\n\0])|(?:^|(?<=[;\t\r\n]))(?=[=+\-@\uff1d\uff0b\uff0d\uff20]))")


def csv_line(cells: Iterable[Any]) -> str:
    r"""Return one line of CSV, with an apostrophe before whatever a spreadsheet would evaluate as a formula.

    >>> csv_line(["=cmd()", None, 7])
    "'=cmd(),,7\r\n"
    >>> csv_line(["x;=cmd()"])
    "x;'=cmd()\r\n"
    """
    out = io.StringIO()
    csv.writer(out).writerow([_escape_formula(cell) for cell in cells])
    return out.getvalue()


def _escape_formula(value: Any) -> str:
    text = "" if value is None else str(value)
    return _FORMULA.sub("'", text)
