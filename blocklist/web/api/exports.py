"""Exports: changes since a time, and what is in force now in the formats of other systems."""

from __future__ import annotations

from itertools import chain
from typing import Annotated, Literal

from flask import Response
from pydantic import BaseModel, Field

from blocklist.domain.access import Role
from blocklist.domain.listing import AuthorityKind, RuleKind
from blocklist.domain.verdict import OverrideAction
from blocklist.exports import EXPORTS, ChangesPosition
from blocklist.lookup.http import Answer
from blocklist.service import Service
from blocklist.service.serialization import listing_change_body
from blocklist.web.api.framework.pagination import PageQuery, StrictModel, WholeNumber, encode_cursor
from blocklist.web.api.framework.resource import Resource, ResponseSpec
from blocklist.web.api.framework.schemas import ListedRule, ListingFields, NextPage, Timestamp
from blocklist.web.responses import download


class ChangedBody(ListedRule):
    """One change: a feed listed or delisted a rule, or published it with other details."""

    at: Timestamp
    change: Literal["listed", "delisted", "restated"]
    kind_of_rule: RuleKind
    feed: str
    authority: str
    country: str


class ChangesBody(NextPage):
    """A page of changes, oldest first. After the last page, continue with `since` set to `until`."""

    since: Timestamp
    until: Timestamp = Field(description="The end of all pages. Changes in this second can appear twice.")
    changes: list[ChangedBody]


class ChangesQuery(PageQuery):
    """The start time and the feed."""

    since: str = Field(
        min_length=1,
        max_length=64,
        description="A time such as 2026-11-23, or the version of a snapshot such as 7; 0: from the beginning.",
    )
    feed: str | None = Field(None, min_length=1, max_length=256, description="Only changes of this feed.")


class ExportedBody(ListingFields):
    """One listing, or one override. An override has no feed, and its reason is the entry."""

    kind_of_rule: RuleKind
    override: OverrideAction | None
    feed: str | None
    authority: str | None
    kind: AuthorityKind | None
    country: str | None
    run: int | None
    position: int | None


class ExportBody(BaseModel):
    """The export. This is the schema of the format `json`."""

    of: str
    version: int
    made_at: Timestamp
    listings: list[ExportedBody]


class ExportPath(BaseModel):
    """The format."""

    format: Annotated[str, Field(json_schema_extra={"enum": list(EXPORTS)})]


class ExportQuery(StrictModel):
    """What to export."""

    policy: str | None = Field(
        None,
        max_length=256,
        description="The policy that selects the listings. Default: `default`; with `feed`, all its listings.",
    )
    feed: str | None = Field(None, min_length=1, max_length=256, description="Only listings of this feed.")
    part: Annotated[WholeNumber, Field(ge=1, le=1_000_000)] = Field(
        1, description="The part, in formats that split long lists."
    )


def resource(service: Service) -> Resource:
    """Return the resource."""
    routes = Resource("Exports", "Changes since a time, and what is in force now for other systems.")

    @routes.operation("GET", "/v1/changes", role=Role.VIEWER, returns=ChangesBody, problems=(404,))
    def list_changes(query: ChangesQuery) -> Answer:
        """List what was listed, delisted or restated since a time or a snapshot, oldest first."""
        after = query.position("changed", ChangesPosition)
        page = service.changes(query.since, after=after, limit=query.limit, feed=query.feed)
        more = encode_cursor("changed", *page.last) if page.last else None
        found = [listing_change_body(item) for item in page.changes]
        return Answer(200, {"since": page.since, "until": page.until, "changes": found, "next": more})

    media_types = tuple(dict.fromkeys(item.media_type.partition(";")[0] for item in EXPORTS.values()))

    @routes.operation(
        "GET", "/v1/exports/{format}", role=Role.VIEWER, returns=ResponseSpec(ExportBody, media_types=media_types)
    )
    def export(path: ExportPath, query: ExportQuery) -> Response:
        """Download what is in force now. Rules that the format cannot express are left out."""
        exporting = service.export(path.format, policy=query.policy, feed=query.feed, part=query.part)
        blocks = exporting.blocks()
        # Errors happen before the first block: after it is sent, a problem document is no longer possible.
        first = next(blocks)
        return download(chain([first], blocks), exporting.filename, exporting.format.media_type)

    return routes
