"""The audit log."""

from __future__ import annotations

from typing import Any, Literal

from flask import Response
from pydantic import BaseModel, Field

from blocklist.domain.access import Role
from blocklist.lookup.http import Answer
from blocklist.service import Service
from blocklist.web.api.framework.pagination import LAST_ID, PageQuery, StrictModel, page_response
from blocklist.web.api.framework.resource import Resource, ResponseSpec
from blocklist.web.api.framework.schemas import NextPage, Timestamp
from blocklist.web.responses import download


class AuditEvent(BaseModel):
    """One change: who made it, from which address, on what, and the details."""

    id: int
    at: Timestamp
    actor: str
    origin: str = Field(description="The network address of the caller; `local` for a command.")
    action: str = Field(examples=["feed.edit"])
    target: str
    detail: dict[str, Any]


class AuditPage(NextPage):
    """A page of events, newest first."""

    events: list[AuditEvent]


class AuditState(BaseModel):
    """Whether the hash chain is intact."""

    whole: bool
    broken: list[int] = Field(description="Ids of events that do not follow from the event before them; at most 1,000.")


class AuditQuery(PageQuery):
    """Which events: those whose member contains the text, ignoring case."""

    actor: str = Field("", max_length=200)
    action: str = Field("", max_length=200)
    target: str = Field("", max_length=200)


class ExpectedQuery(StrictModel):
    """An event that the log must contain."""

    expected: str = Field("", max_length=100, description="The id and hash of an event, noted earlier: `ID:HASH`.")


class AuditExportQuery(StrictModel):
    """The file format."""

    format: Literal["jsonl", "csv"] = "jsonl"


def resource(service: Service) -> Resource:
    """Return the resource."""
    routes = Resource("Audit", "The audit log: every change.")

    @routes.operation("GET", "/v1/audit", role=Role.VIEWER, returns=AuditPage)
    def list_events(query: AuditQuery) -> Answer:
        """List the audit events, newest first."""
        before = query.after("events", LAST_ID)
        found = service.audit.events(query.limit + 1, before, **query.model_dump(include={"actor", "action", "target"}))
        return page_response("events", found, query, lambda event: event, lambda event: int(event["id"]))

    @routes.operation("GET", "/v1/audit/verify", role=Role.VIEWER, returns=AuditState)
    def verify_audit(query: ExpectedQuery) -> Answer:
        """Verify the hash chain from the first event to the last."""
        broken = service.audit.broken(query.expected)
        return Answer(200, {"whole": not broken, "broken": broken[:1_000]})

    @routes.operation(
        "GET",
        "/v1/audit/export",
        role=Role.VIEWER,
        returns=ResponseSpec(None, description="Every event, oldest first.", media_types=("text/plain",)),
    )
    def export_audit(query: AuditExportQuery) -> Response:
        """Download the whole log, one event per line: JSON, or CSV without formulas."""
        lines = (line.encode() for line in service.audit.export(query.format))
        return download(lines, f"audit.{query.format}", "text/plain; charset=utf-8")

    return routes
