"""The log of every change."""

from __future__ import annotations

from typing import Any, Literal

from flask import Response
from pydantic import BaseModel, Field

from blocklist.domain.access import Role
from blocklist.lookup.http import Answer
from blocklist.service import Service
from blocklist.web.api.framework.pagination import PageQuery, Query, page_of
from blocklist.web.api.framework.resource import Gives, Resource
from blocklist.web.api.framework.schemas import Moment, Next


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


class AuditQuery(PageQuery):
    """Which events: those with a text in who, what or on what, case ignored."""

    actor: str = Field("", max_length=200)
    action: str = Field("", max_length=200)
    target: str = Field("", max_length=200)


class ExpectedQuery(Query):
    """What the log must hold."""

    expected: str = Field("", max_length=100, description="The id and hash of an event, as noted elsewhere: `ID:HASH`.")


class AuditExportQuery(Query):
    """How to give the log."""

    format: Literal["jsonl", "csv"] = "jsonl"


def audit_routes(service: Service) -> Resource:
    """Return the resource."""
    routes = Resource("Audit", "The log of every change.")

    @routes.operation("GET", "/v1/audit", Role.VIEWER, Gives(200, AuditPage, "A page of events, newest first."))
    def list_events(query: AuditQuery) -> Answer:
        """List the changes, newest first."""
        (before,) = query.place("events", int) or (2**63 - 1,)
        narrowed = {"actor": query.actor, "action": query.action, "target": query.target}
        found = service.audit.events(query.limit + 1, before, **narrowed)
        return page_of("events", found, query, lambda event: event, lambda event: int(event["id"]))

    @routes.operation("GET", "/v1/audit/verify", Role.VIEWER, Gives(200, AuditState, "What was found."))
    def verify_audit(query: ExpectedQuery) -> Answer:
        """Follow the chain of hashes from the first event to the last."""
        broken = service.audit.broken(query.expected)
        return Answer(200, {"whole": not broken, "broken": broken[:1_000]})

    @routes.operation(
        *("GET", "/v1/audit/export", Role.VIEWER),
        Gives(200, None, "Every event, oldest first.", media="text/plain"),
    )
    def export_audit(query: AuditExportQuery) -> Response:
        """Give the whole log, a line an event: JSON, or CSV whose cells no spreadsheet takes for formulas."""
        lines = (line.encode() for line in service.audit.export(query.format))
        response = Response(lines, mimetype="text/plain")
        response.headers["Content-Disposition"] = f'attachment; filename="audit.{query.format}"'
        response.headers["Cache-Control"] = "no-store"
        return response

    return routes
