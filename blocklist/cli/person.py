"""``blocklist person``: the people who use the pages, and their roles."""

from __future__ import annotations

import sys
from typing import Any

import click

from blocklist.cli.context import Context, pass_context, reads
from blocklist.cli.output import print_json, print_list
from blocklist.cli.token import role_type
from blocklist.domain.access import Person, Role
from blocklist.service.serialization import person_body

_name = click.argument("name")


@click.group()
def person() -> None:
    """Add people who use the pages, change what they may do, and shut them out."""


@person.command("add")
@_name
@click.option("--role", required=True, type=role_type, help="What they may do.")
@reads
def add(context: Context, name: str, role: str, as_json: bool) -> None:
    """Add a person, and print the link by which they set their password."""
    made, key = context.service.people.add(name, Role(role), context.actor)
    _print_link(context, made, key, as_json)


@person.command("list")
@reads
def list_(context: Context, as_json: bool) -> None:
    """List everybody."""
    print_list(
        context.service.people.all(),
        person_body,
        ["NAME", "ROLE", "SIGNS IN", "LAST", "ADDED BY", "SINCE"],
        lambda p: (p.name, p.role, _signs_in_with(p), p.signed_in_at, p.created_by, p.created_at),
        empty="Nobody.",
        as_json=as_json,
    )


@person.command("set-role")
@_name
@click.argument("role", type=role_type)
@pass_context
def set_role(context: Context, name: str, role: str) -> None:
    """Give a person another role; they sign in again."""
    done = context.service.people.set_role(name, Role(role), context.actor)
    click.echo(f"{done.name} is {done.role} now, and signs in again")


@person.command("set-password")
@_name
@pass_context
def set_password(context: Context, name: str) -> None:
    """Give a person a password, typed or read from standard input; their sessions end."""
    context.service.people.get(name)
    if sys.stdin.isatty():
        password = click.prompt(f"New password of {name}", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    context.service.people.set_password(name, password, context.actor)
    click.echo(f"{name} has a new password, and signs in again")


@person.command("link")
@_name
@reads
def link(context: Context, name: str, as_json: bool) -> None:
    """Print a link by which a person sets a new password; it works once, for three days."""
    found, key = context.service.people.new_link(name, context.actor)
    _print_link(context, found, key, as_json)


@person.command("disable")
@_name
@pass_context
def disable(context: Context, name: str) -> None:
    """Shut a person out at once."""
    context.service.people.set_disabled(name, True, context.actor)
    click.echo(f"{name} is shut out; tokens that {name} made go on: see 'blocklist token list'")


@person.command("enable")
@_name
@pass_context
def enable(context: Context, name: str) -> None:
    """Let a person in again who was shut out."""
    context.service.people.set_disabled(name, False, context.actor)
    click.echo(f"{name} may sign in again")


@person.command("sign-out")
@_name
@pass_context
def sign_out(context: Context, name: str) -> None:
    """End every session of a person."""
    ended = context.service.people.sign_out_everywhere(name, context.actor)
    click.echo(f"{name} is signed out: {ended} sessions ended")


def _print_link(context: Context, found: Person, key: str, as_json: bool) -> None:
    address = context.settings.link_address(key)
    if as_json:
        body: dict[str, Any] = person_body(found) | {"link": address}
        print_json(body)
        return
    click.echo(address)
    click.echo(f"the link sets the password of {found.name} ({found.role}), once, within three days", err=True)


def _signs_in_with(found: Person) -> str:
    if found.disabled_at:
        return "shut out"
    if found.provider:
        return "OpenID provider"
    return "password" if found.has_password else "not yet"
