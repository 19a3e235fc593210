"""``blocklist hold``: entries that are held alone, and the decisions on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from blocklist.cli.context import Context, pass_context
from blocklist.cli.output import json_option, print_list
from blocklist.domain.run import HoldState
from blocklist.service.serialization import hold_body

_ids: Callable[..., Any] = click.argument(
    "ids", metavar="ID…", nargs=-1, required=True, type=click.IntRange(1, 2**63 - 1)
)


def _reason(why: str) -> Callable[..., Any]:
    return click.option("--reason", required=True, help=f"Why {why}; kept as evidence.")


@click.group()
def hold() -> None:
    """Decide on entries that are held alone, such as a popular host, while the rest of their list serves."""


@hold.command("list")
@click.option("--feed", help="Only the entries of this feed.")
@click.option("--all", "every", is_flag=True, help="Those that were decided on or withdrawn, too.")
@json_option
@pass_context
def list_(context: Context, feed: str | None, every: bool, as_json: bool) -> None:
    """List the entries that wait."""
    print_list(
        context.service.holds.all(feed, None if every else HoldState.WAITING),
        hold_body,
        ["ID", "FEED", "ENTRY", "STATE", "SINCE", "RUN", "POSITION", "WHY", "REASON"],
        lambda h: (h.id, h.feed, h.rule.value, h.state, h.held_at, h.run, h.position, h.why, h.reason),
        empty="No entries wait for a decision.",
        as_json=as_json,
    )


@hold.command("approve")
@_ids
@_reason("it is right to list them")
@pass_context
def approve(context: Context, ids: tuple[int, ...], reason: str) -> None:
    """List the entries now, and whenever their feed names them."""
    for id_ in ids:
        done = context.service.holds.approve(id_, context.actor, reason)
        click.echo(f"hold {id_} approved: {done.feed} lists {done.rule.value}")


@hold.command("refuse")
@_ids
@_reason("they must not be listed")
@pass_context
def refuse(context: Context, ids: tuple[int, ...], reason: str) -> None:
    """Keep the entries off the list, whenever their feed names them."""
    for id_ in ids:
        done = context.service.holds.refuse(id_, context.actor, reason)
        click.echo(f"hold {id_} refused: {done.feed} does not list {done.rule.value}")


@hold.command("revoke")
@_ids
@_reason("the decision no longer holds")
@pass_context
def revoke(context: Context, ids: tuple[int, ...], reason: str) -> None:
    """Take decisions back: the entries wait again, and are not listed meanwhile."""
    for id_ in ids:
        done = context.service.holds.revoke(id_, context.actor, reason)
        click.echo(f"hold {id_} revoked: {done.rule.value} of {done.feed} waits again")
