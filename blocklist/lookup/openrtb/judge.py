"""Answers to bid requests: all fields that name a site or app are judged; the first listed one is in the answer."""

from __future__ import annotations

from typing import Any

from blocklist.domain.verdict import Verdict, VerdictKind
from blocklist.lookup.cached_verdicts import APP, CachedVerdicts, TextKind
from blocklist.lookup.openrtb.bid_request import BidRequest, Text, Unreadable
from blocklist.lookup.verdict_json import verdict_body

#: OpenRTB 2.6, list "No-Bid Reason Codes".
BLOCKED_PUBLISHER_OR_SITE = 7
BLOCKED_SUPPLY_CHAIN_NODE = 17
_SUPPLY_CHAIN = ("source.", "ext.")

#: The most unreadable fields in an answer.
_MAX_UNREADABLE = 10
#: The answer if no field is listed: one object, so that a caller may compare by identity.
NOT_BLOCKED: dict[str, Any] = {"block": False, "verdict": "not_listed"}
_OWN_DOMAINS = frozenset({"site.domain", "app.domain", "dooh.domain"})


def judge(request: BidRequest, verdicts: CachedVerdicts, *, explain: bool = False) -> dict[str, Any]:
    """Return the answer to a bid request as a JSON object, without version and staleness."""
    caches = verdicts.caches
    unreadable = request.unreadable
    judged = partial = page_judged = False
    for name, kind, value in request.fields:
        text = value if isinstance(value, str) else _text(value, kind)
        if not text or text.isspace():
            if text is None:
                unreadable.append(Unreadable(name, "must be a string"))
            continue
        try:
            verdict = caches[kind].items.get(text) or verdicts.judge(kind, text)
        except ValueError as error:
            unreadable.append(Unreadable(name, str(error)))
            continue
        if verdict.verdict is VerdictKind.LISTED:
            return _blocked(name, verdicts.explain(kind, text) if explain else verdict) | _unreadable(unreadable)
        if verdict.verdict is VerdictKind.UNKNOWN:
            unreadable.append(Unreadable(name, verdict.reason or ""))
            continue
        judged = True
        page_judged = page_judged or name == "site.page"
        partial = partial or (verdict.partial and name in _OWN_DOMAINS)
    if not judged:
        return {"block": None, "verdict": "unknown"} | _unreadable(unreadable)
    if not partial and not unreadable:
        return NOT_BLOCKED
    answer = dict(NOT_BLOCKED)
    if partial and not page_judged:
        answer["partial"] = True
    return answer | _unreadable(unreadable)


def no_bid(request: BidRequest, reason: int) -> dict[str, Any]:
    """Return the bid response that declines a request, in the request's version of OpenRTB."""
    response: dict[str, Any] = {"id": request.id} if isinstance(request.id, str | int) else {}
    response["nbr"] = reason
    return response if request.envelope is None else {"openrtb": {**request.envelope, "response": response}}


def _text(value: Text, kind: TextKind) -> str | None:
    """Return a number as text if it is an app id; None if the value must not be a number."""
    return str(value) if kind == APP and isinstance(value, int) and not isinstance(value, bool) else None


def _blocked(name: str, verdict: Verdict) -> dict[str, Any]:
    reason = BLOCKED_SUPPLY_CHAIN_NODE if name.startswith(_SUPPLY_CHAIN) else BLOCKED_PUBLISHER_OR_SITE
    body = verdict_body(verdict)
    del body["listed"]
    return {"block": True, "nbr": reason, "field": name} | body


def _unreadable(unreadable: list[Unreadable]) -> dict[str, Any]:
    return {"unreadable": [each._asdict() for each in unreadable[:_MAX_UNREADABLE]]} if unreadable else {}
