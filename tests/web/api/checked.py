"""A client that compares every response with the description: status, media type, headers and members."""

from __future__ import annotations

import copy
from typing import Any

import jsonschema_rs  # comes with schemathesis
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from blocklist.web.api import OpenApiApp


class CheckedClient(FlaskClient):
    """Fails on the first response that does not match the description."""

    def open(self, *args: Any, **more: Any) -> TestResponse:
        answer = super().open(*args, **more)
        assert isinstance(self.application, OpenApiApp)
        check(self.application, answer)
        return answer


def checked_client(app: Flask, secret: str) -> CheckedClient:
    """Return a client that sends a token."""
    client = CheckedClient(app, app.response_class)
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
    return client


def check(app: OpenApiApp, answer: TestResponse) -> None:
    """Compare a response with the description."""
    request = answer.request
    try:
        rule, _ = app.url_map.bind("localhost").match(request.path, request.method, return_rule=True)
    except HTTPException:
        assert answer.status_code in (404, 405)
        return
    path = str(rule).replace("<", "{").replace(">", "}")
    method = "get" if request.method == "HEAD" else request.method.lower()
    described = app.api_doc["paths"].get(path, {}).get(method)
    if described is None:
        return
    assert str(answer.status_code) in described["responses"], (request.method, path, answer.status_code, answer.text)
    foreseen = described["responses"][str(answer.status_code)]
    for name in foreseen.get("headers", {}):
        assert name in answer.headers, (path, name)
    content = foreseen.get("content", {})
    if not content or request.method == "HEAD":
        return
    media = str(answer.mimetype)
    assert media in content, (path, media)
    if answer.is_json:
        schema = closed(content[media]["schema"] | {"components": app.api_doc["components"]})
        jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(answer.json)


def closed(schema: Any) -> Any:
    """Return a schema in which objects have no members other than those described."""
    shut = copy.deepcopy(schema)
    for model in shut["components"]["schemas"].values():
        if "properties" in model:
            model.setdefault("additionalProperties", False)
    return shut
