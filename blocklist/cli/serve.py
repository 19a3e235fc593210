"""``blocklist serve``: the whole service, until stopped."""

from __future__ import annotations

import click

from blocklist.cli.context import Context, pass_context
from blocklist.config.settings import ServeSettings
from blocklist.text.validation import validate


@click.command()
@click.option("--control", metavar="HOST:PORT", help="Address of the control plane (127.0.0.1:8080).")
@click.option("--lookup", metavar="HOST:PORT", help="Address of the lookup node (127.0.0.1:8081).")
@click.option("--workers", type=int, metavar="N", help="Processes that answer lookups (one a processor).")
@pass_context
def serve(context: Context, control: str | None, lookup: str | None, workers: int | None) -> None:
    """Run the control plane, the lookup node and the schedule, until stopped."""
    from blocklist.daemon.server import serve as run_service  # noqa: PLC0415 - only this command needs the web server

    context.logs_runs = True
    given = {"control": control, "lookup": lookup, "workers": workers}
    chosen = context.settings.serve.model_dump() | {key: value for key, value in given.items() if value is not None}
    settings = context.settings.model_copy(update={"serve": validate(ServeSettings, chosen, "serve")})

    def started(key: str | None) -> None:
        click.echo(f"control plane {settings.control_url}  lookups http://{settings.serve.lookup}")
        if key:
            click.echo(f"nobody can sign in yet; make the first admin within an hour: {settings.link_address(key)}")

    run_service(settings, started)
