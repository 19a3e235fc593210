"""How commands print: JSON for programs, aligned columns for people."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from blocklist.text.sanitize import sanitize

#: Every command that reads takes it.
json_option: Callable[..., Any] = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def print_json(data: Any) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(data, ensure_ascii=False, indent=2, default=str))


def print_table(headings: list[str], rows: Iterable[Iterable[Any]], empty: str) -> None:
    """Print rows under headings, folded to the terminal; or a sentence when there are none."""
    table = Table(*headings, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        # Text, not markup: what a feed publishes must not style, link or move the cursor of an admin's terminal.
        table.add_row(*(Text(_inert(cell)) for cell in row))
    if not table.row_count:
        click.echo(empty)
        return
    console = Console(soft_wrap=False, highlight=False)
    if not console.is_terminal:
        console = Console(width=240, highlight=False)
    console.print(table)


def print_fields(fields: Iterable[tuple[str, Any]]) -> None:
    """Print names and values, one a line."""
    fields = list(fields)
    width = max(len(name) for name, _ in fields)
    for name, value in fields:
        shown = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
        click.echo(f"{name:<{width}}  {_inert(shown)}")


def _inert(value: Any) -> str:
    return "-" if value is None or value == "" else sanitize(str(value))
