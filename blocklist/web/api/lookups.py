"""The OpenAPI description of lookups, which :mod:`blocklist.lookup.routes` serves."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from blocklist.domain.listing import Scope
from blocklist.domain.verdict import OverrideAction, VerdictKind
from blocklist.web.api.framework.problems import Problem
from blocklist.web.api.framework.resource import problem_response, reference
from blocklist.web.api.framework.schemas import HeldListingBody, ListingFields

LOOKUP_TAG = {
    "name": "Lookups",
    "description": "May an ad go here? Lookup nodes give the same responses.",
}


class ExplainedListing(ListingFields):
    """A listing that decided the verdict (`explain`)."""

    feed: str
    authority: str
    kind: str
    country: str


class VerdictFields(BaseModel):
    """A verdict. `partial`: only a domain was given, and some URLs on that host are listed.

    `via`: the wrapper, such as an archive or an AMP cache, in whose address the listed page stands.
    """

    verdict: VerdictKind
    listed: bool | None
    rule: str | None = None
    scope: Scope | None = None
    feeds: list[str] = []
    override: OverrideAction | None = None
    via: str | None = None
    partial: bool = False
    listings: list[ExplainedListing] = []
    held: list[HeldListingBody] = Field(
        [],
        description="With `explain`, on the control plane only: what waits for a person, and would count. A lookup "
        "node knows only what is listed.",
    )


class LookupVerdict(VerdictFields):
    """The verdict for one target."""

    version: int
    stale: bool


class BatchVerdict(VerdictFields):
    """The verdict for one item; `error` says why the item is not valid."""

    error: str | None = None


class BatchVerdicts(BaseModel):
    """The verdicts of a batch, in the order of the items."""

    version: int
    stale: bool
    results: list[BatchVerdict]


class BatchItem(BaseModel):
    """One target: a page, a domain or an app."""

    url: str | None = None
    domain: str | None = None
    app: str | None = None


class Batch(BaseModel):
    """Up to 10,000 targets. A string is a URL or a domain."""

    items: list[BatchItem | str | Any] = Field(description="Any other value gets the verdict `unknown` and an error.")
    policy: str | None = None
    explain: Any = Field(None, description="If true, the verdicts contain `listings` and `held`.")


class BidRequest(BaseModel):
    """A bid request of OpenRTB 2.x, or of 3.0 with AdCOM."""

    model_config = ConfigDict(extra="allow")


class Unreadable(BaseModel):
    """A field with an invalid value."""

    field: str
    error: str


class Seller(BaseModel):
    """A seller of the supply chain: its account at an advertising system."""

    asi: str | int | None = None
    sid: str | int | None = None


class BidVerdict(BaseModel):
    """Whether a page, domain or app of the bid request is listed; `block` is null if there is nothing to check.

    With `respond=openrtb` it is a bid response, which has `id` and `nbr`, or `openrtb`.
    """

    model_config = ConfigDict(extra="allow")
    block: bool | None = None
    verdict: VerdictKind | None = None
    nbr: int | None = None
    field: str | None = None
    sellers: list[Seller] = Field(
        [], description="If blocked: the listed node of the supply chain, else all its nodes."
    )
    unreadable: list[Unreadable] = []


class Health(BaseModel):
    """The process responds."""

    status: Literal["ok"]


class Readiness(BaseModel):
    """A snapshot is loaded."""

    status: Literal["ready"]
    version: int
    stale: bool


LOOKUP_MODELS = (LookupVerdict, BatchVerdicts, Batch, BidRequest, BidVerdict, Health, Readiness, Problem)


def _parameter(name: str, text: str, schema: dict[str, Any] | None = None, in_: str = "query") -> dict[str, Any]:
    return {"name": name, "in": in_, "description": text, "schema": schema or {"type": "string"}}


_POLICY = _parameter("policy", "A policy from the configuration; default: `default`.")
_EXPLAIN = _parameter("explain", "`1`, `true` or `yes`: add `listings`, and `held` to lookups.")
_URL = _parameter("url", "A page's address.")
_TARGETS = [
    _URL,
    _parameter("domain", "A domain."),
    _parameter("app", "An app's bundle or store id, or the URL of its page in a store."),
]
_RESPOND = _parameter("respond", "`openrtb`: respond with a bid response.", {"type": "string", "enum": ["openrtb", ""]})
_GZIP = _parameter("gzip", "`1`: the body is compressed with gzip, although the header `Content-Encoding` is missing.")
_ENCODING = _parameter("Content-Encoding", "How the body is compressed: `gzip` or `deflate`.", in_="header")
_PAGE = [
    _parameter("X-Page-URL", "The page, if the query has no `url`.", in_="header"),
    _parameter("Referer", "The page, if both are missing.", in_="header"),
    _parameter("Origin", "The origin of the page, if all of them are missing.", in_="header"),
]


def _json(model: type[BaseModel], text: str) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": reference(model)}}}


def _problems(*statuses: int) -> dict[str, Any]:
    return {str(status): problem_response(status) for status in (401, *statuses)}


def _operation(name: str, summary: str, responses: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"operationId": name, "tags": ["Lookups"], "summary": summary, "responses": responses, **more}


def _request_body(model: type[BaseModel]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": reference(model)}}}


#: Without a security scheme: lookups are open, or need one of the tokens in ``lookup.token_file``.
LOOKUP_PATHS: dict[str, Any] = {
    "/v1/lookup": {
        "get": _operation(
            "lookup",
            "Look up one target",
            {"200": _json(LookupVerdict, "The verdict."), **_problems(400, 404, 503)},
            parameters=[*_TARGETS, _POLICY, _EXPLAIN],
            description="Exactly one of `url`, `domain` and `app`.",
        ),
        "post": _operation(
            "lookup_batch",
            "Look up at most 10,000 targets",
            {"200": _json(BatchVerdicts, "The verdicts, in the same order."), **_problems(400, 404, 413, 415, 503)},
            parameters=[_GZIP, _ENCODING],
            requestBody=_request_body(Batch),
        ),
    },
    "/v1/openrtb": {
        "post": _operation(
            "lookup_bid_request",
            "Check all pages, domains and apps of a bid request",
            {
                "200": _json(BidVerdict, "The verdict, or a no-bid response."),
                "204": {"description": "With `respond=openrtb`: not listed."},
                **_problems(400, 404, 413, 415, 503),
            },
            parameters=[_POLICY, _EXPLAIN, _RESPOND, _GZIP, _ENCODING],
            requestBody=_request_body(BidRequest),
        )
    },
    "/v1/gate": {
        "get": _operation(
            "gate",
            "Check a page for a proxy (forward authentication)",
            {
                "204": {"description": "Not listed; or there is no page, and the setting `gate.unknown` is `allow`."},
                "403": {"description": "Listed; or there is no page, and the setting `gate.unknown` is `block`."},
                **_problems(400, 404, 503),
            },
            parameters=[_URL, _POLICY, *_PAGE],
        )
    },
    "/healthz": {
        "get": _operation("health", "Liveness of the process", {"200": _json(Health, "The process responds.")})
    },
    "/readyz": {
        "get": _operation(
            "readiness", "Readiness for lookups", {"200": _json(Readiness, "A snapshot is loaded."), **_problems(503)}
        )
    },
    "/metrics": {
        "get": _operation(
            "metrics",
            "Metrics for Prometheus",
            {
                "200": {
                    "description": "Metrics in the Prometheus text format.",
                    "content": {"text/plain": {"schema": {"type": "string"}}},
                },
                **_problems(),
            },
        )
    },
}
