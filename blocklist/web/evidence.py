"""The control plane's answers to "who listed this, since when, on what order?"."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from blocklist.clock import now, parse_time
from blocklist.errors import UsageError
from blocklist.lookup.resolver import Answer
from blocklist.service import Service, read_target
from blocklist.vocabulary import Listing
from blocklist.web.responses import respond


def evidence_routes(service: Service) -> Blueprint:
    """Return the routes of listings and history."""
    routes = Blueprint("evidence", __name__)

    @routes.get("/v1/history")
    def history() -> Response:
        listings = service.history(read_target(_required("target")))
        return respond(Answer(200, {"target": request.args["target"], "listings": [listing_body(i) for i in listings]}))

    @routes.get("/v1/listings")
    def listings() -> Response:
        try:
            at = parse_time(request.args["at"]) if "at" in request.args else now()
        except ValueError as error:
            raise UsageError(f"at: {error}") from None
        found = service.history(read_target(_required("target")), at)
        body = {"target": request.args["target"], "at": at, "listings": [listing_body(item) for item in found]}
        return respond(Answer(200, body))

    return routes


def listing_body(listing: Listing) -> dict[str, Any]:
    """Return a listing as JSON: the rule, who listed it, on what order, and the interval."""
    return {
        "rule": listing.rule.value,
        "kind_of_rule": listing.rule.kind.value,
        "scope": listing.rule.scope.value,
        "feed": listing.feed,
        "authority": listing.authority.name,
        "kind": listing.authority.kind.value,
        "country": listing.authority.country,
        "reference": listing.reference,
        "legal_basis": listing.legal_basis,
        "published_at": listing.published_at,
        "listed_from": listing.listed_from,
        "stated_from": listing.stated_from,
        "listed_until": listing.listed_until,
        "appeal_contact": listing.authority.contact,
        "entry": listing.raw,
        "position": listing.position,
        "run": listing.run,
    }


def _required(name: str) -> str:
    value = request.args.get(name, "")
    if not value:
        raise UsageError(f"the parameter {name} is missing")
    return value
