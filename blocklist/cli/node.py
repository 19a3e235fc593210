"""``blocklist node``: a lookup node on any machine, which follows signed snapshots."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from blocklist.cli.context import Context, reads
from blocklist.cli.output import print_fields, print_json
from blocklist.config.settings import ServeSettings
from blocklist.domain.clock import now, seconds_between
from blocklist.domain.errors import NotFoundError
from blocklist.service.distribution import need_library
from blocklist.text.validation import validate

_CACHE_HELP = "Folder in which the list is kept (node in the data folder)."
#: A mirror that could not ask for so many seconds, or so many of its intervals, is in trouble.
_SILENT, _SILENT_POLLS = 60.0, 5


@click.group(invoke_without_command=True)
@click.option("--from", "url", metavar="URL", help="Where the signed snapshots are: s3://…, gs://…, az://…, https://….")
@click.option("--root", type=click.Path(path_type=Path), metavar="FILE", help="Root metadata that this machine trusts.")
@click.option("--lookup", metavar="HOST:PORT", help="Address of the lookup node (127.0.0.1:8081).")
@click.option("--workers", type=int, metavar="N", help="Processes that answer lookups (one a processor).")
@click.option("--cache", type=click.Path(path_type=Path), metavar="DIR", help=_CACHE_HELP)
@click.pass_context
def node(
    ctx: click.Context, url: str | None, root: Path | None, lookup: str | None, workers: int | None, cache: Path | None
) -> None:
    """Answer lookups on this machine, from signed snapshots of a control plane elsewhere, until stopped."""
    if ctx.invoked_subcommand is not None:
        return
    if url is None or root is None:
        raise click.UsageError("--from and --root are needed: where the snapshots are, and whom to trust", ctx)
    from blocklist.daemon.mirrored_node import run_node  # noqa: PLC0415 - only this command needs it

    need_library()
    context: Context = ctx.obj
    context.logs_runs = True
    given = {"lookup": lookup, "workers": workers}
    chosen = context.settings.serve.model_dump() | {key: value for key, value in given.items() if value is not None}
    settings = context.settings.model_copy(update={"serve": validate(ServeSettings, chosen, "serve")})
    folder = _cache(context, cache)
    run_node(settings, url, root, folder, lambda: click.echo(f"lookups http://{settings.serve.lookup}"))


@node.command("status")
@click.option("--cache", type=click.Path(path_type=Path), metavar="DIR", help=_CACHE_HELP)
@reads
def status(context: Context, cache: Path | None, as_json: bool) -> None:
    """Show what the mirror of a node has, since when, and what is wrong; exit status 1 if something is."""
    need_library()
    from blocklist.distribution.mirror_status import is_running, read_status  # noqa: PLC0415 - needs an extra

    folder = _cache(context, cache)
    found = read_status(folder)
    if found is None:
        raise NotFoundError(f"{folder}: no node has used this cache: name it with --cache")
    running = is_running(folder)
    age = seconds_between(found.confirmed_at, now()) if found.confirmed_at else None
    stale = age is None or age > context.settings.snapshot.max_age
    patience = max(_SILENT, _SILENT_POLLS * context.settings.distribution.poll)
    silent = not found.checked_at or seconds_between(found.checked_at, now()) > patience
    fields = {"running": running, "stale": stale, **asdict(found)}
    if as_json:
        print_json(fields)
    else:
        print_fields(
            (name, "yes" if value is True else "no" if value is False else value) for name, value in fields.items()
        )
    sys.exit(1 if not running or stale or silent or found.error or found.warning else 0)


def _cache(context: Context, cache: Path | None) -> Path:
    return cache if cache is not None else context.settings.data_dir / "node"
