"""``blocklist flag``: entries that are listed and worth a look, and the decisions on them."""

from __future__ import annotations

import click

from blocklist.cli.context import Context, pass_context, reads
from blocklist.cli.output import print_list
from blocklist.domain.run import FlagState
from blocklist.service.serialization import ruled_body

_ids = click.argument("ids", metavar="ID…", nargs=-1, required=True, type=click.IntRange(1, 2**63 - 1))


@click.group()
def flag() -> None:
    """Look at entries that are listed although their sites are used much, and allow those that are not pirates."""


@flag.command("list")
@click.option("--feed", help="Only the entries of this feed.")
@click.option("--all", "every", is_flag=True, help="Those that were looked at or are listed no more, too.")
@reads
def list_(context: Context, feed: str | None, every: bool, as_json: bool) -> None:
    """List the flagged entries."""
    print_list(
        context.service.flags.all(feed, None if every else FlagState.OPEN),
        ruled_body,
        ["ID", "FEED", "ENTRY", "STATE", "SINCE", "RUN", "POSITION", "WHY", "REASON"],
        lambda f: (f.id, f.feed, f.rule.value, f.state, f.flagged_at, f.run, f.position, f.why, f.reason),
        empty="No listed entries are worth a look.",
        as_json=as_json,
    )


@flag.command("dismiss")
@_ids
@click.option("--reason", required=True, help="Why they are listed rightly; kept as evidence.")
@pass_context
def dismiss(context: Context, ids: tuple[int, ...], reason: str) -> None:
    """Close flags: the entries are listed rightly, and stay listed."""
    for id_ in ids:
        found = context.service.flags.dismiss(id_, context.actor, reason)
        click.echo(f"flag {id_} dismissed: {found.feed} lists {found.rule.value}")


@flag.command("allow")
@_ids
@click.option("--reason", required=True, help="Why they must not be blocked; kept as evidence.")
@pass_context
def allow(context: Context, ids: tuple[int, ...], reason: str) -> None:
    """Allow the sites with overrides, and close their flags."""
    for id_ in ids:
        made = context.service.flags.allow(id_, context.actor, reason)
        waits = (
            "" if made.confirmed_at else f"; it counts once somebody else runs 'blocklist override confirm {made.id}'"
        )
        click.echo(f"flag {id_} closed: override {made.id} allows {made.rule.value}{waits}")
