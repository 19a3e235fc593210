"""What leaves: what changed since when, and what counts now in the formats of other systems."""

from __future__ import annotations

from itertools import chain
from typing import Annotated, Literal

from flask import Response
from pydantic import BaseModel, Field

from blocklist.domain.access import Role
from blocklist.domain.listing import AuthorityKind, RuleKind, Scope
from blocklist.domain.verdict import OverrideAction
from blocklist.exports import EXPORTS, ChangesPosition
from blocklist.lookup.http import Answer
from blocklist.service import Service
from blocklist.service.serialization import listing_change_body
from blocklist.web.api.framework.pagination import PageQuery, Query, Whole, cursor_to
from blocklist.web.api.framework.resource import Gives, Resource
from blocklist.web.api.framework.schemas import Moment, Next


class ChangedBody(BaseModel):
    """One change: a rule that a feed listed, delisted, or stated in other words."""

    at: Moment
    change: Literal["listed", "delisted", "restated"]
    rule: str
    kind_of_rule: RuleKind
    scope: Scope
    feed: str
    authority: str
    country: str
    reference: str | None
    listed_from: Moment
    entry: str


class ChangesBody(Next):
    """A page of changes, in order of time; after the last page, go on from ``until``."""

    since: Moment
    until: Moment = Field(description="Until when all pages go. What happened in that second may come twice.")
    changes: list[ChangedBody]


class ChangesQuery(PageQuery):
    """Since when, and of which feed."""

    since: str = Field(
        min_length=1, max_length=64, description="A time such as 2026-11-23, or the version of a snapshot such as 7."
    )
    feed: str | None = Field(None, min_length=1, max_length=256, description="Only what this feed changed.")


class ExportedBody(BaseModel):
    """One listing that counts; or an override, whose reason is the entry, and which no feed states."""

    rule: str
    kind_of_rule: RuleKind
    scope: Scope
    override: OverrideAction | None
    feed: str | None
    authority: str | None
    kind: AuthorityKind | None
    country: str | None
    reference: str | None
    legal_basis: str | None
    published_at: str | None
    listed_from: Moment
    appeal_contact: str | None
    entry: str
    run: int | None
    position: int | None


class ExportBody(BaseModel):
    """What counts now, as the format ``json`` has it."""

    of: str
    version: int
    made_at: Moment
    listings: list[ExportedBody]


class ExportPath(BaseModel):
    """Which format."""

    format: Annotated[str, Field(json_schema_extra={"enum": list(EXPORTS)})]


class ExportQuery(Query):
    """Of what."""

    policy: str | None = Field(
        None, max_length=256, description="Which listings count; `default` without, or with `feed` all that it lists."
    )
    feed: str | None = Field(None, min_length=1, max_length=256, description="Only what this feed lists.")
    part: Annotated[Whole, Field(ge=1, le=1_000_000)] = Field(1, description="Which part of a list that has several.")


def leaving_routes(service: Service) -> Resource:
    """Return the resource."""
    routes = Resource("Exports", "What changed since when, and what counts now for other systems.")

    @routes.operation("GET", "/v1/changes", Role.VIEWER, Gives(200, ChangesBody, "A page of changes."), problems=(404,))
    def list_changes(query: ChangesQuery) -> Answer:
        """List what was listed, delisted or restated since a time or a snapshot, in order of time."""
        place = query.place("changed", str, int, str, int)
        after = ChangesPosition(*place) if place else None
        page = service.changes(query.since, after=after, limit=query.limit, feed=query.feed)
        more = cursor_to("changed", *page.last) if page.last else None
        found = [listing_change_body(item) for item in page.changes]
        return Answer(200, {"since": page.since, "until": page.until, "changes": found, "next": more})

    medias = tuple(dict.fromkeys(item.media_type.partition(";")[0] for item in EXPORTS.values()))

    @routes.operation("GET", "/v1/exports/{format}", Role.VIEWER, Gives(200, ExportBody, "The export.", media=medias))
    def export(path: ExportPath, query: ExportQuery) -> Response:
        """Give what counts now, streamed. What the format cannot say is left out."""
        exporting = service.export(path.format, policy=query.policy, feed=query.feed, part=query.part)
        blocks = exporting.blocks()
        # What can go wrong goes wrong before the first block: once it is sent, no problem can be told.
        first = next(blocks)
        response = Response(chain([first], blocks), content_type=exporting.format.media_type)
        response.headers["Content-Disposition"] = f'attachment; filename="{exporting.filename}"'
        response.headers["Cache-Control"] = "no-store"
        return response

    return routes
