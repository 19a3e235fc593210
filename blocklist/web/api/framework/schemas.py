"""What the domain's words look like in the description: the shapes that several resources share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from blocklist.domain.clock import parse_time
from blocklist.domain.errors import UsageError
from blocklist.domain.listing import RuleKind, Scope
from blocklist.web.api.framework.pagination import Id

#: A time, RFC 3339 in UTC.
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
#: Why a person decides so; it is kept.
Reason = Annotated[str, Field(min_length=1, max_length=2_000, pattern=r"\S", description="Why; kept as evidence.")]


class ById(BaseModel):
    """What an address names by its number."""

    id: Id


class Decision(BaseModel):
    """A person's decision."""

    model_config = {"extra": "forbid"}
    reason: Reason


class Ruled(BaseModel):
    """A rule: the canonical value, its kind, and how far it reaches."""

    target: str
    kind: RuleKind
    scope: Scope


class Next(BaseModel):
    """The end of every page."""

    next: str | None = Field(description="The `cursor` of the next page; null on the last.")


def moment_of(field: str, text: str | None) -> str | None:
    """Return the moment that a field of the body names, as we write times.

    :raises UsageError: it names none.
    """
    try:
        return parse_time(text) if text is not None else None
    except ValueError as error:
        raise UsageError(f"{field}: {error}", [((field,), str(error))]) from None
