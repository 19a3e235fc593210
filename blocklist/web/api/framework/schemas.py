"""Schemas that several resources share. The schemas of one resource are in the module of that resource."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from blocklist.domain.clock import parse_time
from blocklist.domain.errors import UsageError
from blocklist.domain.listing import AuthorityKind, RuleKind, Scope
from blocklist.web.api.framework.pagination import Id, StrictModel

#: A time, RFC 3339 in UTC.
Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
#: The reason of a person's decision.
Reason = Annotated[
    str, Field(min_length=1, max_length=2_000, pattern=r"\S", description="The reason; kept as evidence.")
]


class IdPath(BaseModel):
    """The id in an address."""

    id: Id


class Decision(StrictModel):
    """A person's decision."""

    reason: Reason


class RuleFields(BaseModel):
    """A rule: its canonical value, kind and scope."""

    target: str
    kind: RuleKind
    scope: Scope


class ListedRule(BaseModel):
    """What a listing and a change of a listing have in common."""

    rule: str
    scope: Scope
    reference: str | None
    listed_from: Timestamp
    entry: str


class ListingFields(ListedRule):
    """What every form of a listing has."""

    legal_basis: str | None
    published_at: str | None
    appeal_contact: str | None


class HeldListingBody(BaseModel):
    """A rule that covers the target and that waits for a person: it is not listed, and does not change the verdict.

    `rule`, `kind_of_rule`, `scope`, `entry` and `position` are null for a held run with more additions than can be
    searched: it may name the target.
    """

    feed: str
    authority: str
    kind: AuthorityKind
    country: str
    rule: str | None
    kind_of_rule: RuleKind | None
    scope: Scope | None
    reference: str | None
    legal_basis: str | None
    published_at: str | None
    entry: str | None = Field(description="The entry as published.")
    position: int | None
    run: int = Field(description="The last run that named it.")
    hold: int | None = Field(description="The id of the held entry; null: the whole run is held.")
    since: Timestamp = Field(description="Since when it has been waiting.")
    reason: str = Field(description="What the guards found.")
    review: str = Field(description="The address of the page on which a person decides.")


class NextPage(BaseModel):
    """The last member of every page."""

    next: str | None = Field(description="The `cursor` of the next page; null on the last page.")


def read_time(field: str, text: str | None) -> str | None:
    """Return the time in a field of the body, RFC 3339 in UTC; None for None.

    :raises UsageError: the text is not a time.
    """
    try:
        return parse_time(text) if text is not None else None
    except ValueError as error:
        raise UsageError(f"{field}: {error}", [((field,), str(error))]) from None
