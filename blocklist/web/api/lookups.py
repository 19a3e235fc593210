"""The description of lookups, which :mod:`blocklist.lookup.routes` answers and no view here."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from blocklist.domain.listing import Scope
from blocklist.domain.verdict import OverrideAction, VerdictKind
from blocklist.web.api.framework.problems import Problem
from blocklist.web.api.framework.resource import PROBLEMS, reference

LOOKUP_TAG = {
    "name": "Lookups",
    "description": "May an ad go here? Answered by the lookup nodes too, in the same bytes.",
}


class ExplainedListing(BaseModel):
    """Who lists it, on what order (``explain``)."""

    feed: str
    authority: str
    kind: str
    country: str
    rule: str
    scope: Scope
    reference: str | None
    legal_basis: str | None
    published_at: str | None
    listed_from: str
    appeal_contact: str | None
    entry: str


class Judged(BaseModel):
    """A verdict. ``partial``: only a domain was given, and some URLs on that host are listed."""

    verdict: VerdictKind
    listed: bool | None
    rule: str | None = None
    scope: Scope | None = None
    feeds: list[str] = []
    override: OverrideAction | None = None
    partial: bool = False
    listings: list[ExplainedListing] = []


class LookupVerdict(Judged):
    """The verdict for one target."""

    version: int
    stale: bool


class BatchVerdict(Judged):
    """The verdict for one item; ``error`` says why it could not be read."""

    error: str | None = None


class BatchVerdicts(BaseModel):
    """The verdicts of a batch, in its order."""

    version: int
    stale: bool
    results: list[BatchVerdict]


class BatchItem(BaseModel):
    """One target: a page, a domain or an app."""

    url: str | None = None
    domain: str | None = None
    app: str | None = None


class Batch(BaseModel):
    """Up to 10,000 targets; a text is a URL or a domain."""

    items: list[BatchItem | str | Any] = Field(
        description="What is none of these gets the verdict `unknown` and an error."
    )
    policy: str | None = None
    explain: Any = Field(None, description="Anything that is true adds who lists it, on what order.")


class BidRequest(BaseModel):
    """A bid request of OpenRTB 2.x, or of 3.0 with AdCOM."""

    model_config = ConfigDict(extra="allow")


class Unreadable(BaseModel):
    """A field that could not be read."""

    field: str
    error: str


class BidVerdict(BaseModel):
    """Whether any place that a bid request names is listed; ``block`` is null where there is nothing to judge.

    With ``respond=openrtb`` a bid response instead, which has ``id`` and ``nbr``, or ``openrtb``.
    """

    model_config = ConfigDict(extra="allow")
    block: bool | None = None
    verdict: VerdictKind | None = None
    nbr: int | None = None
    field: str | None = None
    unreadable: list[Unreadable] = []


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"]


class Readiness(BaseModel):
    """There is a snapshot to answer from."""

    status: Literal["ready"]
    version: int
    stale: bool


LOOKUP_MODELS = (LookupVerdict, BatchVerdicts, Batch, BidRequest, BidVerdict, Health, Readiness, Problem)


def _parameter(name: str, says: str, schema: dict[str, Any] | None = None, in_: str = "query") -> dict[str, Any]:
    return {"name": name, "in": in_, "description": says, "schema": schema or {"type": "string"}}


_POLICY = _parameter("policy", "A policy of the configuration; `default` without.")
_EXPLAIN = _parameter("explain", "`1`, `true` or `yes`: who lists it, on what order.")
_URL = _parameter("url", "A page's address.")
_TARGETS = [_URL, _parameter("domain", "A domain."), _parameter("app", "An app's bundle or store id.")]
_RESPOND = _parameter("respond", "`openrtb`: answer as a bidder would.", {"type": "string", "enum": ["openrtb", ""]})
_PAGE = [
    _parameter("X-Page-URL", "The page, where the query has no `url`.", in_="header"),
    _parameter("Referer", "The page, where neither is there.", in_="header"),
    _parameter("Origin", "The page's origin, where none of them is there.", in_="header"),
]


def _json(model: type[BaseModel], says: str) -> dict[str, Any]:
    return {"description": says, "content": {"application/json": {"schema": reference(model)}}}


def _problems(*statuses: int) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": reference(Problem)}}
    return {str(status): {"description": PROBLEMS[status], "content": content} for status in (401, *statuses)}


def _operation(name: str, summary: str, responses: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"operationId": name, "tags": ["Lookups"], "summary": summary, "responses": responses, **more}


def _takes(model: type[BaseModel]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": reference(model)}}}


#: Whoever may ask is said by the setting ``lookup.token_file``: nobody in particular, or a token of its own.
LOOKUP_PATHS: dict[str, Any] = {
    "/v1/lookup": {
        "get": _operation(
            "lookup",
            "Judge one target",
            {"200": _json(LookupVerdict, "The verdict."), **_problems(400, 404, 503)},
            parameters=[*_TARGETS, _POLICY, _EXPLAIN],
            description="Exactly one of `url`, `domain` and `app`.",
        ),
        "post": _operation(
            "lookup_batch",
            "Judge up to 10,000 targets",
            {"200": _json(BatchVerdicts, "The verdicts, in the same order."), **_problems(400, 404, 413, 503)},
            requestBody=_takes(Batch),
        ),
    },
    "/v1/openrtb": {
        "post": _operation(
            "lookup_bid_request",
            "Judge all places that a bid request names",
            {
                "200": _json(BidVerdict, "The verdict, or a bid response that says no."),
                "204": {"description": "As a bidder: no reason not to bid."},
                **_problems(400, 404, 413, 503),
            },
            parameters=[_POLICY, _EXPLAIN, _RESPOND],
            requestBody=_takes(BidRequest),
        )
    },
    "/v1/gate": {
        "get": _operation(
            "gate",
            "Judge a page for a proxy",
            {
                "204": {"description": "Not listed, or nothing to judge and the setting allows."},
                "403": {"description": "Listed, or nothing to judge and the setting blocks."},
                **_problems(400, 404, 503),
            },
            parameters=[_URL, _POLICY, *_PAGE],
        )
    },
    "/healthz": {"get": _operation("health", "Whether the process answers", {"200": _json(Health, "It does.")})},
    "/readyz": {
        "get": _operation(
            "readiness", "Whether there is a snapshot", {"200": _json(Readiness, "There is."), **_problems(503)}
        )
    },
    "/metrics": {
        "get": _operation(
            "metrics",
            "Metrics for Prometheus",
            {
                "200": {
                    "description": "Prometheus' text format.",
                    "content": {"text/plain": {"schema": {"type": "string"}}},
                },
                **_problems(),
            },
        )
    },
}
