"""``blocklist audit``: the log of every change."""

from __future__ import annotations

import json

import click

from blocklist.cli.context import Context, pass_context, reads
from blocklist.cli.output import print_json, print_list
from blocklist.domain.errors import StoreError
from blocklist.service.audit import AuditFormat


@click.group()
def audit() -> None:
    """Show the log of every change, and verify that nobody edited it."""


@audit.command("list")
@click.option(
    "--limit", default=100, show_default=True, type=click.IntRange(1, 100_000), help="How many, newest first."
)
@reads
def list_(context: Context, limit: int, as_json: bool) -> None:
    """List the newest events."""
    print_list(
        context.service.audit.events(limit),
        dict,
        ["ID", "AT", "ACTOR", "ACTION", "TARGET", "DETAIL"],
        lambda e: (
            *(e[key] for key in ("id", "at", "actor", "action", "target")),
            json.dumps(e["detail"], ensure_ascii=False),
        ),
        empty="No events yet.",
        as_json=as_json,
    )


@audit.command("export")
@click.option("--format", "format_", default="jsonl", show_default=True, type=click.Choice(["jsonl", "csv"]))
@pass_context
def export(context: Context, format_: AuditFormat) -> None:
    """Print every event, oldest first, a line each, with its hash."""
    for line in context.service.audit.export(format_):
        click.echo(line, nl=False)


@audit.command("verify")
@click.option(
    "--expect", default="", metavar="ID:HASH", help="An event as it was noted elsewhere, which must be there."
)
@reads
def verify(context: Context, expect: str, as_json: bool) -> None:
    """Follow the chain of hashes from the first event to the last."""
    broken = context.service.audit.broken(expect)
    id_, hash_ = context.service.audit.last()
    if as_json:
        print_json({"whole": not broken, "broken": broken, "last": {"id": id_, "hash": hash_}})
    if broken:
        raise StoreError(f"audit log: changed behind the service's back at event {', '.join(map(str, broken[:10]))}")
    if not as_json:
        click.echo(f"the audit log is whole; its last event is {id_}:{hash_}")
