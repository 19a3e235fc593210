"""``blocklist run``: runs and their reviews."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import click

from blocklist.cli.context import Context, id_argument, pass_context, reads
from blocklist.cli.output import print_fields, print_json, print_list, print_table
from blocklist.domain.errors import UsageError
from blocklist.service import RunDetail
from blocklist.service.serialization import run_body, run_detail_body

_REJECTIONS_SHOWN = 20


@click.group()
def run() -> None:
    """Show runs, and review those that were held."""


@run.command("list")
@click.option("--feed", help="Only the runs of this feed.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="How many, newest first.")
@reads
def list_(context: Context, feed: str | None, limit: int, as_json: bool) -> None:
    """List the newest runs."""
    if feed:
        context.service.feeds.get(feed)
    print_list(
        context.service.runs.page(feed=feed, limit=limit),
        run_body,
        ["ID", "FEED", "STARTED", "OUTCOME", "REVIEW", "REASON"],
        lambda r: (r.id, r.feed, r.started_at, r.outcome or f"at {r.stage}", (r.review or {}).get("state"), r.reason),
        empty="No runs yet.",
        as_json=as_json,
    )


@run.command("show")
@id_argument
@click.option("--change", type=click.Choice(["added", "removed", "held"]), help="Only these changes of a held run.")
@click.option("--search", default="", help="Only changes with this text in them.")
@click.option("--standing-out", is_flag=True, help="Only changes that stand out: popular, shared, a new suffix.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(0, 10_000), help="How many changes.")
@click.option("--offset", default=0, show_default=True, type=click.IntRange(0), help="Changes passed over.")
@reads
def show(context: Context, /, id_: int, as_json: bool, **narrowed: Any) -> None:
    """Show a run: its figures, its outcome and why, what it would change, and what it rejected."""
    detail = context.service.runs.detail(id_, **narrowed)
    if as_json:
        print_json(run_detail_body(detail))
        return
    body = run_body(detail.run)
    counts = body.pop("counts")
    print_fields([*body.items(), *counts.items()])
    for finding in detail.findings:
        click.echo(f"guard {finding.guard} {finding.effect}: {finding.sentence}")
    _print_changes(detail, narrowed["offset"])
    for item in detail.rejections[:_REJECTIONS_SHOWN]:
        click.echo(f"rejected at {item.position} ({item.code}): {item.reason}")
    if len(detail.rejections) > _REJECTIONS_SHOWN:
        click.echo(f"… {len(detail.rejections) - _REJECTIONS_SHOWN:,} more with --json")
    for newer in detail.newer:
        click.echo(f"a newer body came with run {newer.id}: {newer.outcome or newer.stage}: {newer.reason}")
    if detail.outdated:
        click.echo("the list has changed since: the figures and changes are against the list of that time")


@run.command("body")
@id_argument
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write it into this file.")
@pass_context
def body_(context: Context, id_: int, output: Path | None) -> None:
    """Give back the body that a run read, byte for byte."""
    with context.service.runs.body(id_) as kept:
        if output is None:
            shutil.copyfileobj(kept, sys.stdout.buffer)
            return
        try:
            with output.open("xb") as file:
                shutil.copyfileobj(kept, file)
        except OSError as error:
            raise UsageError(f"{output}: cannot be written: {error.strerror}") from None
    click.echo(f"{output}: the body of run {id_}, {output.stat().st_size:,} bytes")


@run.command("prune")
@pass_context
def prune(context: Context) -> None:
    """Remove the bodies that nothing needs and that are older than the setting evidence.keep_for."""
    if not context.service.settings.evidence.keep_for:
        click.echo("every body is kept for good: set evidence.keep_for to say otherwise")
        return
    click.echo(f"{context.service.runs.prune_bodies():,} bodies removed")


@run.command("approve")
@id_argument
@click.option("--reason", required=True, help="Why it is right; kept as evidence.")
@pass_context
def approve(context: Context, id_: int, reason: str) -> None:
    """Apply exactly the body of a held run."""
    done = context.service.runs.approve(id_, context.actor, reason)
    click.echo(f"run {id_} approved: {done.feed}: {done.reason}")
    for newer in context.service.runs.newer_bodies(done):
        click.echo(f"  a newer body came with run {newer.id} ({newer.outcome}) and was not used")


@run.command("reject")
@id_argument
@click.option("--reason", required=True, help="Why it is wrong; kept as evidence.")
@pass_context
def reject(context: Context, id_: int, reason: str) -> None:
    """Drop the body of a held run; the same body will fail with this reason."""
    done = context.service.runs.reject(id_, context.actor, reason)
    click.echo(f"run {id_} rejected: {done.feed} goes on serving the previous list")


def _print_changes(detail: RunDetail, offset: int) -> None:
    if not detail.changes:
        return
    rows = ((c.change, c.rule.value, c.rule.scope, c.position, c.stands_out) for c in detail.changes)
    print_table(["CHANGE", "RULE", "SCOPE", "POSITION", "STANDS OUT"], rows, "")
    last = offset + len(detail.changes)
    if last < detail.changes_found:
        click.echo(f"changes {offset + 1:,} to {last:,} of {detail.changes_found:,}: --offset {last} shows the next")
