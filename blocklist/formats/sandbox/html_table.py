"""The cells of a table as browsers lay them out (HTML, section 4.9.12): a cell may span columns and rows."""

from __future__ import annotations

from collections.abc import Iterator

from selectolax.lexbor import LexborNode

from blocklist.formats.sandbox.html_text import mark_around, parent_of, visible_lines

#: The most columns and rows that a cell may span (HTML, section 4.9.11).
_MAX_COLUMNS, _MAX_ROWS = 1_000, 65_534
#: Characters of the longest text that counts in every row that its cell spans: a longer one is no order number.
_MAX_SPANNING = 500
_ROW_GROUPS = frozenset({"thead", "tbody", "tfoot", "table"})


def table_grid(table: LexborNode, take: str) -> Iterator[list[str]]:
    """Yield the rows of a table as lists of cells; ``take`` is ``href`` for the address of the first link in a cell.

    The text of a cell that spans rows is in each of them; of one that spans columns, in the first of them.
    """
    spanning: dict[int, tuple[int, str]] = {}
    group = 0
    # Without the rows of tables inside a cell.
    for row in table.css("tr"):
        if parent_of(row, {"table"}) != table.mem_id:
            continue
        if (around := parent_of(row, _ROW_GROUPS)) != group:
            # No cell spans from one row group into the next.
            group, spanning = around, {}
        yield _cells(row, take, spanning)


def _cells(row: LexborNode, take: str, spanning: dict[int, tuple[int, str]]) -> list[str]:
    """Return the cells of a row; ``spanning`` has, by column, the rows that a cell above goes on for, and its text."""
    cells: list[str] = []
    own = False

    def fill() -> None:
        while (column := len(cells)) in spanning:
            rows, text = spanning.pop(column)
            if rows > 1:
                spanning[column] = rows - 1, text
            cells.append(text)

    for cell in row.iter():
        if cell.tag not in ("td", "th"):
            continue
        own = True
        fill()
        text = _cell(cell, take)
        rows = _span(cell.attributes.get("rowspan"), _MAX_ROWS)
        for index in range(_span(cell.attributes.get("colspan"), _MAX_COLUMNS) or 1):
            # The columns that it spans but the first are empty: they keep the numbers of those after it.
            shown = "" if index else text
            if rows != 1:
                spanning[len(cells)] = (rows or _MAX_ROWS) - 1, shown if len(shown) <= _MAX_SPANNING else ""
            cells.append(shown)
    while any(column >= len(cells) for column in spanning):
        fill()
        if any(column >= len(cells) for column in spanning):
            cells.append("")
    return cells if own else []


def _span(value: str | None, most: int) -> int:
    """Return the number that an attribute states; 1 if it states none. A ``rowspan`` of 0 is the rest of the group."""
    text = (value or "").strip()
    return min(int(text), most) if text.isdecimal() and text.isascii() else 1


def _cell(cell: LexborNode, take: str) -> str:
    link = cell.css_first("a[href]") if take == "href" else None
    if link is not None:
        return mark_around(link) + (link.attributes.get("href") or "").strip()
    return "\n".join(visible_lines(cell))
