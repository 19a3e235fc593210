"""``blocklist refresh``: refresh feeds now, with progress on a terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from blocklist.cli.context import Context, reads
from blocklist.cli.output import print_json
from blocklist.domain.errors import UsageError
from blocklist.domain.run import Outcome, Run, Stage
from blocklist.service import Progress as ProgressCallback
from blocklist.service.serialization import run_body

_STAGES = list(Stage)


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--file", type=click.Path(path_type=Path), help="Take the body from a file, such as one that came by mail."
)
@reads
def refresh(context: Context, names: tuple[str, ...], file: Path | None, as_json: bool) -> None:
    """Refresh feeds now: those named, or all that are not paused."""
    if file and len(names) != 1:
        raise UsageError("--file is the body of one feed: name exactly one")
    chosen = list(names) or [item.name for item in context.service.feeds.all() if not item.paused]
    if not chosen:
        raise UsageError("there are no feeds to refresh: add one with 'blocklist feed add NAME'")
    runs = []
    for name in chosen:
        with _progress(name, as_json) as progress:
            runs.append(context.service.runs.refresh(name, context.actor, file=file, progress=progress))
        if not as_json:
            _print(runs[-1])
    if as_json:
        print_json([run_body(run) for run in runs])
    sys.exit(exit_status(runs))


def exit_status(runs: list[Run]) -> int:
    """Return 1 when a run failed, else 3 when one was held, else 0."""
    outcomes = {run.outcome for run in runs}
    return 1 if outcomes & {Outcome.FAILED, None} else 3 if Outcome.HELD in outcomes else 0


def _print(run: Run) -> None:
    rejected = f" ({run.counts.rejected:,} rows rejected)" if run.counts.rejected else ""
    click.echo(f"{run.feed}: {run.outcome}: {run.reason}{rejected}")
    if run.counts.held and run.outcome is not Outcome.HELD:
        click.echo(f"  decide on those with 'blocklist hold list --feed {run.feed}'")
    if run.counts.flagged and run.outcome is not Outcome.HELD:
        click.echo(f"  look at those with 'blocklist flag list --feed {run.feed}'")
    if run.outcome is Outcome.HELD:
        click.echo(f"  the previous list goes on serving; see 'blocklist run show {run.id}'")


@contextlib.contextmanager
def _progress(name: str, quiet: bool) -> Iterator[ProgressCallback]:
    """Show the stage and its progress where standard error is a terminal."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda *_: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[so_far]}"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task(f"{name}: fetch", total=len(_STAGES), so_far="")

        def show(stage: Stage, so_far: int) -> None:
            unit = "bytes" if stage is Stage.FETCH else "rows"
            bar.update(
                task, description=f"{name}: {stage}", completed=_STAGES.index(stage), so_far=f"{so_far:,} {unit}"
            )

        yield show
