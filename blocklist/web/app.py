"""The Flask application of either plane."""

from __future__ import annotations

from typing import Literal

import structlog
from flask import Flask, Response, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from blocklist.errors import BlocklistError
from blocklist.lookup.resolver import MAX_BYTES, Answer, Resolver, SnapshotHolder, problem
from blocklist.service import Service
from blocklist.web.evidence import evidence_routes
from blocklist.web.pages import pages
from blocklist.web.responses import respond

_LOG = structlog.get_logger("blocklist.web")


def create_app(
    holder: SnapshotHolder, service: Service | None = None, *, gate_unknown: Literal["allow", "block"] = "allow"
) -> Flask:
    """Return the application that answers lookups; with a service it is the control plane's and answers that too.

    ``gate_unknown`` is what the gate does where there is nothing to judge (setting ``gate.unknown``).
    """
    app = Flask(__name__, static_folder=None)
    # One byte over the limit still arrives, so that the answer can say what the limit is.
    app.config["MAX_CONTENT_LENGTH"] = MAX_BYTES + 1
    _lookup_routes(app, Resolver(holder, gate_unknown))
    _errors(app)
    if service is not None:
        app.register_blueprint(evidence_routes(service))
        app.register_blueprint(pages(service, holder))
        app.add_url_rule("/", view_func=lambda: redirect("/admin/"), endpoint="root")
    return app


def _lookup_routes(app: Flask, resolver: Resolver) -> None:
    @app.get("/v1/lookup")
    def lookup() -> Response:
        return respond(resolver.lookup(request.args))

    @app.post("/v1/lookup")
    def batch() -> Response:
        return respond(resolver.batch(request.get_data()))

    @app.post("/v1/openrtb")
    def openrtb() -> Response:
        return respond(resolver.openrtb(request.get_data(), request.args))

    @app.get("/v1/gate")
    def gate() -> Response:
        return respond(resolver.gate(request.args, {name.lower(): value for name, value in request.headers}))

    @app.get("/healthz")
    def healthz() -> Response:
        return respond(Answer(200, {"status": "ok"}))

    @app.get("/readyz")
    def readyz() -> Response:
        return respond(resolver.ready())


def _errors(app: Flask) -> None:
    @app.errorhandler(BlocklistError)
    def told(error: BlocklistError) -> ResponseReturnValue:
        return respond(problem(error.http_status, str(error)))

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> ResponseReturnValue:
        if error.code is None or error.code < 400:
            return error.get_response()
        too_large = f"the body is larger than {MAX_BYTES:,} bytes: send it in parts"
        response = respond(problem(error.code, too_large if error.code == 413 else error.description or error.name))
        for name, value in error.get_headers():
            if name.lower() not in ("content-type", "content-length"):
                response.headers[name] = value
        return response

    @app.errorhandler(Exception)
    def broken(_: Exception) -> ResponseReturnValue:
        _LOG.exception("request broke", path=request.path)
        return respond(problem(500, "a fault of the service; its log tells more"))
