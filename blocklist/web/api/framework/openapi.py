"""The description of everything that the control plane answers, in OpenAPI 3.1, at ``/openapi.json``."""

from __future__ import annotations

from collections.abc import Iterable
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
from blocklist.web.api.lookups import LOOKUP_MODELS, LOOKUP_PATHS, LOOKUP_TAG

_ABOUT = """The control plane of blocklist: feeds, runs, reviews, evidence, overrides, access, audit; and lookups.

Every request shows a token (`Authorization: Bearer …`), which has a role: `viewer`, `editor`, `approver` or `admin`,
each of which may do what those before it may. Times are RFC 3339 in UTC. Errors are problem documents (RFC 9457);
`errors` points to each field at fault. Lists come in pages: `limit` says how large, `next` is the next one's `cursor`.
Answers may gain members: ignore those that you do not know.
"""
_TOKEN = SecurityScheme(type="http", scheme="bearer", description="A token that `blocklist token create` prints.")


class DescribedApp(OpenAPI):
    """The Flask application of the control plane, which knows what it answers."""

    def __init__(self, name: str) -> None:
        super().__init__(
            name,
            static_folder=None,
            info=Info(title="blocklist", version=blocklist.__version__, description=_ABOUT),
            security_schemes={"token": _TOKEN},
            validation_error_status=400,
            validation_error_model=Problem,
            doc_ui=False,
        )
        self.models: set[type[BaseModel]] = set(LOOKUP_MODELS)

    def add(self, resources: Iterable[Resource]) -> None:
        """Answer what these resources answer."""
        for resource in resources:
            self.register_api(resource)
            self.models |= resource.models

    def make_default_options_response(self) -> Response:
        """Answer OPTIONS with the methods of this very address: ``/v1/feeds/preview`` is no feed."""
        response = super().make_default_options_response()
        if methods := methods_of(self, request.path):
            response.headers["Allow"] = ", ".join(methods)
        return response

    def generate_spec_json(self) -> None:
        """Describe everything: the views, and the lookups, which are no views of their own."""
        super().generate_spec_json()  # type: ignore[no-untyped-call]
        # The library keeps the words of JSON Schema that it knows, and each model's schema where it was first used.
        in_order = sorted(self.models, key=lambda model: model.__name__)
        _, schemas = models_json_schema(
            [(model, "validation") for model in in_order], ref_template="#/components/schemas/{model}"
        )
        self.spec_json["components"]["schemas"] = schemas["$defs"]
        self.spec_json["paths"] = {**self.spec_json["paths"], **LOOKUP_PATHS}
        self.spec_json.setdefault("tags", []).append(LOOKUP_TAG)
        for methods in self.spec_json["paths"].values():
            for operation in methods.values():
                for parameter in operation.get("parameters", ()):
                    parameter["schema"] = _not_null(parameter["schema"])
            if "patch" in methods:
                bodies = methods["patch"]["requestBody"]["content"]
                bodies["application/merge-patch+json"] = bodies["application/json"]


def _not_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter, which can be left out and cannot be null."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice.get("type") != "null"]
    if len(choices) == 1:
        rest = {name: value for name, value in schema.items() if name not in ("anyOf", "default")}
        return {**rest, **choices[0]}
    return schema


def methods_of(app: Flask, address: str) -> list[str]:
    """Return the methods that the description names for an address as it stands; none where that names things."""
    path = app.api_doc["paths"].get(address) if isinstance(app, DescribedApp) else None
    named = {method.upper() for method in path or ()}
    return sorted(named | {"OPTIONS"} | ({"HEAD"} if "GET" in named else set())) if named else []
