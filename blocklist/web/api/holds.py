"""Held entries, and the decisions on them."""

from __future__ import annotations

from pydantic import Field

from blocklist.domain.access import Role
from blocklist.domain.run import HoldState
from blocklist.lookup.http import Answer
from blocklist.service import Service
from blocklist.service.serialization import ruled_body
from blocklist.web.api.framework.pagination import PageQuery, page_response
from blocklist.web.api.framework.resource import Resource
from blocklist.web.api.framework.schemas import Decision, IdPath, NextPage, RuleFields, Timestamp
from blocklist.web.authorization import current_identity


class HoldBody(RuleFields):
    """A held entry, with the decision on it if there is one."""

    id: int
    feed: str
    guard: str
    why: str
    entry: str
    position: int
    run: int
    held_at: Timestamp
    state: HoldState
    decided_by: str | None
    decided_at: Timestamp | None
    reason: str | None


class HoldPage(NextPage):
    """A page of held entries, oldest first."""

    holds: list[HoldBody]


class HoldQuery(PageQuery):
    """Filters of held entries."""

    feed: str | None = Field(None, max_length=64)
    state: HoldState | None = Field(None, description="Default: any state.")


def resource(service: Service) -> Resource:
    """Return the resource."""
    routes = Resource("Holds", "Held entries, such as popular hosts. The rest of their list is in force.")

    @routes.operation("GET", "/v1/holds", role=Role.VIEWER, returns=HoldPage)
    def list_holds(query: HoldQuery) -> Answer:
        """List the held entries, oldest first."""
        after = query.after("holds", 0)
        found = service.holds.page(feed=query.feed, state=query.state, after=after, limit=query.limit + 1)
        return page_response("holds", found, query, ruled_body, lambda hold: hold.id)

    @routes.operation("GET", "/v1/holds/{id}", role=Role.VIEWER, returns=HoldBody)
    def show_hold(path: IdPath) -> Answer:
        """Show a held entry."""
        return Answer(200, ruled_body(service.holds.get(path.id)))

    @routes.operation("POST", "/v1/holds/{id}/approve", role=Role.APPROVER, returns=HoldBody, problems=(409,))
    def approve_hold(path: IdPath, body: Decision) -> Answer:
        """Approve a held entry: it is listed now and in later lists of its feed."""
        return Answer(200, ruled_body(service.holds.approve(path.id, current_identity().actor, body.reason)))

    @routes.operation("POST", "/v1/holds/{id}/refuse", role=Role.APPROVER, returns=HoldBody, problems=(409,))
    def refuse_hold(path: IdPath, body: Decision) -> Answer:
        """Refuse a held entry: it is not listed, now or in later lists of its feed."""
        return Answer(200, ruled_body(service.holds.refuse(path.id, current_identity().actor, body.reason)))

    @routes.operation("POST", "/v1/holds/{id}/revoke", role=Role.APPROVER, returns=HoldBody, problems=(409,))
    def revoke_hold(path: IdPath, body: Decision) -> Answer:
        """Revoke a decision: the entry waits again, and is not listed until then."""
        return Answer(200, ruled_body(service.holds.revoke(path.id, current_identity().actor, body.reason)))

    return routes
