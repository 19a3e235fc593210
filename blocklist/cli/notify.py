"""``blocklist notify``: the messages that notify people of what is wrong."""

from __future__ import annotations

import sys

import click

from blocklist.cli.context import Context, reads
from blocklist.cli.output import print_json, print_list


@click.group()
def notify() -> None:
    """See which messages were sent, and whether they arrive."""


@notify.command("list")
@click.option("--state", type=click.Choice(["waiting", "delivered", "given up"]), help="Only those in this state.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="How many at most.")
@reads
def list_(context: Context, state: str | None, limit: int, as_json: bool) -> None:
    """List the newest messages, newest first, and what became of each."""
    columns = ("id", "channel", "created_at", "state", "attempts", "summary", "trouble")
    print_list(
        context.service.notifier.messages(state, limit),
        dict,
        ["ID", "CHANNEL", "MADE", "STATE", "TRIES", "SUMMARY", "TROUBLE"],
        lambda row: [row[column] for column in columns],
        empty="No messages.",
        as_json=as_json,
    )


@notify.command("test")
@click.argument("channels", nargs=-1, metavar="[CHANNEL…]")
@reads
def test(context: Context, channels: tuple[str, ...], as_json: bool) -> None:
    """Send a test to each CHANNEL, such as webhook:pager or email:team; to all where none is named."""
    sent = context.service.notifier.test(channels)
    if as_json:
        print_json(sent)
    for row in sent if not as_json else ():
        trouble = f": {row['trouble']}" if row["trouble"] else ""
        click.echo(f"{row['channel']}  {row['state']}{trouble}")
    sys.exit(0 if all(row["state"] == "delivered" for row in sent) else 1)
