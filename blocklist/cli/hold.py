"""``blocklist hold``: entries that are held alone, and the decisions on them."""

from __future__ import annotations

from collections.abc import Callable

import click

from blocklist.cli.context import Context, pass_context, reads
from blocklist.cli.output import print_list
from blocklist.domain.run import HeldEntry, HoldState
from blocklist.service.holds import HoldService
from blocklist.service.serialization import ruled_body


@click.group()
def hold() -> None:
    """Decide on entries that are held alone, such as a popular host, while the rest of their list serves."""


@hold.command("list")
@click.option("--feed", help="Only the entries of this feed.")
@click.option("--all", "every", is_flag=True, help="Those that were decided on or withdrawn, too.")
@reads
def list_(context: Context, feed: str | None, every: bool, as_json: bool) -> None:
    """List the entries that wait."""
    print_list(
        context.service.holds.all(feed, None if every else HoldState.WAITING),
        ruled_body,
        ["ID", "FEED", "ENTRY", "STATE", "SINCE", "RUN", "POSITION", "WHY", "REASON"],
        lambda h: (h.id, h.feed, h.rule.value, h.state, h.held_at, h.run, h.position, h.why, h.reason),
        empty="No entries wait for a decision.",
        as_json=as_json,
    )


def _add_decision(
    name: str, decide: Callable[[HoldService, int, str, str], HeldEntry], help_: str, why: str, done: str
) -> None:
    @hold.command(name, help=help_)
    @click.argument("ids", metavar="ID…", nargs=-1, required=True, type=click.IntRange(1, 2**63 - 1))
    @click.option("--reason", required=True, help=f"Why {why}; kept as evidence.")
    @pass_context
    def _(context: Context, ids: tuple[int, ...], reason: str) -> None:
        for id_ in ids:
            found = decide(context.service.holds, id_, context.actor, reason)
            click.echo(f"hold {id_} {done.format(feed=found.feed, entry=found.rule.value)}")


_add_decision(
    *("approve", HoldService.approve, "List the entries now, and whenever their feed names them."),
    *("it is right to list them", "approved: {feed} lists {entry}"),
)
_add_decision(
    *("refuse", HoldService.refuse, "Keep the entries off the list, whenever their feed names them."),
    *("they must not be listed", "refused: {feed} does not list {entry}"),
)
_add_decision(
    *("revoke", HoldService.revoke, "Take decisions back: the entries wait again, and are not listed meanwhile."),
    *("the decision no longer holds", "revoked: {entry} of {feed} waits again"),
)
