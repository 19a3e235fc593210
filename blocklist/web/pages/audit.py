"""The audit log: search, verification of its hash chain, and download."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template, request

from blocklist.domain.access import Role
from blocklist.service import Service
from blocklist.service.audit import AuditFormat
from blocklist.web.authorization import needs
from blocklist.web.pages.layout import PAGE_SIZE, Form, query_number
from blocklist.web.responses import download

_FILTERS = ("actor", "action", "target")
_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}


def register(pages: Blueprint, service: Service) -> None:
    """Register the pages of the audit log."""

    @pages.get("/audit")
    @needs(Role.VIEWER)
    def audit() -> str:
        filters = {name: request.args.get(name, "").strip() for name in _FILTERS}
        before = query_number("before")
        found = service.audit.events(PAGE_SIZE + 1, before or 2**63 - 1, **filters)
        form = Form(request.args)
        broken: list[int] | None = None
        if request.args.get("verify") == "1":
            with form.problem_at("expected"):
                broken = service.audit.broken(form["expected"])
        return render_template(
            "audit.html",
            section="Audit",
            events=[event | {"rest": _rest(event["detail"])} for event in found[:PAGE_SIZE]],
            more=len(found) > PAGE_SIZE,
            form=form,
            broken=broken,
        )

    @pages.get("/audit/export")
    @needs(Role.VIEWER)
    def export_audit() -> Response:
        format_: AuditFormat = "jsonl" if request.args.get("format") == "jsonl" else "csv"
        lines = (line.encode() for line in service.audit.export(format_))
        return download(lines, f"audit.{format_}", _TYPES[format_])


def _rest(detail: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the other details of an event as names and values; nested objects are flattened by one level."""
    rest: list[tuple[str, str]] = []
    for key, value in detail.items():
        # The reason has its own place on the page.
        if key == "reason" or value in (None, "", {}, []):
            continue
        if isinstance(value, dict):
            rest += [(f"{key}: {name}", str(inner)) for name, inner in value.items() if inner is not None]
        else:
            rest.append((key, str(value)))
    return rest
