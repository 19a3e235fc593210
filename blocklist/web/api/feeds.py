"""Feeds: listed, added, changed, ended, tried."""

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
from blocklist.web.api.framework.idempotency import CreationHeaders, once
from blocklist.web.api.framework.merge_patch import FeedPatch, NewFeed
from blocklist.web.api.framework.pagination import PageQuery, page_of
from blocklist.web.api.framework.preconditions import MayMatch, MustMatch, seen_versions, tag_of
from blocklist.web.api.framework.resource import Gives, Resource
from blocklist.web.api.framework.schemas import Moment, Next
from blocklist.web.authorization import current_identity

#: Seconds that a change waits for a run of its feed to end.
WAIT_FOR_RUN = 10
_TAGGED = {"ETag": "The version, for If-Match."}


class ByName(BaseModel):
    """A feed, by its name."""

    name: str = Field(min_length=1, max_length=64, pattern=r"^[a-z0-9-]+$")


class FeedRow(BaseModel):
    """A feed and how it stands."""

    name: str
    title: str
    authority: str
    kind: AuthorityKind
    country: str
    state: Literal["new", "fresh", "stale", "paused"]
    listed: int = Field(description="Sites that it lists now.")
    waiting: int = Field(description="Entries that are held alone and wait for a decision.")
    reviews: int = Field(description="Held runs that wait for review.")
    every: int = Field(description="Seconds between refreshes.")
    last_attempt: Moment | None
    last_success: Moment | None
    last_change: Moment | None
    next_due: Moment | None
    last_outcome: Outcome | None
    last_reason: str


class FeedDetail(FeedRow):
    """A feed, with its definition as it is kept: what is not said is as usual."""

    definition: dict[str, Any] = Field(description="See FeedDefinition; members that are as usual are left out.")


class FeedPage(Next):
    """A page of feeds, by name."""

    feeds: list[FeedRow]


class RemovedFeed(BaseModel):
    """A feed that ended; its listings were closed and stay in the history."""

    name: str
    delisted: int


class CatalogPage(Next):
    """A page of the catalog, by name."""

    model_config = ConfigDict(title="CatalogPage")
    feeds: list[FeedDefinition]


def feed_routes(service: Service) -> Resource:
    """Return the resource."""
    routes = Resource("Feeds", "Published lists and how they stand.")

    @routes.operation("GET", "/v1/feeds", Role.VIEWER, Gives(200, FeedPage, "A page of feeds, by name."))
    def list_feeds(query: PageQuery) -> Answer:
        """List the feeds and how fresh each is."""
        (after,) = query.place("feeds", str) or ("",)
        found = service.feeds.rows(service.feeds.page(after, query.limit + 1))
        return page_of("feeds", found, query, lambda row: row, lambda row: str(row["name"]))

    @routes.operation(
        *("POST", "/v1/feeds", Role.EDITOR),
        Gives(201, FeedDetail, "The feed; it is due at once.", {"Location": "Its address.", **_TAGGED}),
        problems=(409,),
    )
    def add_feed(header: CreationHeaders, body: NewFeed) -> Answer:
        """Add a feed.

        The body is its definition. What it leaves out is the catalog's, where the catalog has a feed of that name. A
        source on this machine, and one with credentials, need the role admin.
        """

        def add() -> Answer:
            definition = draft_definition(body.root, strict=True)
            check_definition_allowed(current_identity().role, definition)
            feed = service.feeds.add(definition, current_identity().actor)
            return _answer(service, feed, 201, ("Location", f"/v1/feeds/{feed.name}"))

        return once(service, header, add)

    @routes.operation("GET", "/v1/feeds/{name}", Role.VIEWER, Gives(200, FeedDetail, "The feed.", _TAGGED))
    def show_feed(path: ByName) -> Answer:
        """Show a feed, with its definition."""
        return _answer(service, service.feeds.get(path.name))

    @routes.operation(
        *("PATCH", "/v1/feeds/{name}", Role.EDITOR),
        Gives(200, FeedDetail, "The feed as it is now.", _TAGGED),
        problems=(409, 412, 428),
    )
    def edit_feed(path: ByName, header: MustMatch, body: FeedPatch) -> Answer:
        """Change a feed's definition in place; its listings and their history go on.

        A merge patch (RFC 7396) of the definition: what it leaves out stays, null is as usual. With another source, or
        when rows are read otherwise, the feed is due at once.
        """

        def change(known: FeedDefinition) -> FeedDefinition:
            definition = amend_definition(known, body.root, strict=True)
            check_definition_allowed(current_identity().role, definition, known)
            return definition

        actor = current_identity().actor
        seen = seen_versions(header)
        return _answer(service, service.feeds.edit(path.name, change, actor, seen=seen, wait=WAIT_FOR_RUN))

    @routes.operation(
        *("DELETE", "/v1/feeds/{name}", Role.EDITOR),
        Gives(200, RemovedFeed, "How many sites were delisted."),
        problems=(409, 412),
    )
    def remove_feed(path: ByName, header: MayMatch) -> Answer:
        """End a feed: its sites are delisted, and stay in the history."""
        closed = service.feeds.remove(
            path.name, current_identity().actor, seen=seen_versions(header), wait=WAIT_FOR_RUN
        )
        return Answer(200, {"name": path.name, "delisted": closed})

    @routes.operation(
        *("POST", "/v1/feeds/{name}/pause", Role.EDITOR),
        Gives(200, FeedDetail, "The feed as it is now.", _TAGGED),
        problems=(412,),
    )
    def pause_feed(path: ByName, header: MayMatch) -> Answer:
        """Stop a feed's schedule; what it lists goes on counting."""
        return _answer(service, service.feeds.pause(path.name, current_identity().actor, seen_versions(header)))

    @routes.operation(
        *("POST", "/v1/feeds/{name}/resume", Role.EDITOR),
        Gives(200, FeedDetail, "The feed as it is now.", _TAGGED),
        problems=(412,),
    )
    def resume_feed(path: ByName, header: MayMatch) -> Answer:
        """Resume a feed's schedule; it is due at once."""
        return _answer(service, service.feeds.resume(path.name, current_identity().actor, seen_versions(header)))

    @routes.operation("GET", "/v1/catalog", Role.VIEWER, Gives(200, CatalogPage, "A page of definitions, by name."))
    def list_catalog(query: PageQuery) -> Answer:
        """List the definitions that are ready to add.

        Those for reference only (`reference_only`) cannot be added; their notes say why.
        """
        (after,) = query.place("feeds", str) or ("",)
        names = [name for name in catalog_names() if name > after][: query.limit + 1]
        return page_of("feeds", names, query, lambda name: from_catalog(name).model_dump(mode="json"), str)

    return routes


def _answer(service: Service, feed: Feed, status: int = 200, *headers: tuple[str, str]) -> Answer:
    (row,) = service.feeds.rows([feed])
    definition = definition_of(feed).model_dump(mode="json", exclude_defaults=True)
    return Answer(status, {**row, "definition": definition}, (*headers, tag_of(version_of(feed))))
