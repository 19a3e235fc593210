"""``blocklist feed``: the feeds of this installation."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from blocklist.cli.context import Context, pass_context, reads
from blocklist.cli.output import json_option, print_fields, print_json, print_list, print_table
from blocklist.definitions.catalog import catalog_names, from_catalog, sample_of
from blocklist.definitions.definition import FeedDefinition, definition_of
from blocklist.definitions.merge import amend_definition, draft_definition
from blocklist.domain.errors import UsageError
from blocklist.domain.listing import AuthorityKind
from blocklist.domain.run import Effect, Outcome
from blocklist.formats.registry import FORMATS
from blocklist.service import Preview
from blocklist.service.serialization import preview_body
from blocklist.text.validation import validate


@click.group()
def feed() -> None:
    """Add, show, change and remove feeds."""


def _definition_options(command: Any) -> Any:
    for option in reversed(
        (
            click.argument("name"),
            click.option("--url", help="Address of the list."),
            click.option("--file", type=click.Path(path_type=Path), help="File that holds the list."),
            click.option("--format", "format_", help=f"One of {', '.join(FORMATS)}."),
            click.option("--authority", help="Who confirms what the feed lists."),
            click.option("--kind", help=f"Kind of the authority: {', '.join(AuthorityKind)}."),
            click.option("--country", help="Country of the authority (ISO 3166-1), XX for none."),
            click.option("--title", help="What people call the list."),
            click.option("--every", help="How often it is refreshed, such as 6h."),
            click.option("--option", "options", multiple=True, metavar="KEY=VALUE", help="An option of the format."),
        )
    ):
        command = option(command)
    return command


@feed.command("catalog")
@json_option
def catalog(as_json: bool) -> None:
    """List the feeds that are ready to add."""
    print_list(
        map(from_catalog, catalog_names()),
        lambda d: d.model_dump(mode="json"),
        ["NAME", "TITLE", "AUTHORITY", "KIND", "COUNTRY", "ADDRESS"],
        lambda d: (d.name, d.title, d.authority.name, d.authority.kind, d.authority.country, _where(d)),
        empty="The catalog is empty.",
        as_json=as_json,
    )


@feed.command("add")
@_definition_options
@pass_context
def add(context: Context, /, name: str, **given: Any) -> None:
    """Add a feed: NAME alone takes its definition from the catalog; the options define or change it."""
    context.service.feeds.check_new(name)
    definition = _definition(name, **given)
    context.service.feeds.add(definition, context.actor)
    if definition.source.url or definition.source.file:
        click.echo(f"added {name}; 'blocklist refresh {name}' reads it now, the service does so by itself")
    else:
        notes = f" ({definition.notes})" if definition.notes else ""
        click.echo(
            f"added {name}, which has no address yet{notes}: bring its list with "
            f"'blocklist refresh {name} --file PATH', or remove it and add it with --url"
        )


@feed.command("edit")
@_definition_options
@pass_context
def edit(context: Context, /, name: str, options: tuple[str, ...], **given: Any) -> None:
    """Change a feed's definition by options; its listings and their history continue."""
    patch = _patch(**given)
    if not patch and not options:
        raise UsageError("name what to change, such as --url or --every; 'blocklist feed show NAME' shows the feed")
    before = context.service.feeds.get(name)
    after = context.service.feeds.edit(name, lambda known: amend_definition(known, patch, options), context.actor)
    if before.definition == after.definition:
        click.echo(f"{name} has this definition already; nothing was changed")
        return
    click.echo(f"changed {name}; its list goes on serving, and it is due at {after.next_due}")


@feed.command("preview")
@_definition_options
@reads
def preview(context: Context, /, name: str, as_json: bool, **given: Any) -> None:
    """Read a list as a definition describes, show the result, and keep nothing."""
    known = {item.name: item for item in context.service.feeds.all()}
    bare = not any(given.values())
    definition = definition_of(known[name]) if bare and name in known else _definition(name, **given)
    found = context.service.feeds.preview(definition)
    if as_json:
        print_json(preview_body(found))
    else:
        _print_preview(found)
    sys.exit(1 if found.outcome == "failed" else 0)


@feed.command("list")
@reads
def list_(context: Context, as_json: bool) -> None:
    """List the feeds, and how fresh each is."""
    columns = (
        *("name", "state", "listed", "waiting", "last_outcome"),
        *("last_attempt", "last_success", "last_change", "next_due"),
    )
    print_list(
        context.service.feeds.rows(),
        dict,
        [column.replace("_", " ").upper() for column in columns],
        lambda row: [row[column] for column in columns],
        empty="No feeds yet: 'blocklist feed catalog' lists those that are ready, 'blocklist feed add NAME' adds one.",
        as_json=as_json,
    )


