"""The OpenAPI 3.1 description of everything that the control plane serves, at ``/openapi.json``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Flask, Response, request
from flask_openapi3.models.info import Info
from flask_openapi3.models.security_scheme import SecurityScheme
from flask_openapi3.openapi import OpenAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

import blocklist
from blocklist.web.api.framework.problems import Problem
from blocklist.web.api.framework.resource import Resource

_DESCRIPTION = """The control plane of blocklist: feeds, runs, reviews, evidence, overrides, access, audit; and lookups.

Every request needs a token (`Authorization: Bearer …`). A token has a role: `viewer`, `editor`, `approver` or `admin`;
each role includes the rights of the roles before it. Times are RFC 3339 in UTC. Errors are problem documents (RFC
9457); `errors` points to each invalid field. Lists are paginated: `limit` is the page size, `next` is the `cursor` of
the next page. Responses may gain members: ignore those that you do not know.
"""
_TOKEN = SecurityScheme(type="http", scheme="bearer", description="A token from `blocklist token create`.")


class OpenApiApp(OpenAPI):
    """The Flask application of the control plane, with its OpenAPI description."""

    def __init__(self, name: str) -> None:
        super().__init__(
            name,
            static_folder=None,
            info=Info(title="blocklist", version=blocklist.__version__, description=_DESCRIPTION),
            security_schemes={"token": _TOKEN},
            validation_error_status=400,
            validation_error_model=Problem,
            doc_ui=False,
        )
        self._models: set[type[BaseModel]] = set()
        self._undecorated: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def add_resources(self, resources: Iterable[Resource]) -> None:
        """Register the views of these resources, and describe them."""
        for resource in resources:
            self.register_api(resource)
            self._models |= resource.models

    def describe(self, tag: dict[str, Any], paths: Mapping[str, Any], models: Iterable[type[BaseModel]]) -> None:
        """Add the OpenAPI description of paths that no :class:`Resource` serves."""
        self._undecorated.append((tag, dict(paths)))
        self._models |= set(models)

    def make_default_options_response(self) -> Response:
        """Answer OPTIONS with the methods of exactly this path: ``/v1/feeds/preview`` is not a feed."""
        response = super().make_default_options_response()
        if methods := allowed_methods(self, request.path):
            response.headers["Allow"] = ", ".join(methods)
        return response

    def generate_spec_json(self) -> None:
        """Build the description from the resources and from what :meth:`describe` added."""
        super().generate_spec_json()  # type: ignore[no-untyped-call]
        # flask-openapi3 drops JSON Schema keywords that it does not know, and nests schemas where they are first used.
        in_order = sorted(self._models, key=lambda model: model.__name__)
        _, schemas = models_json_schema(
            [(model, "validation") for model in in_order], ref_template="#/components/schemas/{model}"
        )
        self.spec_json["components"]["schemas"] = schemas["$defs"]
        for tag, paths in self._undecorated:
            self.spec_json["paths"] = {**self.spec_json["paths"], **paths}
            self.spec_json.setdefault("tags", []).append(tag)
        for methods in self.spec_json["paths"].values():
            for operation in methods.values():
                for parameter in operation.get("parameters", ()):
                    parameter["schema"] = _not_null(parameter["schema"])
            if "patch" in methods:
                bodies = methods["patch"]["requestBody"]["content"]
                bodies["application/merge-patch+json"] = bodies["application/json"]


def _not_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter without null: a parameter can be left out, but cannot be null."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice.get("type") != "null"]
    if len(choices) != 1:
        return schema
    return {**{name: value for name, value in schema.items() if name not in ("anyOf", "default")}, **choices[0]}


def allowed_methods(app: Flask, path: str) -> list[str]:
    """Return the methods that the description has for exactly this path; empty for a path with parameters."""
    described = app.api_doc["paths"].get(path) if isinstance(app, OpenApiApp) else None
    methods = {method.upper() for method in described or ()}
    return sorted(methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())) if methods else []
