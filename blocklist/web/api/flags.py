"""Entries that are listed and worth a look, and the decisions on them."""

from __future__ import annotations

from pydantic import Field

from blocklist.domain.access import Role
from blocklist.domain.run import FlagState
from blocklist.lookup.http import Answer
from blocklist.service import Service
from blocklist.service.serialization import ruled_body
from blocklist.web.api.framework.pagination import PageQuery, page_response
from blocklist.web.api.framework.resource import Resource
from blocklist.web.api.framework.schemas import Decision, IdPath, NextPage, RuleFields, Timestamp
from blocklist.web.api.overrides import OverrideBody
from blocklist.web.authorization import current_identity


class FlagBody(RuleFields):
    """A flagged entry, with the decision on it if there is one."""

    id: int
    feed: str
    guard: str
    why: str
    entry: str
    position: int
    run: int
    flagged_at: Timestamp
    state: FlagState
    decided_by: str | None
    decided_at: Timestamp | None
    reason: str | None


class FlagPage(NextPage):
    """A page of flagged entries, oldest first."""

    flags: list[FlagBody]


class FlagQuery(PageQuery):
    """Filters of flagged entries."""

    feed: str | None = Field(None, max_length=64)
    state: FlagState | None = Field(None, description="Default: any state.")


def resource(service: Service) -> Resource:
    """Return the resource."""
    routes = Resource("Flags", "Entries that are listed and worth a look, such as sites that are used much.")

    @routes.operation("GET", "/v1/flags", role=Role.VIEWER, returns=FlagPage)
    def list_flags(query: FlagQuery) -> Answer:
        """List the flagged entries, oldest first."""
        after = query.after("flags", 0)
        found = service.flags.page(feed=query.feed, state=query.state, after=after, limit=query.limit + 1)
        return page_response("flags", found, query, ruled_body, lambda flag: flag.id)

    @routes.operation("GET", "/v1/flags/{id}", role=Role.VIEWER, returns=FlagBody)
    def show_flag(path: IdPath) -> Answer:
        """Show a flagged entry."""
        return Answer(200, ruled_body(service.flags.get(path.id)))

    @routes.operation("POST", "/v1/flags/{id}/dismiss", role=Role.APPROVER, returns=FlagBody, problems=(409,))
    def dismiss_flag(path: IdPath, body: Decision) -> Answer:
        """Dismiss a flag: the site is listed rightly. This closes the flags of other feeds for the same rule, too."""
        return Answer(200, ruled_body(service.flags.dismiss(path.id, current_identity().actor, body.reason)))

    @routes.operation("POST", "/v1/flags/{id}/allow", role=Role.APPROVER, returns=OverrideBody, problems=(409,))
    def allow_flag(path: IdPath, body: Decision) -> Answer:
        """Allow a flagged site: add an override that allows it, close its flags, and publish."""
        return Answer(200, ruled_body(service.flags.allow(path.id, current_identity().actor, body.reason)))

    return routes
