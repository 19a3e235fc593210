"""The control plane's answers to "who listed this, since when, on what order?"."""

from __future__ import annotations

from flask import Blueprint, Response, request

from blocklist.clock import now, parse_time
from blocklist.errors import UsageError
from blocklist.lookup.resolver import Answer
from blocklist.service import Service, read_target
from blocklist.vocabulary import Role
from blocklist.web.guarding import needs
from blocklist.web.responses import respond
from blocklist.wire import listing_body


def evidence_routes(service: Service) -> Blueprint:
    """Return the routes of listings and history."""
    routes = Blueprint("evidence", __name__)

    @routes.get("/v1/history")
    @needs(Role.VIEWER)
    def history() -> Response:
        listings = service.history(read_target(_required("target")))
        return respond(Answer(200, {"target": request.args["target"], "listings": [listing_body(i) for i in listings]}))

    @routes.get("/v1/listings")
    @needs(Role.VIEWER)
    def listings() -> Response:
        try:
            at = parse_time(request.args["at"]) if "at" in request.args else now()
        except ValueError as error:
            raise UsageError(f"at: {error}") from None
        found = service.history(read_target(_required("target")), at)
        body = {"target": request.args["target"], "at": at, "listings": [listing_body(item) for item in found]}
        return respond(Answer(200, body))

    return routes


def _required(name: str) -> str:
    value = request.args.get(name, "")
    if not value:
        raise UsageError(f"the parameter {name} is missing")
    return value
