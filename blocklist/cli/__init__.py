"""The ``blocklist`` command, over :mod:`blocklist.service`. Each module holds one group of commands."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

import blocklist
from blocklist.cli import (
    audit,
    doctor,
    export,
    feed,
    flag,
    hold,
    lookup,
    node,
    notify,
    override,
    person,
    refresh,
    run,
    serve,
    settings,
    snapshot,
    token,
    trust,
)
from blocklist.cli.context import Context
from blocklist.domain.errors import BlocklistError


class _Group(click.Group):
    """The root group: an error that a person can fix is one line and an exit status, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BlocklistError as error:
            click.echo(f"blocklist: {error}", err=True)
            ctx.exit(error.exit_status)
        except UnicodeError as error:
            why = getattr(error, "reason", error)
            click.echo(f"blocklist: an argument or a line of input is not text that can be read: {why}", err=True)
            ctx.exit(2)
        except BrokenPipeError:
            # The reader of the output has ended, such as head.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(1)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(blocklist.__version__)
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file (or BLOCKLIST_CONFIG).")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Data folder (or BLOCKLIST_DATA_DIR).")
@click.pass_context
def main(ctx: click.Context, config: Path | None, data_dir: Path | None) -> None:
    """Keep advertising money away from sites that authorities have confirmed as infringing.

    Exit status: 0 done, 1 failed, 2 wrong usage, 3 held for review.
    """
    ctx.obj = Context(config, data_dir)
    ctx.call_on_close(ctx.obj.close)


for _command in (
    serve.serve,
    feed.feed,
    refresh.refresh,
    run.run,
    hold.hold,
    flag.flag,
    lookup.lookup,
    lookup.history,
    override.override,
    snapshot.snapshot,
    token.token,
    trust.trust,
    node.node,
    export.export,
    export.changes_,
    notify.notify,
    person.person,
    audit.audit,
    doctor.doctor,
    settings.settings,
):
    main.add_command(_command)
