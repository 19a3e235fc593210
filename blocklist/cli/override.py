"""``blocklist override``: decisions of admins, which take precedence over every listing."""

from __future__ import annotations

import click

from blocklist.cli.context import Context, id_argument, pass_context, reads
from blocklist.cli.output import print_list
from blocklist.domain.clock import now, parse_time
from blocklist.domain.errors import UsageError
from blocklist.domain.verdict import Override, OverrideAction
from blocklist.service.serialization import ruled_body


@click.group()
def override() -> None:
    """Allow or block a target whatever the feeds list."""


def _add_command(action: OverrideAction, help_: str) -> None:
    @override.command(action.value, help=help_)
    @click.argument("target")
    @click.option("--reason", required=True, help="Why; kept as evidence.")
    @click.option("--until", help="When it ends, such as 2026-12-31; without, it lasts until removed.")
    @pass_context
    def _(context: Context, target: str, reason: str, until: str | None) -> None:
        try:
            moment = parse_time(until) if until else None
        except ValueError as error:
            raise UsageError(f"--until: {error}") from None
        done = context.service.overrides.add(action, target, reason, context.actor, moment)
        ends = f" until {done.until}" if done.until else ""
        click.echo(f"override {done.id}: {action.value} {done.rule.value} ({done.rule.scope}){ends}")
        if done.confirmed_at is None:
            click.echo(f"it counts once somebody else runs 'blocklist override confirm {done.id}'")
            click.get_current_context().exit(3)


_add_command(OverrideAction.ALLOW, "Allow a host (with all below it), a URL, an address or app:ID.")
_add_command(OverrideAction.BLOCK, "Block a host (with all below it), a URL, an address or app:ID.")


@override.command("list")
@reads
def list_(context: Context, as_json: bool) -> None:
    """List the overrides that were not removed."""
    print_list(
        context.service.overrides.all(),
        ruled_body,
        ["ID", "ACTION", "TARGET", "SCOPE", "STATE", "UNTIL", "AUTHOR", "SINCE", "REASON"],
        lambda o: (
            *(o.id, o.action, o.rule.value, o.rule.scope, _state(o)),
            *(o.until, o.author, o.created_at, o.reason),
        ),
        empty="No overrides.",
        as_json=as_json,
    )


@override.command("confirm")
@id_argument
@pass_context
def confirm(context: Context, id_: int) -> None:
    """Let an override count that waits for a second person."""
    done = context.service.overrides.confirm(id_, context.actor)
    click.echo(f"override {id_} confirmed: {done.action.value} {done.rule.value} holds from now on")


@override.command("remove")
@id_argument
@pass_context
def remove(context: Context, id_: int) -> None:
    """End an override."""
    done = context.service.overrides.remove(id_, context.actor)
    click.echo(f"override {id_} removed: {done.action.value} {done.rule.value} no longer holds")


def _state(item: Override) -> str:
    if item.until and item.until <= now():
        return "expired"
    return "in force" if item.confirmed_at else "waits"
