"""Output of commands: JSON for programs, aligned columns for people."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from blocklist.text.sanitize import sanitize

Item = TypeVar("Item")
#: The option of every command that reads.
json_option: Callable[..., Any] = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def print_json(data: Any) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(data, ensure_ascii=False, indent=2, default=str))


def print_list(
    items: Iterable[Item],
    body: Callable[[Item], Any],
    headings: list[str],
    row: Callable[[Item], Iterable[Any]],
    *,
    empty: str,
    as_json: bool,
) -> None:
    """Print what a list command found: as JSON, ``body`` of each item, or as a table, ``row`` of each item."""
    if as_json:
        print_json([body(item) for item in items])
    else:
        print_table(headings, map(row, items), empty)


def print_table(headings: list[str], rows: Iterable[Iterable[Any]], empty: str) -> None:
    """Print rows under headings, folded to the width of the terminal; or ``empty`` where there are none."""
    table = Table(*headings, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        # Text, not markup: text of a feed must not color, link or move the cursor in an admin's terminal.
        table.add_row(*(Text(_inert(cell)) for cell in row))
    if not table.row_count:
        click.echo(empty)
        return
    console = Console(soft_wrap=False, highlight=False)
    if not console.is_terminal:
        console = Console(width=240, highlight=False)
    console.print(table)


def print_fields(fields: Iterable[tuple[str, Any]]) -> None:
    """Print names and values, one pair on each line."""
    fields = list(fields)
    width = max(len(name) for name, _ in fields)
    for name, value in fields:
        shown = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
        click.echo(f"{name:<{width}}  {_inert(shown)}")


def _inert(value: Any) -> str:
    return "-" if value is None or value == "" else sanitize(str(value))
