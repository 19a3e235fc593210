"""``blocklist export`` and ``blocklist changes``: the list for other systems, and its changes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from blocklist.cli.context import Context, pass_context, reads
from blocklist.cli.output import print_json, print_table
from blocklist.domain.errors import StoreError
from blocklist.exports import EXPORTS, Export
from blocklist.service.serialization import listing_change_body


@click.command()
@click.argument("format_", metavar="FORMAT", type=click.Choice(list(EXPORTS)))
@click.option("--policy", help="Which listings count (default); with --feed and without a policy, all of the feed.")
@click.option("--feed", metavar="NAME", help="Only what this feed lists.")
@click.option(
    "--part", default=1, show_default=True, type=click.IntRange(1), help="Which part, where one list is short."
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="File, replaced when all is written.")
@pass_context
def export(
    context: Context, format_: str, policy: str | None, feed: str | None, part: int, output: Path | None
) -> None:
    """Write what counts now in a FORMAT of other systems; docs/commands.md lists what each cannot express."""
    exporting = context.service.export(format_, policy=policy, feed=feed, part=part)
    if output is None:
        out = sys.stdout.buffer
        for block in exporting.blocks():
            out.write(block)
    else:
        _replace(output, exporting)
    for what, count in sorted(exporting.left_out.items()):
        click.echo(f"left out: {count:,} {what}, which the format {format_} cannot express", err=True)
    if exporting.parts > 1:
        click.echo(f"part {part} of {exporting.parts}, {exporting.lines:,} lines in all", err=True)


@click.command("changes")
@click.option(
    "--since", required=True, metavar="TIME|VERSION", help="A time such as 2026-11-23, or a snapshot version; 0: all."
)
@click.option("--feed", metavar="NAME", help="Only what this feed changed.")
@click.option("--limit", default=1_000, show_default=True, type=click.IntRange(1, 1_000_000), help="How many at most.")
@reads
def changes_(context: Context, since: str, feed: str | None, limit: int, as_json: bool) -> None:
    """List what was listed, delisted or restated since a time or a snapshot, in order of time."""
    page = context.service.changes(since, limit=limit, feed=feed)
    if as_json:
        found = [listing_change_body(item) for item in page.changes]
        print_json({"since": page.since, "until": page.until, "changes": found, "more": page.last is not None})
        return
    rows = (
        (item.at, item.change, item.rule.value, item.rule.scope, item.feed, item.authority, item.reference)
        for item in page.changes
    )
    headings = ["AT", "CHANGE", "RULE", "SCOPE", "FEED", "AUTHORITY", "REFERENCE"]
    print_table(headings, rows, f"Nothing changed since {page.since}.")
    if page.last:
        click.echo(f"there are more than {limit:,}: raise --limit, or continue from a later --since", err=True)


def _replace(path: Path, exporting: Export) -> None:
    """Replace a file at once, so that a reader finds either the old or the new file, complete."""
    beside = path.with_name(f".{path.name}.part")
    try:
        with beside.open("wb") as out:
            for block in exporting.blocks():
                out.write(block)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror}") from None
    finally:
        beside.unlink(missing_ok=True)
