"""``blocklist lookup`` and ``blocklist history``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import click

from blocklist.cli.context import Context, reads
from blocklist.cli.output import print_json, print_table
from blocklist.domain.clock import parse_time
from blocklist.domain.errors import UsageError
from blocklist.domain.run import HeldListing
from blocklist.lookup.verdict_json import verdict_body
from blocklist.service import read_candidates, target_lines
from blocklist.service.evidence import LookupResult
from blocklist.service.serialization import held_body, listing_body
from blocklist.text.sanitize import sanitize


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="TARGET…|-")
@click.option("--policy", default="default", show_default=True, help="Which listings count.")
@click.option("--at", help="As it was at this time, such as 2026-01-31.")
@click.option("--explain", is_flag=True, help="Show every listing that counts, and what waits for a person.")
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
    for result in context.service.evidence.lookup_texts(
        _texts(targets), policy, at=moment, explain=explain, held=explain
    ):
        listed |= result.verdict is not None and result.verdict.listed
        unreadable |= result.verdict is None
        if as_json:
            results.append(_body(result, context.settings.control_url if explain else None))
        else:
            _print(result)
    if as_json:
        print_json(results)
    sys.exit(10 if listed and exit_code else 2 if unreadable else 0)


@click.command()
@click.argument("target")
@reads
def history(context: Context, target: str, as_json: bool) -> None:
    """Show every listing of TARGET, past and present, what is held of it, and what a person keeps off the list."""
    text = _as_sent(target)
    candidates = read_candidates(text)
    named = [found for found, _ in candidates]
    listings = context.service.evidence.history_of(candidates)
    held, refused = context.service.held.waiting(named), context.service.held.refused(named)
    if as_json:
        address = context.settings.control_url
        bodies = {
            "listings": [listing_body(item) for item in listings],
            "held": [held_body(item, address) for item in held],
            "refused": [held_body(item, address) for item in refused],
        }
        print_json({"target": text, **bodies})
        return
    for item in held:
        click.echo(f"held: {_waits(item)}")
    for item in refused:
        click.echo(f"not listed by decision: {_kept_off(item)}")
    rows = (
        (
            *(item.rule.value, item.feed, item.authority.name, item.reference, item.published_at),
            *(item.listed_from, item.listed_until or "still listed", item.raw),
            *(item.run, item.position, (item.body_sha256 or "")[:16], item.hold_decision),
        )
        for item in listings
    )
    headings = [
        *("RULE", "FEED", "AUTHORITY", "REFERENCE", "PUBLISHED", "LISTED FROM", "LISTED UNTIL", "AS PUBLISHED"),
        *("RUN", "POSITION", "BODY", "HOLD"),
    ]
    never = (
        f"No feed lists {sanitize(text)} now or did before."
        if held or refused
        else f"No feed ever listed {sanitize(text)}."
    )
    print_table(headings, rows, never)


def _texts(targets: tuple[str, ...]) -> Iterator[str]:
    for target in targets:
        if target == "-":
            yield from target_lines(line.decode("utf-8", "replace") for line in sys.stdin.buffer)
        else:
            yield _as_sent(target)


def _as_sent(argument: str) -> str:
    """Return an argument as a request with the same bytes is read: as UTF-8, whatever the locale says."""
    return os.fsencode(argument).decode("utf-8", "replace")


def _body(result: LookupResult, control_url: str | None) -> dict[str, Any]:
    """Return a result as JSON; what is held only with the address of the control plane."""
    if result.verdict is None:
        return {"target": result.text, "verdict": "unknown", "listed": None, "error": result.error}
    body = {"target": result.text, **verdict_body(result.verdict)}
    if control_url is not None:
        body["held"] = [held_body(item, control_url) for item in result.held]
    return body | {"version": result.verdict.version, "stale": result.stale}


def _print(result: LookupResult) -> None:
    verdict = result.verdict
    if verdict is None:
        click.echo(f"unknown     {result.text!r}: {result.error}")
        return
    parts = [f"{verdict.verdict.value:<10}  {sanitize(result.text)}"]
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
    for item in result.held:
        click.echo(f"    held: {_waits(item)}")


def _waits(item: HeldListing) -> str:
    """Return what waits for a person, since when and why, and the command that shows it or decides on it."""
    look = f"'blocklist hold approve {item.hold}' or 'hold refuse'" if item.hold else f"'blocklist run show {item.run}'"
    if item.rule is None:
        named = f"the new list of {item.feed} in run {item.run} is too long to be searched: it may name this target"
    else:
        as_published = "" if item.entry == item.rule.value else f", published as {sanitize(item.entry or '')},"
        who = f"{item.feed} ({item.authority.name}, {item.authority.country})"
        named = f"{item.rule.value} ({item.rule.scope}){as_published} was named by {sanitize(who)} in run {item.run}"
    return f"{named}; waiting for a person since {item.since}: {sanitize(item.why)}; see {look}"


def _kept_off(item: HeldListing) -> str:
    """Return which rule a person keeps off the list, who, when and why."""
    value = item.rule.value if item.rule else ""
    what = f"hold {item.hold}" if item.hold else f"run {item.run}"
    did = "refused" if item.hold else "rejected"
    decided = f"{what} was {did} by {item.decided_by} on {item.decided_at}: {sanitize(item.decision or '')}"
    return f"{value}, named by {item.feed} in run {item.run}; {decided}"
