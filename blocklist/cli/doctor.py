"""``blocklist doctor``: what is wrong with this installation, and how to fix it."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from blocklist.cli.context import Context, reads
from blocklist.cli.output import print_json


@click.command()
@reads
def doctor(context: Context, as_json: bool) -> None:
    """Examine the configuration, the data folder, the database, the feeds and the snapshot."""
    findings = context.service.doctor.diagnose()
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            click.echo(f"{'ok ' if finding.ok else 'BAD'}  {finding.check}: {finding.found}")
            if not finding.ok:
                click.echo(f"     mend: {finding.mend}")
    sys.exit(0 if all(finding.ok for finding in findings) else 1)
