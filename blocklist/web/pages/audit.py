"""The audit log: every change, by whom, when, from where; whether nobody touched it; and all of it to take along."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template, request

from blocklist.domain.access import Role
from blocklist.domain.errors import UsageError
from blocklist.service import Service
from blocklist.service.audit import AuditFormat
from blocklist.web.authorization import needs
from blocklist.web.pages.layout import PAGE, Form, number_from

_NARROWED = ("actor", "action", "target")
#: What of an event's detail is shown as sentences of its own.
_OWN = ("reason",)
_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}


def add(pages: Blueprint, service: Service) -> None:
    """Add the audit log."""

    @pages.get("/audit")
    @needs(Role.VIEWER)
    def audit() -> str:
        narrowed = {name: request.args.get(name, "").strip() for name in _NARROWED}
        before = number_from("before")
        found = service.audit.events(PAGE + 1, before or 2**63 - 1, **narrowed)
        form = Form(request.args)
        verified: list[int] | None = None
        if request.args.get("verify") == "1":
            try:
                verified = service.audit.broken(form["expected"])
            except UsageError as error:
                form.problems["expected"] = str(error)
        return render_template(
            "audit.html",
            section="Audit",
            events=[event | {"rest": _rest(event["detail"])} for event in found[:PAGE]],
            more=len(found) > PAGE,
            form=form,
            broken=verified,
        )

    @pages.get("/audit/export")
    @needs(Role.VIEWER)
    def export_audit() -> Response:
        format_: AuditFormat = "jsonl" if request.args.get("format") == "jsonl" else "csv"
        lines = (line.encode() for line in service.audit.export(format_))
        response = Response(lines, content_type=_TYPES[format_])
        response.headers["Content-Disposition"] = f'attachment; filename="audit.{format_}"'
        return response


def _rest(detail: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what else an event tells, as names and values, tables opened one level deep."""
    rest: list[tuple[str, str]] = []
    for key, value in detail.items():
        if key in _OWN or value in (None, "", {}, []):
            continue
        if isinstance(value, dict):
            rest += [(f"{key}: {name}", str(inner)) for name, inner in value.items() if inner is not None]
        else:
            rest.append((key, str(value)))
    return rest
