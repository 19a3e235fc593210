"""Feeds and the catalog of ready definitions."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from blocklist.access.definition_limits import check_definition_allowed
from blocklist.definitions.catalog import catalog_names, from_catalog
from blocklist.definitions.definition import FeedDefinition, definition_of
from blocklist.definitions.merge import amend_definition, draft_definition
from blocklist.domain.access import Role
from blocklist.domain.listing import AuthorityKind, Feed
from blocklist.domain.run import Outcome
from blocklist.lookup.http import Answer
from blocklist.service import Service
from blocklist.service.feeds import version_of
from blocklist.web.api.framework.idempotency import IdempotencyHeaders, run_idempotent
from blocklist.web.api.framework.merge_patch import PartialDocument
from blocklist.web.api.framework.pagination import PageQuery, page_response
from blocklist.web.api.framework.preconditions import OptionalIfMatch, RequiredIfMatch, etag_header, read_if_match
from blocklist.web.api.framework.resource import Resource, ResponseSpec, created
from blocklist.web.api.framework.schemas import NextPage, Timestamp
from blocklist.web.authorization import current_identity

#: Seconds that a change waits until the current run of the feed has ended.
WAIT_FOR_RUN = 10
_ETAG = {"ETag": "The version, for If-Match."}


class FeedPath(BaseModel):
    """The name of a feed in an address."""

    name: str = Field(min_length=1, max_length=64, pattern=r"^[a-z0-9-]+$")


class FeedRow(BaseModel):
    """A feed and its current state."""

    name: str
    title: str
    authority: str
    kind: AuthorityKind
    country: str
    state: Literal["new", "fresh", "stale", "paused"]
    listed: int = Field(description="Number of sites that the feed lists now.")
    waiting: int = Field(description="Number of held entries that wait for a decision.")
    flagged: int = Field(description="Number of listed entries that are worth a look.")
    reviews: int = Field(description="Number of held runs that wait for review.")
    every: int = Field(description="Seconds between refreshes.")
    last_attempt: Timestamp | None
    last_success: Timestamp | None
    last_change: Timestamp | None
    next_due: Timestamp | None
    last_outcome: Outcome | None
    last_reason: str


class FeedDetail(FeedRow):
    """A feed with its current state and its definition."""

    definition: dict[str, Any] = Field(description="See FeedDefinition; members with the default value are left out.")


class FeedPage(NextPage):
    """A page of feeds, sorted by name."""

    feeds: list[FeedRow]


class RemovedFeed(BaseModel):
    """The removed feed. Its listings have ended and stay in the history."""

    name: str
    delisted: int = Field(description="Number of sites that are no longer listed.")


class CatalogPage(NextPage):
    """A page of the catalog, sorted by name."""

    model_config = ConfigDict(title="CatalogPage")
    feeds: list[FeedDefinition]


class FeedPatch(PartialDocument):
    """A merge patch (RFC 7396) of a definition: missing members stay as they are, null resets to the default."""

    document = FeedDefinition


class NewFeed(PartialDocument):
    """A definition. If the catalog has a feed of this name, missing members are taken from there."""

    document = FeedDefinition
    required_members = ("name",)


_FEED = ResponseSpec(FeedDetail, headers=_ETAG)


def resource(service: Service) -> Resource:
    """Return the resource."""
    routes = Resource("Feeds", "Published lists and their state.")

    @routes.operation("GET", "/v1/feeds", role=Role.VIEWER, returns=FeedPage)
    def list_feeds(query: PageQuery) -> Answer:
        """List the feeds and their state."""
        found = service.feeds.rows(service.feeds.page(query.after("feeds", ""), query.limit + 1))
        return page_response("feeds", found, query, lambda row: row, lambda row: str(row["name"]))

    @routes.operation("POST", "/v1/feeds", role=Role.EDITOR, returns=created(FeedDetail, _ETAG), problems=(409,))
    def add_feed(header: IdempotencyHeaders, body: NewFeed) -> Answer:
        """Add a feed.

        The body is its definition. If the catalog has a feed of this name, missing members are taken from there. A
        source that is a file on the server, or that has credentials, needs the role admin.
        """

        def add() -> Answer:
            definition = draft_definition(body.root, strict=True)
            check_definition_allowed(current_identity().role, definition)
            feed = service.feeds.add(definition, current_identity().actor)
            return _answer(service, feed, 201, ("Location", f"/v1/feeds/{feed.name}"))

        return run_idempotent(service, header, add)

    @routes.operation("GET", "/v1/feeds/{name}", role=Role.VIEWER, returns=_FEED)
    def show_feed(path: FeedPath) -> Answer:
        """Show a feed, with its definition."""
        return _answer(service, service.feeds.get(path.name))

    @routes.operation("PATCH", "/v1/feeds/{name}", role=Role.EDITOR, returns=_FEED, problems=(409, 412, 428))
    def edit_feed(path: FeedPath, header: RequiredIfMatch, body: FeedPatch) -> Answer:
        """Change the definition of a feed. Its listings and history stay.

        The body is a merge patch (RFC 7396) of the definition: missing members stay as they are, null resets to the
        default. If the source or the parsing of rows changes, the feed is due immediately.
        """

        def change(known: FeedDefinition) -> FeedDefinition:
            definition = amend_definition(known, body.root, strict=True)
            check_definition_allowed(current_identity().role, definition, known)
            return definition

        actor = current_identity().actor
        seen = read_if_match(header)
        return _answer(service, service.feeds.edit(path.name, change, actor, seen=seen, wait=WAIT_FOR_RUN))

    @routes.operation("DELETE", "/v1/feeds/{name}", role=Role.EDITOR, returns=RemovedFeed, problems=(409, 412))
    def remove_feed(path: FeedPath, header: OptionalIfMatch) -> Answer:
        """Remove a feed. Its sites are delisted; the history stays."""
        closed = service.feeds.remove(
            path.name, current_identity().actor, seen=read_if_match(header), wait=WAIT_FOR_RUN
        )
        return Answer(200, {"name": path.name, "delisted": closed})

    @routes.operation("POST", "/v1/feeds/{name}/pause", role=Role.EDITOR, returns=_FEED, problems=(412,))
    def pause_feed(path: FeedPath, header: OptionalIfMatch) -> Answer:
        """Pause the schedule of a feed. Its listings stay in force."""
        return _answer(service, service.feeds.pause(path.name, current_identity().actor, read_if_match(header)))

    @routes.operation("POST", "/v1/feeds/{name}/resume", role=Role.EDITOR, returns=_FEED, problems=(412,))
    def resume_feed(path: FeedPath, header: OptionalIfMatch) -> Answer:
        """Resume the schedule of a feed. It is due immediately."""
        return _answer(service, service.feeds.resume(path.name, current_identity().actor, read_if_match(header)))

    @routes.operation("GET", "/v1/catalog", role=Role.VIEWER, returns=CatalogPage)
    def list_catalog(query: PageQuery) -> Answer:
        """List the definitions that are ready to add.

        Definitions with `reference_only` cannot be added; their notes say why.
        """
        after = query.after("feeds", "")
        names = [name for name in catalog_names() if name > after][: query.limit + 1]
        return page_response("feeds", names, query, lambda name: from_catalog(name).model_dump(mode="json"), str)

    return routes


def _answer(service: Service, feed: Feed, status: int = 200, *headers: tuple[str, str]) -> Answer:
    (row,) = service.feeds.rows([feed])
    definition = definition_of(feed).model_dump(mode="json", exclude_defaults=True)
    return Answer(status, {**row, "definition": definition}, (*headers, etag_header(version_of(feed))))
