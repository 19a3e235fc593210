"""A feed's definition: where its list is, how often and how to read it, and what it may not do.

One model for the catalog's ``feed.toml``, the command line, HTTP and the database. The format's own options stand in a
table named after the format (``[csv]``), as they are given one by one with ``--option`` on the command line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from blocklist.definitions.source import Credentials, Source
from blocklist.domain.clock import parse_duration
from blocklist.domain.errors import UsageError
from blocklist.domain.listing import Authority, AuthorityKind, Scope
from blocklist.formats.registry import FORMATS, format_of
from blocklist.guards.limits import FeedGuards
from blocklist.normalize.rules import Reading
from blocklist.text.validation import validate

__all__ = [
    "AuthorityDefinition",
    "Country",
    "Credentials",
    "FeedDefinition",
    "RulesDefinition",
    "Seconds",
    "Source",
    "definition_from_table",
    "with_options",
]

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")


#: What ``--option feed.…`` may set.
_TOP_LEVEL = ("title", "every", "legal_basis", "documentation", "notes", "verified")
#: What a dotted ``--option`` may lead into.
_PARTS = ("authority", "source", "rules", "guards", "feed")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _feed_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a feed name: use up to 64 lower-case letters, digits and hyphens")
    return name


def _country(code: str) -> str:
    if not re.fullmatch(r"[A-Z]{2}", code):
        raise ValueError(f"{code!r} is not a country: use two capital letters (ISO 3166-1), XX for none")
    return code


def _duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


def _duration_schema(least: int) -> WithJsonSchema:
    """Return how a duration is described: as it is kept, in seconds, or as people write it."""
    number = {"type": "integer", "minimum": least, "maximum": 315_360_000}
    return WithJsonSchema({"anyOf": [number, {"type": "string", "pattern": "^[0-9]+[smhdw]?$", "examples": ["6h"]}]})


def _format(name: str) -> str:
    if name not in FORMATS:
        raise ValueError(f"{name!r} is unknown: use one of {', '.join(FORMATS)}")
    return name


#: At most ten years: what is longer was not meant.
Seconds = Annotated[int, BeforeValidator(_duration), Field(ge=1, le=315_360_000), _duration_schema(1)]
#: The same, and 0 for none.
MaybeSeconds = Annotated[int, BeforeValidator(_duration), Field(ge=0, le=315_360_000), _duration_schema(0)]
Country = Annotated[str, AfterValidator(_country), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{2}$"})]
FeedName = Annotated[
    str, AfterValidator(_feed_name), WithJsonSchema({"type": "string", "pattern": f"^{_NAME.pattern}$"})
]
FormatName = Annotated[str, AfterValidator(_format), WithJsonSchema({"type": "string", "enum": list(FORMATS)})]


class AuthorityDefinition(_Part):
    """Who confirmed what the feed lists; ``contact`` is where a site's owner appeals."""

    name: str = Field(min_length=1)
    kind: AuthorityKind
    country: Country
    contact: str | None = None

    def authority(self) -> Authority:
        """Return it in the words of the domain."""
        return Authority(self.name, self.kind, self.country, self.contact)


class RulesDefinition(_Part):
    """How entries are read: see :class:`blocklist.normalize.rules.Reading`."""

    entries: Literal["sites", "apps"] = "sites"
    www: Literal["strip", "keep"] = "strip"
    scope: Literal[Scope.SUBTREE, Scope.EXACT] = Scope.SUBTREE

    def reading(self) -> Reading:
        """Return it in the words of the normalizing stage."""
        return Reading(self.entries, self.www, self.scope)


class FeedDefinition(_Part):
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
    #: The document names markets for people to read; no rules may be made of it under the publisher's name.
    reference_only: bool = False

    @model_validator(mode="after")
    def _a_reference_says_why_and_where(self) -> FeedDefinition:
        if self.reference_only and not (self.notes and self.documentation):
            raise ValueError("reference_only needs notes (why no rules are made of it) and documentation (where it is)")
        return self

    @field_validator("options")
    @classmethod
    def _fit_the_format(cls, options: dict[str, Any], known: ValidationInfo) -> dict[str, Any]:
        if "format" in known.data:
            try:
                format_of(known.data["format"], options)
            except UsageError as error:
                raise ValueError(str(error)) from None
        return options

    @model_validator(mode="after")
    def _pages_fit_the_format(self) -> FeedDefinition:
        if self.source.pagination is None:
            return self
        rows = str(self.options.get("rows", ""))
        if self.format != "json" or not (rows == "item" or rows.startswith("item.")):
            raise ValueError(
                "source.pagination joins the pages into one JSON list of pages: the format is json, and its rows "
                "begins with item, which is one page ('item' if a page is itself the list, else such as 'item.results')"
            )
        return self


def definition_from_table(table: dict[str, Any], where: str) -> FeedDefinition:
    """Return the definition in a ``feed.toml``, in which the format's options stand in a table of its name.

    :raises UsageError: what is wrong, and in which file and field.
    """
    table = dict(table)
    for name in FORMATS:
        if name in table and name != table.get("format"):
            raise UsageError(f"{where}: has a table [{name}] but the format is {table.get('format')!r}")
    options = table.pop(str(table.get("format", "")), {})
    return validate(FeedDefinition, {**table, "options": options}, where)


def with_options(definition: dict[str, Any], pairs: Sequence[str]) -> dict[str, Any]:
    """Return a definition as data with ``--option`` pairs put in.

    ``column=3`` is an option of the format; ``guards.max_removed=0.5``, ``source.credentials.env=TOKEN`` and the like
    lead into the parts of the definition, ``feed.legal_basis=…`` to what stands on its top level.

    :raises UsageError: a pair is not ``key=value``.
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
            raise UsageError(f"--option {pair}: after feed. stands one of {', '.join(_TOP_LEVEL)}")
        if path and path[0] in _PARTS:
            table = changed
            for part in path if path[0] != "feed" else path[1:]:
                if not isinstance(table.get(part) or {}, dict):
                    raise UsageError(f"--option {pair}: {part} holds no other fields")
                table[part] = dict(table.get(part) or {})
                table = table[part]
            table[name] = value
        else:
            changed["options"][key.strip()] = value
    return changed
