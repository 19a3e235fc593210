"""The API description for programs (``/openapi.json``) and for people (``/docs``).

The page is rendered on the server. A bundled viewer would be two megabytes of JavaScript that needs a weaker
Content-Security-Policy than every other page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, jsonify, render_template
from markupsafe import Markup

from blocklist.web.api.framework.openapi import OpenApiApp
from blocklist.web.authorization import declare, open_to_all

_BACKTICKS = re.compile("``?")
_METHODS = ("get", "post", "patch", "delete")


def docs_pages(app: OpenApiApp) -> Blueprint:
    """Return the views of both addresses."""
    routes = Blueprint(
        "docs", __name__, template_folder="templates", static_folder="static", static_url_path="/docs/static"
    )
    declare(app, "docs.static", None)

    @routes.get("/openapi.json")
    @open_to_all
    def openapi() -> Response:
        return jsonify(app.api_doc)

    @routes.get("/docs")
    @open_to_all
    def docs() -> str:
        spec = app.api_doc
        return render_template(
            "docs.html",
            spec=spec,
            sections=[(tag, list(_operations_of(spec, tag["name"]))) for tag in spec["tags"]],
            schemas=sorted(spec["components"]["schemas"].items()),
        )

    routes.add_app_template_filter(_type, "schema_type")

    @routes.app_template_filter("coded")
    def coded(text: str) -> Markup:
        """Return a text as HTML, with code elements for what is between single or double backticks."""
        parts = _BACKTICKS.split(str(text))
        return Markup().join(
            Markup("<code>{}</code>").format(part) if odd % 2 else part for odd, part in enumerate(parts)
        )

    return routes


def _operations_of(spec: dict[str, Any], tag: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in spec["paths"].items():
        for method in _METHODS:
            if method in methods and tag in methods[method]["tags"]:
                yield method.upper(), path, methods[method]


def _type(schema: dict[str, Any]) -> str:
    """Return the type of a JSON Schema as short text.

    >>> _type({"anyOf": [{"type": "array", "items": {"$ref": "#/components/schemas/Hold"}}, {"type": "null"}]})
    'list of Hold or null'
    >>> _type({"enum": ["a", "b"], "type": "string"})
    '"a" or "b"'
    """
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(dict.fromkeys(_type(choice) for choice in choices))
    if values := schema.get("enum") or ([schema["const"]] if "const" in schema else []):
        return " or ".join(f'"{value}"' for value in values)
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("type", "any")) + (f" ({schema['format']})" if "format" in schema else "")
