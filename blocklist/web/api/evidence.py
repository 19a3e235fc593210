"""Evidence: who listed this, since when, on what order."""

from __future__ import annotations

from pydantic import BaseModel, Field

from blocklist.domain.access import Role
from blocklist.domain.clock import now, parse_time
from blocklist.domain.listing import AuthorityKind, RuleKind, Scope
from blocklist.lookup.http import Answer
from blocklist.service import Service, read_target
from blocklist.service.serialization import listing_body
from blocklist.web.api.framework.pagination import Query
from blocklist.web.api.framework.problems import faulty
from blocklist.web.api.framework.resource import Gives, Resource
from blocklist.web.api.framework.schemas import Moment


class ListingBody(BaseModel):
    """A rule as one feed lists it over an interval."""

    rule: str
    kind_of_rule: RuleKind
    scope: Scope
    feed: str
    authority: str
    kind: AuthorityKind
    country: str
    reference: str | None
    legal_basis: str | None
    published_at: str | None
    listed_from: Moment
    stated_from: Moment
    listed_until: Moment | None
    appeal_contact: str | None
    entry: str
    position: int
    run: int
    body_sha256: str | None


class History(BaseModel):
    """Every listing ever of what covers a target."""

    target: str
    listings: list[ListingBody]


class ListingsAt(History):
    """What listed a target at a moment."""

    at: Moment


class TargetQuery(Query):
    """Which target."""

    target: str = Field(min_length=1, max_length=65_536, description="A host, a URL, or `app:` and an id.")


class MomentQuery(TargetQuery):
    """Which target, and when."""

    at: str | None = Field(None, description="Such as 2026-11-23 or 2026-11-23T10:00:00Z; now without.")


def evidence_routes(service: Service) -> Resource:
    """Return the resource."""
    routes = Resource("Evidence", "Who listed what, since when, on what order.")

    @routes.operation("GET", "/v1/history", Role.VIEWER, Gives(200, History, "The listings, oldest first."))
    def show_history(query: TargetQuery) -> Answer:
        """Show every listing ever of what covers a target, by whom, from when, until when."""
        listings = service.evidence.history(read_target(query.target))
        return Answer(200, {"target": query.target, "listings": [listing_body(item) for item in listings]})

    @routes.operation("GET", "/v1/listings", Role.VIEWER, Gives(200, ListingsAt, "The listings of that moment."))
    def show_listings(query: MomentQuery) -> Answer:
        """Show what listed a target at a moment."""
        try:
            at = parse_time(query.at) if query.at is not None else now()
        except ValueError as error:
            raise faulty(400, [(("at",), str(error))], "parameter") from None
        found = service.evidence.history(read_target(query.target), at)
        body = {"target": query.target, "at": at, "listings": [listing_body(item) for item in found]}
        return Answer(200, body)

    return routes
