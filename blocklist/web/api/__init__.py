"""The HTTP API of the control plane: one module for each resource, with its schemas and its views."""

from __future__ import annotations

from blocklist.service import Service
from blocklist.web.api import (
    audit,
    evidence,
    exports,
    feeds,
    flags,
    holds,
    notifications,
    overrides,
    people,
    refreshes,
    runs,
    system,
    tokens,
)
from blocklist.web.api.docs_page import docs_pages
from blocklist.web.api.framework.openapi import OpenApiApp, allowed_methods
from blocklist.web.api.lookups import LOOKUP_MODELS, LOOKUP_PATHS, LOOKUP_TAG

__all__ = ["OpenApiApp", "add_api", "allowed_methods"]

_RESOURCES = (
    feeds,
    refreshes,
    runs,
    holds,
    flags,
    evidence,
    exports,
    overrides,
    people,
    tokens,
    audit,
    notifications,
    system,
)


def add_api(app: OpenApiApp, service: Service) -> None:
    """Register the API of the control plane and its description."""
    app.add_resources(module.resource(service) for module in _RESOURCES)
    app.describe(LOOKUP_TAG, LOOKUP_PATHS, LOOKUP_MODELS)
    app.register_blueprint(docs_pages(app))
