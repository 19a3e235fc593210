"""``blocklist snapshot``: the current snapshot."""

from __future__ import annotations

import click

from blocklist.cli.context import Context, pass_context, reads
from blocklist.cli.output import print_fields, print_json


@click.group()
def snapshot() -> None:
    """Show the compiled list, build it and verify it."""


@snapshot.command("info")
@reads
def info(context: Context, as_json: bool) -> None:
    """Show version, age, size and contents of the current snapshot."""
    fields = context.service.snapshots.info()
    if as_json:
        print_json(fields)
    else:
        print_fields(fields.items())


@snapshot.command("path")
@reads
def path(context: Context, as_json: bool) -> None:
    """Print the path of the current snapshot, for a program that opens it."""
    found = str((context.service.snapshots.folder / context.service.snapshots.pointer().file).resolve())
    if as_json:
        print_json({"path": found})
    else:
        click.echo(found)


@snapshot.command("build")
@pass_context
def build(context: Context) -> None:
    """Compile everything that counts again, and publish it."""
    pointer = context.service.snapshots.build(context.actor)
    click.echo(f"built version {pointer.version}: {pointer.file}")


@snapshot.command("verify")
@reads
def verify(context: Context, as_json: bool) -> None:
    """Read the whole current snapshot and compare it with its checksum."""
    pointer = context.service.snapshots.pointer()
    current = context.service.snapshots.verify()
    if as_json:
        fields = {"version": pointer.version, "file": pointer.file, "sha256": pointer.sha256, "whole": True}
        print_json(fields | {"base_version": current.base_version, "changed_keys": current.changed_keys})
    else:
        click.echo(f"{pointer.file}: whole (version {pointer.version}, SHA-256 {pointer.sha256})")
        if current.changed_keys:
            click.echo(f"{current.changed_keys:,} of its keys changed since version {current.base_version}")
