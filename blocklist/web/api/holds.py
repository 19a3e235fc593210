"""Entries that are held alone, and the decisions on them."""

from __future__ import annotations

from pydantic import Field

from blocklist.domain.access import Role
from blocklist.domain.run import HoldState
from blocklist.lookup.http import Answer
from blocklist.service import Service
from blocklist.service.serialization import hold_body
from blocklist.web.api.framework.pagination import PageQuery, page_of
from blocklist.web.api.framework.resource import Gives, Resource
from blocklist.web.api.framework.schemas import ById, Decision, Moment, Next, Ruled
from blocklist.web.authorization import current_identity


class HoldBody(Ruled):
    """One entry that waits for a person alone, or about which one decided."""

    id: int
    feed: str
    guard: str
    why: str
    entry: str
    position: int
    run: int
    held_at: Moment
    state: HoldState
    decided_by: str | None
    decided_at: Moment | None
    reason: str | None


class HoldPage(Next):
    """A page of holds, oldest first."""

    holds: list[HoldBody]


class HoldQuery(PageQuery):
    """Which holds."""

    feed: str | None = Field(None, max_length=64)
    state: HoldState | None = Field(None, description="Without: in any state.")


def hold_routes(service: Service) -> Resource:
    """Return the resource."""
    routes = Resource("Holds", "Entries held alone, such as a popular host, while the rest of their list serves.")

    @routes.operation("GET", "/v1/holds", Role.VIEWER, Gives(200, HoldPage, "A page of holds, oldest first."))
    def list_holds(query: HoldQuery) -> Answer:
        """List the entries held alone, oldest first."""
        (after,) = query.place("holds", int) or (0,)
        found = service.holds.page(feed=query.feed, state=query.state, after=after, limit=query.limit + 1)
        return page_of("holds", found, query, hold_body, lambda hold: hold.id)

    @routes.operation("GET", "/v1/holds/{id}", Role.VIEWER, Gives(200, HoldBody, "The hold."))
    def show_hold(path: ById) -> Answer:
        """Show an entry held alone."""
        return Answer(200, hold_body(service.holds.get(path.id)))

    @routes.operation(
        *("POST", "/v1/holds/{id}/approve", Role.APPROVER), Gives(200, HoldBody, "The hold."), problems=(409,)
    )
    def approve_hold(path: ById, body: Decision) -> Answer:
        """List an entry now, and whenever its feed names it."""
        return Answer(200, hold_body(service.holds.approve(path.id, current_identity().actor, body.reason)))

    @routes.operation(
        *("POST", "/v1/holds/{id}/refuse", Role.APPROVER), Gives(200, HoldBody, "The hold."), problems=(409,)
    )
    def refuse_hold(path: ById, body: Decision) -> Answer:
        """Keep an entry off the list, whenever its feed names it."""
        return Answer(200, hold_body(service.holds.refuse(path.id, current_identity().actor, body.reason)))

    @routes.operation(
        *("POST", "/v1/holds/{id}/revoke", Role.APPROVER), Gives(200, HoldBody, "The hold."), problems=(409,)
    )
    def revoke_hold(path: ById, body: Decision) -> Answer:
        """Take a decision back: the entry waits again, and is not listed meanwhile."""
        return Answer(200, hold_body(service.holds.revoke(path.id, current_identity().actor, body.reason)))

    return routes
