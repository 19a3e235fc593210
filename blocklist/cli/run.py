"""``blocklist run``: what happened, what is held, and the review of it."""

from __future__ import annotations

import click

from blocklist.cli.context import Context, id_argument, pass_context
from blocklist.cli.output import json_option, print_fields, print_json, print_table
from blocklist.wire import run_body

_REJECTIONS_SHOWN = 20


@click.group()
def run() -> None:
    """Look at runs, and review those that were held."""


@run.command("list")
@click.option("--feed", help="Only the runs of this feed.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="How many, newest first.")
@json_option
@pass_context
def list_(context: Context, feed: str | None, limit: int, as_json: bool) -> None:
    """List the newest runs."""
    if feed:
        context.service.store.feeds.get(feed)
    runs = context.service.store.runs.all(feed, limit)
    if as_json:
        print_json([run_body(item) for item in runs])
        return
    rows = (
        (r.id, r.feed, r.started_at, r.outcome or f"at {r.stage}", (r.review or {}).get("state"), r.reason)
        for r in runs
    )
    print_table(["ID", "FEED", "STARTED", "OUTCOME", "REVIEW", "REASON"], rows, "No runs yet.")


@run.command("show")
@id_argument
@json_option
@pass_context
def show(context: Context, id_: int, as_json: bool) -> None:
    """Show a run: its figures, its outcome and why, and what it rejected."""
    found = context.service.store.runs.get(id_)
    rejections = context.service.store.runs.rejections(id_)
    if as_json:
        print_json(run_body(found) | {"rejections": [item._asdict() for item in rejections]})
        return
    body = run_body(found)
    counts = body.pop("counts")
    print_fields([*body.items(), *counts.items()])
    for item in rejections[:_REJECTIONS_SHOWN]:
        click.echo(f"rejected at {item.position} ({item.code}): {item.reason}")
    if len(rejections) > _REJECTIONS_SHOWN:
        click.echo(f"… {len(rejections) - _REJECTIONS_SHOWN:,} more with --json")


@run.command("approve")
@id_argument
@click.option("--reason", required=True, help="Why it is right; kept as evidence.")
@pass_context
def approve(context: Context, id_: int, reason: str) -> None:
    """Apply exactly the body of a held run."""
    done = context.service.approve(id_, context.actor, reason)
    click.echo(f"run {id_} approved: {done.feed}: {done.reason}")


@run.command("reject")
@id_argument
@click.option("--reason", required=True, help="Why it is wrong; kept as evidence.")
@pass_context
def reject(context: Context, id_: int, reason: str) -> None:
    """Drop the body of a held run; the same body will fail with this reason."""
    done = context.service.reject(id_, context.actor, reason)
    click.echo(f"run {id_} rejected: {done.feed} goes on serving the previous list")
