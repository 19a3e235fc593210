"""Bid requests: every place that one names, and the verdict on all of them."""

from __future__ import annotations

from typing import Any

import msgspec

from blocklist.normalize.hosts import parse_target
from blocklist.snapshot.reader import Snapshot


class TooLargeError(ValueError):
    """A bid request is over one of the limits."""


class Request(msgspec.Struct):
    id: Any = None
    site: Any = None


_DECODE = msgspec.json.Decoder(Request).decode


def read(body: bytes) -> Request:
    try:
        return _DECODE(body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the body is not a bid request: {error}") from None


def judge(snapshot: Snapshot, request: Request, policy: str, *, explain: bool = False) -> dict[str, Any]:
    site = request.site
    if not isinstance(site, dict) or not isinstance(site.get("page"), str):
        return {"verdict": "unknown", "block": False}
    verdict = snapshot.decide(parse_target(site["page"]), policy, explain=explain)
    if not verdict.listed:
        return {"verdict": verdict.verdict.value, "block": False}
    return {
        "verdict": "listed",
        "block": True,
        "nbr": 7,
        "field": "site.page",
        "rule": verdict.rule,
        "feeds": list(verdict.feeds),
    }


def no_bid(request: Request, nbr: int) -> dict[str, Any]:
    return {"id": request.id, "nbr": nbr}
