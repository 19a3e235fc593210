"""The control plane's HTTP API: one module a resource, with its shapes and its views over the service's functions."""

from __future__ import annotations

from blocklist.service import Service
from blocklist.web.api.audit import audit_routes
from blocklist.web.api.docs_page import docs_pages
from blocklist.web.api.evidence import evidence_routes
from blocklist.web.api.exports import leaving_routes
from blocklist.web.api.feeds import feed_routes
from blocklist.web.api.framework.openapi import DescribedApp, methods_of
from blocklist.web.api.holds import hold_routes
from blocklist.web.api.notifications import notification_routes
from blocklist.web.api.overrides import override_routes
from blocklist.web.api.people import people_routes
from blocklist.web.api.refreshes import refresh_routes
from blocklist.web.api.runs import run_routes
from blocklist.web.api.system import operation_routes
from blocklist.web.api.tokens import token_routes

__all__ = ["DescribedApp", "add_api", "methods_of"]

_RESOURCES = (
    feed_routes,
    refresh_routes,
    run_routes,
    hold_routes,
    evidence_routes,
    leaving_routes,
    override_routes,
    people_routes,
    token_routes,
    audit_routes,
    notification_routes,
    operation_routes,
)


def add_api(app: DescribedApp, service: Service) -> None:
    """Answer the API of the control plane, and its description."""
    app.add(make(service) for make in _RESOURCES)
    app.register_blueprint(docs_pages(app))
