"""``blocklist notify``: the messages that tell people what is wrong."""

from __future__ import annotations

import sys

import click

from blocklist.cli.context import Context, pass_context
from blocklist.cli.output import json_option, print_json, print_table
from blocklist.notify.notifier import Notifier


@click.group()
def notify() -> None:
    """See which messages were sent, and whether they arrive."""


@notify.command("list")
@click.option("--state", type=click.Choice(["waiting", "delivered", "given up"]), help="Only those in this state.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="How many at most.")
@json_option
@pass_context
def list_(context: Context, state: str | None, limit: int, as_json: bool) -> None:
    """List the newest messages, newest first, and what became of each."""
    found = context.service.store.alerts.messages(state, limit)
    if as_json:
        print_json(found)
        return
    rows = (
        (row["id"], row["channel"], row["created_at"], row["state"], row["attempts"], row["summary"], row["trouble"])
        for row in found
    )
    print_table(["ID", "CHANNEL", "MADE", "STATE", "TRIES", "SUMMARY", "TROUBLE"], rows, "No messages.")


@notify.command("test")
@click.argument("channels", nargs=-1, metavar="[CHANNEL…]")
@json_option
@pass_context
def test(context: Context, channels: tuple[str, ...], as_json: bool) -> None:
    """Send a test to each CHANNEL, such as webhook:pager or email:team; to all where none is named."""
    sent = Notifier(context.service).test(channels)
    if as_json:
        print_json(sent)
    for row in sent if not as_json else ():
        trouble = f": {row['trouble']}" if row["trouble"] else ""
        click.echo(f"{row['channel']}  {row['state']}{trouble}")
    sys.exit(0 if all(row["state"] == "delivered" for row in sent) else 1)
