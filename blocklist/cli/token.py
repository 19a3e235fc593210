"""``blocklist token``: access to the control plane for programs."""

from __future__ import annotations

import click

from blocklist.cli.context import Context, id_argument, pass_context, reads
from blocklist.cli.output import print_json, print_list
from blocklist.domain.access import Role
from blocklist.domain.clock import later, now, parse_duration, parse_time
from blocklist.domain.errors import UsageError
from blocklist.service.serialization import token_body

role_type = click.Choice([role.value for role in Role])


@click.group()
def token() -> None:
    """Create, list and revoke tokens for programs that use the control plane."""


@token.command("create")
@click.option("--role", required=True, type=role_type, help="What it may do.")
@click.option("--name", default="", help="What it is for, such as the program's name.")
@click.option("--expires", help="When it ends: a time such as 2027-01-31, or from now on, such as 90d; never without.")
@reads
def create(context: Context, role: str, name: str, expires: str | None, as_json: bool) -> None:
    """Create a token and print it, only this time."""
    made, secret = context.service.tokens.create(Role(role), context.actor, name, _moment(expires))
    if as_json:
        print_json(token_body(made) | {"token": secret})
        return
    click.echo(secret)
    ends = f"until {made.expires_at}" if made.expires_at else "until it is revoked"
    click.echo(f"token {made.id} ({made.name}, {made.role}), {ends}; it is not shown again", err=True)


@token.command("list")
@reads
def list_(context: Context, as_json: bool) -> None:
    """List the tokens, revoked ones too."""
    print_list(
        context.service.tokens.all(),
        token_body,
        ["ID", "NAME", "TOKEN", "ROLE", "STATE", "EXPIRES", "LAST USED", "MADE BY", "SINCE"],
        lambda t: (
            *(t.id, t.name, f"{t.prefix}…", t.role, t.state(now())),
            *(t.expires_at, t.last_used, t.created_by, t.created_at),
        ),
        empty="No tokens.",
        as_json=as_json,
    )


@token.command("revoke")
@id_argument
@pass_context
def revoke(context: Context, id_: int) -> None:
    """Revoke a token at once."""
    done = context.service.tokens.revoke(id_, context.actor)
    click.echo(f"token {id_} ({done.name}) revoked")


def _moment(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return later(now(), parse_duration(text))
    except (ValueError, OverflowError):
        pass
    try:
        return parse_time(text)
    except ValueError:
        raise UsageError(
            f"--expires: {text!r} is neither a time such as 2027-01-31 nor a duration such as 90d"
        ) from None