@feed.command("show")
@click.argument("name")
@reads
def show(context: Context, name: str, as_json: bool) -> None:
    """Show a feed: its definition, its times and its last run."""
    found = context.service.feeds.get(name)
    (row,) = context.service.feeds.rows([found])
    definition = definition_of(found).model_dump(mode="json", exclude_none=True)
    if as_json:
        print_json(row | {"definition": definition})
        return
    print_fields([*row.items(), *((f"definition.{key}", value) for key, value in definition.items())])


@feed.command("pause")
@click.argument("name")
@pass_context
def pause(context: Context, name: str) -> None:
    """Stop a feed's schedule; its listings still count."""
    context.service.feeds.pause(name, context.actor)
    click.echo(f"paused {name}; its list goes on serving")


@feed.command("resume")
@click.argument("name")
@pass_context
def resume(context: Context, name: str) -> None:
    """Resume a feed's schedule; it is due at once."""
    context.service.feeds.resume(name, context.actor)
    click.echo(f"resumed {name}")


@feed.command("remove")
@click.argument("name")
@pass_context
def remove(context: Context, name: str) -> None:
    """Remove a feed: its sites are delisted, and stay in the history."""
    closed = context.service.feeds.remove(name, context.actor)
    click.echo(f"removed {name}: {closed:,} sites delisted, their history is kept")


@feed.command("samples")
@pass_context
def samples(context: Context) -> None:
    """Add and read the made-up samples of the catalog, to try the service out."""
    known = {item.name: item for item in context.service.feeds.all()}
    for name in catalog_names():
        definition = from_catalog(name)
        if definition.reference_only or (name in known and known[name].last_success):
            continue
        if missing := FORMATS[definition.format].missing_extra():
            click.echo(f"{name}: skipped: {missing}")
            continue
        if name not in known:
            data = definition.model_dump(mode="json") | {
                "title": f"{definition.title} (made-up sample)",
                "source": {"file": str(sample_of(name).resolve())},
            }
            context.service.feeds.add(validate(FeedDefinition, data, name), context.actor)
        run = context.service.runs.refresh(name, context.actor)
        if run.outcome is not Outcome.APPLIED:
            raise UsageError(f"sample of {name}: {run.outcome}: {run.reason}")
        click.echo(f"{name}: {run.reason}")


def _definition(name: str, options: tuple[str, ...], **given: Any) -> FeedDefinition:
    """Return the definition of the options, based on the one of the catalog where it has that name."""
    if name not in catalog_names():
        needed = {f"--{key.strip('_')}": given[key] for key in ("format_", "authority", "kind", "country")}
        needed["--url or --file"] = given["url"] or given["file"]
        missing = [option for option, value in needed.items() if not value]
        if missing:
            raise UsageError(
                f"the catalog has no feed {name!r} ('blocklist feed catalog' lists those there are), "
                f"and for one of your own {', '.join(missing)} is missing"
            )
    return draft_definition({"name": name, **_patch(**given)}, options)


def _patch(**given: Any) -> dict[str, Any]:
    """Return the options as a merge patch of a definition."""
    names = {"authority": "name", "kind": "kind", "country": "country"}
    source = {"url": given["url"], "file": str(given["file"].resolve()) if given["file"] else None}
    patch = {
        "authority": {names[key]: given[key] for key in names if given[key]},
        "source": {key: value for key, value in source.items() if value},
        "format": given["format_"],
        **{key: given[key] for key in ("title", "every")},
    }
    return {key: value for key, value in patch.items() if value}


def _print_preview(seen: Preview) -> None:
    stated = f", states the date {seen.stated_date}" if seen.stated_date else ""
    kind = f" as {seen.content_type}" if seen.content_type else ""
    click.echo(
        f"fetched {seen.fetched}: {seen.size:,} bytes{kind}, SHA-256 {seen.body[:16]}…, read as {seen.seen}{stated}"
    )
    counts = seen.counts
    click.echo(f"{counts.entries:,} entries give {counts.rules:,} rules; {counts.rejected:,} rejected")
    click.echo(f"{counts.added:,} would be added, {counts.removed:,} removed")
    for finding in seen.said:
        click.echo(f"{_WOULD[finding.effect]}: {finding.sentence}")
    rows = ((e.position, e.raw or e.site, r.kind, r.value, r.scope) for e, r in seen.first)
    print_table(["POSITION", "ENTRY", "KIND", "RULE", "SCOPE"], rows, "No rules.")
    for item in seen.rejections:
        click.echo(f"rejected at {item.position}: {item.reason}")


_WOULD = {
    Effect.FAILS: "would fail",
    Effect.HOLDS: "would be held",
    Effect.HOLDS_ENTRY: "would hold entries",
    Effect.REFUSES: "would refuse entries",
    Effect.FLAGS: "would flag entries",
    Effect.NOTES: "would note",
}


def _where(definition: FeedDefinition) -> str:
    if definition.reference_only:
        return f"for reference only: {definition.documentation}"
    return definition.source.url or "not public: --url or --file"
