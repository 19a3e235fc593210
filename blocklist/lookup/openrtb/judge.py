"""Bid requests to verdicts: every place that one names is judged, and the first that is listed is named."""

from __future__ import annotations

from typing import Any

from blocklist.domain.verdict import Verdict, VerdictKind
from blocklist.lookup.cached_verdicts import APP, CachedVerdicts
from blocklist.lookup.openrtb.bid_request import BidRequest, Text
from blocklist.lookup.verdict_json import verdict_body

#: OpenRTB 2.6, list "No-Bid Reason Codes".
BLOCKED_PUBLISHER_OR_SITE = 7
BLOCKED_SUPPLY_CHAIN_NODE = 17
_SUPPLY_CHAIN = ("source.", "ext.")

#: Fields that could not be read and are named in an answer.
_MAX_UNREADABLE = 10
#: The answer to a request of whose places none is listed: one object, so that a caller may compare by identity.
PASSED: dict[str, Any] = {"block": False, "verdict": "not_listed"}
_OWN_DOMAINS = frozenset({"site.domain", "app.domain", "dooh.domain"})


def judge(request: BidRequest, verdicts: CachedVerdicts, *, explain: bool = False) -> dict[str, Any]:
    """Return the answer to a bid request, without version and staleness."""
    caches = verdicts.caches
    wrong = request.wrong
    judged = partial = False
    for field, reading, given in request.places:
        text = given if isinstance(given, str) else _text(given, reading)
        if not text or text.isspace():
            if text is None:
                wrong.append((field, "must be a string"))
            continue
        try:
            verdict = caches[reading].items.get(text) or verdicts.judge(reading, text)
        except ValueError as error:
            wrong.append((field, str(error)))
            continue
        if verdict.verdict is VerdictKind.LISTED:
            return _blocked(field, verdicts.explained(reading, text) if explain else verdict) | _noted(wrong)
        judged = True
        partial = partial or (verdict.partial and field in _OWN_DOMAINS)
    if not judged:
        return {"block": None, "verdict": "unknown"} | _noted(wrong)
    if not partial and not wrong:
        return PASSED
    answer = dict(PASSED)
    if partial and not any(field == "site.page" for field, _, _ in request.places):
        answer["partial"] = True
    return answer | _noted(wrong)


def no_bid(request: BidRequest, reason: int) -> dict[str, Any]:
    """Return the bid response that declines a request, in the version of OpenRTB that it is of."""
    response: dict[str, Any] = {"id": request.id} if isinstance(request.id, str | int) else {}
    response["nbr"] = reason
    return response if request.envelope is None else {"openrtb": {**request.envelope, "response": response}}


def _text(given: Text, reading: int) -> str | None:
    return str(given) if reading == APP and isinstance(given, int) and not isinstance(given, bool) else None


def _blocked(field: str, verdict: Verdict) -> dict[str, Any]:
    reason = BLOCKED_SUPPLY_CHAIN_NODE if field.startswith(_SUPPLY_CHAIN) else BLOCKED_PUBLISHER_OR_SITE
    said = verdict_body(verdict)
    del said["listed"]
    return {"block": True, "nbr": reason, "field": field} | said


def _noted(wrong: list[tuple[str, str]]) -> dict[str, Any]:
    """Return what an answer says of fields that could not be read."""
    if not wrong:
        return {}
    return {"unreadable": [{"field": field, "error": error} for field, error in wrong[:_MAX_UNREADABLE]]}
