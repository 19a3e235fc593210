"""Answers to bid requests: all fields that name a site or app are judged; the first listed one is in the answer."""

from __future__ import annotations

from typing import Any

from blocklist.domain.verdict import OverrideAction, Verdict, VerdictKind
from blocklist.lookup.cached_verdicts import APP, CachedVerdicts, TextKind
from blocklist.lookup.openrtb.bid_json import Unreadable
from blocklist.lookup.openrtb.bid_request import BidRequest
from blocklist.lookup.openrtb.members import Text
from blocklist.lookup.verdict_json import verdict_body
from blocklist.normalize.hosts import normalize_host

#: OpenRTB 2.6, list "No-Bid Reason Codes".
BLOCKED_PUBLISHER_OR_SITE = 7
BLOCKED_SUPPLY_CHAIN_NODE = 17
_SUPPLY_CHAIN = ("source.", "ext.")

#: The most unreadable fields, and the most sellers, in an answer.
_MAX_UNREADABLE, _MAX_SELLERS = 10, 20
#: The answer if no field is listed: one object, so that a caller may compare by identity.
NOT_BLOCKED: dict[str, Any] = {"block": False, "verdict": "not_listed"}
_PAGE = "site.page"
_OWN_DOMAINS = frozenset({"site.domain", "app.domain", "dooh.domain"})
#: Fields that say no more of the place of the ad than its page does, if they name the page's host.
_HOST_OF_PAGE = frozenset({"site.domain", "site.publisher.domain", "site.pub.domain"})


def judge(request: BidRequest, verdicts: CachedVerdicts, *, explain: bool = False) -> dict[str, Any]:
    """Return the answer to a bid request as a JSON object, without version and staleness."""
    caches, not_listed = verdicts.caches, verdicts.snapshot.not_listed
    unreadable = request.unreadable
    judged = partial = False
    allowed_host = ""
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
        if verdict.verdict is VerdictKind.UNKNOWN:
            unreadable.append(Unreadable(name, verdict.reason or ""))
            continue
        judged = True
        if verdict is not_listed:
            continue
        if verdict.verdict is VerdictKind.LISTED:
            if allowed_host and name in _HOST_OF_PAGE and _names_host(text, verdict, allowed_host):
                continue
            verdict = verdicts.explain(kind, text) if explain else verdict
            return _blocked(name, verdict) | _sellers(request, name) | _unreadable(unreadable)
        if name == _PAGE and len(request.channels) == 1:
            allowed_host = _allowed_host(verdict)
        partial = partial or (verdict.partial and name in _OWN_DOMAINS)
    if not judged:
        return {"block": None, "verdict": "unknown"} | _unreadable(unreadable)
    if not partial and not unreadable:
        return NOT_BLOCKED
    answer = dict(NOT_BLOCKED)
    if partial and not _page_judged(request):
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


def _page_judged(request: BidRequest) -> bool:
    """Return whether a page could be judged: it is there, and neither empty nor unreadable."""
    unreadable = {field for field, _ in request.unreadable}
    return any(name == _PAGE and name not in unreadable and str(text).strip() for name, _, text in request.fields)


def _allowed_host(verdict: Verdict) -> str:
    """Return the host of the override that allows a page; empty if none does.

    An override for a path names the host of the page. One for a whole host allows the host in other fields as well.
    """
    return _site((verdict.rule or "").partition("/")[0]) if verdict.override is OverrideAction.ALLOW else ""


def _names_host(text: str, verdict: Verdict, host: str) -> bool:
    return verdict.via is None and _site(normalize_host(text)) == host


def _site(host: str) -> str:
    return host.removeprefix("www.")


def _blocked(name: str, verdict: Verdict) -> dict[str, Any]:
    reason = BLOCKED_SUPPLY_CHAIN_NODE if name.startswith(_SUPPLY_CHAIN) else BLOCKED_PUBLISHER_OR_SITE
    body = verdict_body(verdict)
    del body["listed"]
    return {"block": True, "nbr": reason, "field": name} | body


def _sellers(request: BidRequest, listed: str) -> dict[str, Any]:
    """Return the member ``sellers``: who sold the place of a listed field, or the seller that is listed itself."""
    nodes = request.nodes
    listed_nodes = [node for field, node in nodes if listed.startswith(f"{field}.")]
    sellers: list[dict[str, Any]] = []
    for node in listed_nodes or [node for _, node in nodes]:
        given = (("asi", node.asi), ("sid", node.sid))
        seller = {name: value for name, value in given if isinstance(value, str | int)}
        if seller and seller not in sellers:
            sellers.append(seller)
    return {"sellers": sellers[:_MAX_SELLERS]} if sellers else {}


def _unreadable(unreadable: list[Unreadable]) -> dict[str, Any]:
    return {"unreadable": [each._asdict() for each in unreadable[:_MAX_UNREADABLE]]} if unreadable else {}
