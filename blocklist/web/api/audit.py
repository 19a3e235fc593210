"""The log of every change."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from blocklist.lookup.resolver import Answer
from blocklist.service import Service
from blocklist.vocabulary import Role
from blocklist.web.api.pages import PageQuery, page_of
from blocklist.web.api.resource import Gives, Resource
from blocklist.web.api.words import Moment, Next


class AuditEvent(BaseModel):
    """One change: by whom, from where, of what, and what went with it."""

    id: int
    at: Moment
    actor: str
    origin: str = Field(description="The address that it was asked for from; `local` for a command.")
    action: str = Field(examples=["feed.edit"])
    target: str
    detail: dict[str, Any]


class AuditPage(Next):
    """A page of events, newest first."""

    events: list[AuditEvent]


class AuditState(BaseModel):
    """Whether each event follows from the one before; ``broken`` are those that do not."""

    whole: bool
    broken: list[int]


def audit_routes(service: Service) -> Resource:
    """Return the resource."""
    routes = Resource("Audit", "The log of every change.")

    @routes.operation("GET", "/v1/audit", Role.VIEWER, Gives(200, AuditPage, "A page of events, newest first."))
    def list_events(query: PageQuery) -> Answer:
        """List the changes, newest first."""
        (before,) = query.place("events", int) or (2**63 - 1,)
        found = service.store.audit.events(query.limit + 1, before)
        return page_of("events", found, query, lambda event: event, lambda event: int(event["id"]))

    @routes.operation("GET", "/v1/audit/verify", Role.VIEWER, Gives(200, AuditState, "What was found."))
    def verify_audit() -> Answer:
        """Follow the chain of hashes from the first event to the last."""
        broken = service.store.audit.broken_links()
        return Answer(200, {"whole": not broken, "broken": broken[:1_000]})

    return routes
