"""The HTTP API of the control plane: one module for each resource, with its schemas and its views."""

from __future__ import annotations

from blocklist.service import Service
from blocklist.web.api.audit import audit_routes
from blocklist.web.api.docs_page import docs_pages
from blocklist.web.api.evidence import evidence_routes
from blocklist.web.api.exports import export_routes
from blocklist.web.api.feeds import feed_routes
from blocklist.web.api.framework.openapi import OpenApiApp, allowed_methods
from blocklist.web.api.holds import hold_routes
from blocklist.web.api.lookups import LOOKUP_MODELS, LOOKUP_PATHS, LOOKUP_TAG
from blocklist.web.api.notifications import notification_routes
from blocklist.web.api.overrides import override_routes
from blocklist.web.api.people import people_routes
from blocklist.web.api.refreshes import refresh_routes
from blocklist.web.api.runs import run_routes
from blocklist.web.api.system import system_routes
from blocklist.web.api.tokens import token_routes

__all__ = ["OpenApiApp", "add_api", "allowed_methods"]

_RESOURCES = (
    feed_routes,
    refresh_routes,
    run_routes,
    hold_routes,
    evidence_routes,
    export_routes,
    override_routes,
    people_routes,
    token_routes,
    audit_routes,
    notification_routes,
    system_routes,
)


def add_api(app: OpenApiApp, service: Service) -> None:
    """Register the API of the control plane and its description."""
    app.add_resources(make(service) for make in _RESOURCES)
    app.describe(LOOKUP_TAG, LOOKUP_PATHS, LOOKUP_MODELS)
    app.register_blueprint(docs_pages(app))
