"""A feed's definition: where its list is, how often and how it is read, and which guards it has.

One model for the catalog's ``feed.toml``, the command line, HTTP and the database. In a ``feed.toml``, the format's
options are in a table with the format's name (``[csv]``); on the command line each is an ``--option``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from blocklist.definitions.source import Source
from blocklist.domain.errors import UsageError
from blocklist.domain.listing import Authority, AuthorityKind, Feed, Scope
from blocklist.formats.registry import FORMATS, format_of
from blocklist.guards.guard_settings import FeedGuards
from blocklist.guards.setting_types import comma_separated
from blocklist.normalize.hosts import normalize_host
from blocklist.normalize.rules import Reading
from blocklist.text.field_types import Country, Seconds, StrictModel
from blocklist.text.validation import validate

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
#: Fields that ``--option feed.…`` may set.
_TOP_LEVEL = ("title", "every", "legal_basis", "documentation", "notes", "verified")
#: The parts of a definition that a dotted ``--option`` may set fields of.
_PARTS = ("authority", "source", "rules", "guards", "feed")


def _feed_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a feed name: use up to 64 lower-case letters, digits and hyphens")
    return name


def _format(name: str) -> str:
    if name not in FORMATS:
        raise ValueError(f"{name!r} is unknown: use one of {', '.join(FORMATS)}")
    return name


def _top_level_domain(name: str) -> str:
    label = normalize_host(name.strip("."))
    if "." in label:
        raise ValueError(f"{name!r} is not a top-level domain: it is one label, such as com")
    return label


TopLevelDomains = Annotated[
    tuple[Annotated[str, AfterValidator(_top_level_domain)], ...], BeforeValidator(comma_separated)
]
FeedName = Annotated[
    str, AfterValidator(_feed_name), WithJsonSchema({"type": "string", "pattern": f"^{_NAME.pattern}$"})
]
FormatName = Annotated[str, AfterValidator(_format), WithJsonSchema({"type": "string", "enum": list(FORMATS)})]


class AuthorityDefinition(StrictModel):
    """Who confirmed what the feed lists; ``contact`` is where the owner of a listed site can appeal."""

    name: str = Field(min_length=1)
    kind: AuthorityKind
    country: Country
    contact: str | None = None

    def authority(self) -> Authority:
        """Return the authority as the domain's type."""
        return Authority(self.name, self.kind, self.country, self.contact)


class RulesDefinition(StrictModel):
    """How entries become rules: see :class:`blocklist.normalize.rules.Reading`."""

    entries: Literal["sites", "apps"] = "sites"
    www: Literal["strip", "keep"] = "strip"
    scope: Literal[Scope.SUBTREE, Scope.EXACT] = Scope.SUBTREE
    top_level_domains: TopLevelDomains = ()
    #: Whether the authority's own addresses may be listed: see :mod:`blocklist.refresh.own_addresses`.
    own_addresses: Literal["refuse", "list"] = "refuse"

    def reading(self) -> Reading:
        """Return the same as the type of the normalizing stage."""
        return Reading(self.entries, self.www, self.scope, frozenset(self.top_level_domains))


class FeedDefinition(StrictModel):
    """The definition of one feed."""

    name: FeedName
    title: str = ""
    authority: AuthorityDefinition
    source: Source = Source()
    every: Seconds = 21_600
    format: FormatName
    options: dict[str, Any] = Field({}, validate_default=True)
    rules: RulesDefinition = RulesDefinition()
    guards: FeedGuards = FeedGuards()
    legal_basis: str | None = None
    documentation: str | None = None
    notes: str | None = None
    verified: bool = True
    #: A document for people to read: no rules may be made of it under the publisher's name.
    reference_only: bool = False

    @model_validator(mode="after")
    def _reference_has_notes_and_documentation(self) -> FeedDefinition:
        if self.reference_only and not (self.notes and self.documentation):
            raise ValueError("reference_only needs notes (why no rules are made of it) and documentation (where it is)")
        return self

    @field_validator("options")
    @classmethod
    def _options_fit_format(cls, options: dict[str, Any], known: ValidationInfo) -> dict[str, Any]:
        if "format" in known.data:
            try:
                format_of(known.data["format"], options)
            except UsageError as error:
                raise ValueError(str(error)) from None
        return options

    @model_validator(mode="after")
    def _pages_fit_format(self) -> FeedDefinition:
        if self.source.pagination is None:
            return self
        rows = str(self.options.get("rows", ""))
        if self.format != "json" or not (rows == "item" or rows.startswith("item.")):
            raise ValueError(
                "source.pagination joins the pages into one JSON list of pages: set the format to json, and its option "
                "rows to a path that begins with item, which is one page: 'item' if a page is itself the list, else "
                "for example 'item.results'"
            )
        return self


def definition_of(feed: Feed) -> FeedDefinition:
    """Return the definition of a stored feed."""
    return FeedDefinition.model_validate(feed.definition)


def definition_from_table(table: dict[str, Any], where: str) -> FeedDefinition:
    """Return the definition in a ``feed.toml``, where the format's options are in a table with its name.

    :raises UsageError: the definition is not valid; the message begins with ``where`` and names the field.
    """
    table = dict(table)
    for name in FORMATS:
        if name in table and name != table.get("format"):
            raise UsageError(f"{where}: has a table [{name}] but the format is {table.get('format')!r}")
    options = table.pop(str(table.get("format", "")), {})
    return validate(FeedDefinition, {**table, "options": options}, where)


def with_options(definition: dict[str, Any], pairs: Sequence[str]) -> dict[str, Any]:
    """Return a definition, as data, with ``--option`` pairs applied.

    ``column=3`` is an option of the format; ``guards.max_removed=0.5`` or ``source.credentials.env=TOKEN`` sets a field
    of a part of the definition, ``feed.legal_basis=…`` a field of its top level.

    :raises UsageError: a pair is not ``key=value``, or its key is not a field that can be set.
    """
    if not pairs:
        return definition
    changed = {**definition, "options": dict(definition.get("options", {}))}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        *path, name = key.strip().split(".")
        if not separator or not name:
            raise UsageError(f"--option takes key=value, not {pair!r}")
        if path == ["feed"] and name not in _TOP_LEVEL:
            raise UsageError(f"--option {pair}: the fields after feed. are {', '.join(_TOP_LEVEL)}")
        if path and path[0] in _PARTS:
            table = changed
            for part in path if path[0] != "feed" else path[1:]:
                if not isinstance(table.get(part) or {}, dict):
                    raise UsageError(f"--option {pair}: {part} has no fields")
                table[part] = dict(table.get(part) or {})
                table = table[part]
            table[name] = value
        else:
            changed["options"][key.strip()] = value
    return changed
