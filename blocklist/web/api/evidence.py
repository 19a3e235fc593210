"""Evidence: who listed a target, since when, and on which legal order."""

from __future__ import annotations

from pydantic import BaseModel, Field

from blocklist.domain.access import Role
from blocklist.domain.clock import now, parse_time
from blocklist.domain.listing import AuthorityKind, RuleKind
from blocklist.lookup.http import Answer
from blocklist.service import Service, read_candidates
from blocklist.service.serialization import held_body, listing_body
from blocklist.web.api.framework.pagination import StrictModel
from blocklist.web.api.framework.problems import invalid_fields
from blocklist.web.api.framework.resource import Resource
from blocklist.web.api.framework.schemas import HeldListingBody, ListingFields, Timestamp


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
    hold_decision: str | None = Field(description="Why an entry that a guard held is listed: who decided, and why.")


class RefusedListingBody(HeldListingBody):
    """A rule that a person keeps off the list. If `hold` is null, the decision was on the whole run that named it."""

    decided_by: str
    decided_at: Timestamp
    decision: str = Field(description="The person's reason.")


class History(BaseModel):
    """All listings of rules that match the target, oldest first; what waits for a person; what a person refused."""

    target: str
    listings: list[ListingBody]
    held: list[HeldListingBody]
    refused: list[RefusedListingBody]


class ListingsAt(BaseModel):
    """The listings that were in force at a time."""

    target: str
    listings: list[ListingBody]
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
        """List all listings, past and present, of rules that match a target, and those that are held or refused."""
        candidates, address = read_candidates(query.target), service.settings.control_url
        targets = [target for target, _ in candidates]
        return Answer(
            200,
            {
                "target": query.target,
                "listings": [listing_body(item) for item in service.evidence.history_of(candidates)],
                "held": [held_body(item, address) for item in service.held.waiting(targets)],
                "refused": [held_body(item, address) for item in service.held.refused(targets)],
            },
        )

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
