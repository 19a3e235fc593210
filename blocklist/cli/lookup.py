"""``blocklist lookup`` and ``blocklist history``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import click

from blocklist.cli.context import Context, reads
from blocklist.cli.output import print_json, print_table
from blocklist.domain.clock import parse_time
from blocklist.domain.errors import UsageError
from blocklist.domain.verdict import Verdict
from blocklist.lookup.verdict_json import verdict_body
from blocklist.service import read_candidates
from blocklist.service.serialization import listing_body
from blocklist.text.sanitize import sanitize


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="TARGET…|-")
@click.option("--policy", default="default", show_default=True, help="Which listings count.")
@click.option("--at", help="As it was at this time, such as 2026-01-31.")
@click.option("--explain", is_flag=True, help="Show every listing that counts.")
@click.option("--exit-code", is_flag=True, help="End with 10 if anything is listed.")
@reads
def lookup(
    context: Context,
    targets: tuple[str, ...],
    policy: str,
    at: str | None,
    explain: bool,
    exit_code: bool,
    as_json: bool,
) -> None:
    """Tell whether an ad may go to each TARGET: a host, a URL, or app:ID; - reads standard input, one on each line."""
    try:
        moment = parse_time(at) if at else None
    except ValueError as error:
        raise UsageError(f"--at: {error}") from None
    listed = unreadable = False
    results: list[dict[str, Any]] = []
    for text, verdict, problem in context.service.evidence.lookup_texts(
        _texts(targets), policy, at=moment, explain=explain
    ):
        if verdict is None:
            unreadable = True
            results.append({"target": text, "verdict": "unknown", "listed": None, "error": problem})
        else:
            listed |= verdict.listed
            results.append({"target": text, **verdict_body(verdict), "version": verdict.version})
        if not as_json:
            _print(text, verdict, problem)
    if as_json:
        print_json(results)
    sys.exit(10 if listed and exit_code else 2 if unreadable else 0)


@click.command()
@click.argument("target")
@reads
def history(context: Context, target: str, as_json: bool) -> None:
    """Show every listing of TARGET, past and present: by whom, on which order, from when, until when."""
    listings = context.service.evidence.history_of(read_candidates(target))
    if as_json:
        print_json({"target": target, "listings": [listing_body(item) for item in listings]})
        return
    rows = (
        (
            *(item.rule.value, item.feed, item.authority.name, item.reference, item.published_at),
            *(item.listed_from, item.listed_until or "still listed", item.raw),
            *(item.run, item.position, (item.body_sha256 or "")[:16]),
        )
        for item in listings
    )
    headings = [
        *("RULE", "FEED", "AUTHORITY", "REFERENCE", "PUBLISHED", "LISTED FROM", "LISTED UNTIL", "AS PUBLISHED"),
        *("RUN", "POSITION", "BODY"),
    ]
    print_table(headings, rows, f"No feed ever listed {target}.")


def _texts(targets: tuple[str, ...]) -> Iterator[str]:
    for target in targets:
        if target == "-":
            yield from (line.strip() for line in sys.stdin if line.strip())
        else:
            yield target


def _print(text: str, verdict: Verdict | None, problem: str) -> None:
    if verdict is None:
        click.echo(f"unknown     {text!r}: {problem}")
        return
    parts = [f"{verdict.verdict.value:<10}  {sanitize(text)}"]
    if verdict.rule:
        parts.append(f"rule {verdict.rule} ({verdict.scope})")
    if verdict.via:
        parts.append(f"via {verdict.via}")
    if verdict.feeds:
        parts.append(f"feeds {', '.join(verdict.feeds)}")
    if verdict.override:
        parts.append(f"override {verdict.override}")
    if verdict.partial:
        parts.append("some URLs on it are listed: ask for the page's URL")
    click.echo("  ".join(parts))
    for listing in verdict.listings:
        click.echo("    " + json.dumps(listing, ensure_ascii=False))
