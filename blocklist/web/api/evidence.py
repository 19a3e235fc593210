"""Evidence: who listed a target, since when, and on which legal order."""

from __future__ import annotations

from pydantic import BaseModel, Field

from blocklist.domain.access import Role
from blocklist.domain.clock import now, parse_time
from blocklist.domain.listing import AuthorityKind, RuleKind
from blocklist.lookup.http import Answer
from blocklist.service import Service, read_candidates
from blocklist.service.serialization import listing_body
from blocklist.web.api.framework.pagination import StrictModel
from blocklist.web.api.framework.problems import invalid_fields
from blocklist.web.api.framework.resource import Resource
from blocklist.web.api.framework.schemas import ListingFields, Timestamp


class ListingBody(ListingFields):
    """A rule as listed by one feed, with its interval."""

    kind_of_rule: RuleKind
    feed: str
    authority: str
    kind: AuthorityKind
    country: str
    stated_from: Timestamp
    listed_until: Timestamp | None
    position: int
    run: int
    body_sha256: str | None


class History(BaseModel):
    """All listings of rules that match the target, oldest first."""

    target: str
    listings: list[ListingBody]


class ListingsAt(History):
    """The listings that were in force at a time."""

    at: Timestamp


class TargetQuery(StrictModel):
    """The target."""

    target: str = Field(min_length=1, max_length=65_536, description="A host, a URL, or `app:` and an id.")


class MomentQuery(TargetQuery):
    """The target and a time."""

    at: str | None = Field(None, description="A time such as 2026-11-23 or 2026-11-23T10:00:00Z; default: now.")


def resource(service: Service) -> Resource:
    """Return the resource."""
    routes = Resource("Evidence", "Who listed what, since when, and on which legal order.")

    @routes.operation("GET", "/v1/history", role=Role.VIEWER, returns=History)
    def show_history(query: TargetQuery) -> Answer:
        """List all listings, past and present, of rules that match a target."""
        listings = service.evidence.history_of(read_candidates(query.target))
        return Answer(200, {"target": query.target, "listings": [listing_body(item) for item in listings]})

    @routes.operation("GET", "/v1/listings", role=Role.VIEWER, returns=ListingsAt)
    def show_listings(query: MomentQuery) -> Answer:
        """List the listings of a target that were in force at a time."""
        try:
            at = parse_time(query.at) if query.at is not None else now()
        except ValueError as error:
            raise invalid_fields(400, [(("at",), str(error))], "parameter") from None
        found = service.evidence.history_of(read_candidates(query.target), at)
        return Answer(200, {"target": query.target, "at": at, "listings": [listing_body(item) for item in found]})

    return routes
