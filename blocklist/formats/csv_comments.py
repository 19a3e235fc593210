"""Comments in a CSV body: rows that begin with ``#``. The header may be one, and so may a row that was withdrawn."""

from __future__ import annotations

import re

from blocklist.formats.header import is_site
from blocklist.formats.sandbox.protocol import COMMENTED
from blocklist.formats.table import NumberedRows, Row, TableOptions

#: ``#`` alone is the name of a column of numbers, and ``#12`` such a number.
_ROW_NUMBER = re.compile(r"#\s*\d*").fullmatch


def without_comments(rows: NumberedRows, options: TableOptions) -> NumberedRows:
    """Yield the rows without comments. A row of the list that was commented out is marked.

    ``# Domain,Date`` is the header if it has all columns that the options name, or as many columns as the first row,
    which is no header because it has a site.
    """
    width = 0
    if options.header:
        first = _first_rows(rows, options)
        width = len(first[0][1]) if first else 0
        yield from first
    for number, row in rows:
        if not _is_comment(row):
            yield number, row
        elif _has_site(row, options) and (len(row) > 1 or width == 1):
            yield number, [f"{COMMENTED}{cell}" for cell in _bare(row)]


def _first_rows(rows: NumberedRows, options: TableOptions) -> list[tuple[int, Row]]:
    """Return the header, and the first row too if the header was a comment above it; empty if there is none."""
    named = {column for columns in options.columns_named().values() for column in columns if isinstance(column, str)}
    above: tuple[int, Row] | None = None
    for number, row in rows:
        if not _is_comment(row):
            is_headed = above and len(above[1]) == len(row) and _has_site(row, options)
            return [above, (number, row)] if above and is_headed else [(number, row)]
        for header in (row, _bare(row)):
            if named and named <= {cell.strip() for cell in header}:
                return [(number, header)]
        above = number, _bare(row)
    return []


def _is_comment(row: Row) -> bool:
    return row[0][:1] == "#" and not _ROW_NUMBER(row[0])


def _bare(row: Row) -> Row:
    return [row[0].lstrip("# "), *row[1:]]


def _has_site(row: Row, options: TableOptions) -> bool:
    """Return whether a cell of a column that is given by its number has a site, or any cell if none is."""
    cells = _bare(row)
    numbers = [column for column in options.sites if isinstance(column, int)]
    chosen = [cells[number - 1] for number in numbers if number <= len(cells)] if numbers else cells
    return any(is_site(cell.strip()) for cell in chosen)
