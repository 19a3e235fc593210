"""``blocklist settings``: the settings in force."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from blocklist.cli.context import Context, reads
from blocklist.cli.output import print_fields, print_json


@click.command()
@reads
def settings(context: Context, as_json: bool) -> None:
    """Show the settings in force, defaults included; secrets are hidden."""
    shown = context.settings.shown()
    if as_json:
        print_json(shown)
    else:
        print_fields(_named(shown))


def _named(section: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in section.items():
        if isinstance(value, dict):
            yield from _named(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", json.dumps(value, ensure_ascii=False)
