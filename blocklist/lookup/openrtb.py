"""Bid requests to verdicts: every place that one names is judged, and the first that is listed is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from blocklist.lookup.bid_request import APP, BidRequest, Text
from blocklist.lookup.stores import store_targets
from blocklist.normalize.hosts import parse_app, parse_target
from blocklist.snapshot.reader import Snapshot
from blocklist.vocabulary import Target, Verdict, VerdictKind
from blocklist.wire import verdict_body

#: OpenRTB 2.6, list "No-Bid Reason Codes".
BLOCKED_PUBLISHER_OR_SITE = 7
BLOCKED_SUPPLY_CHAIN_NODE = 17
_SUPPLY_CHAIN = ("source.", "ext.")

#: Fields that could not be read and are named in an answer.
_MAX_UNREADABLE = 10
#: Texts whose verdicts are remembered, for each policy and each way of reading, and the longest of them.
_MAX_REMEMBERED = 8_192
_MAX_TEXT = 512
_OWN_DOMAINS = frozenset({"site.domain", "app.domain", "dooh.domain"})
#: An App Store id as some exchanges send it.
_PREFIXED_ID = re.compile(r"id(\d+)")


class Judge:
    """Judges bid requests by one snapshot.

    Exchanges, publishers and pages repeat from request to request, so verdicts are remembered by the text that led to
    them. Only those that no override decided: an override expires, and all else in a snapshot is for good.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._remembered: dict[str, tuple[dict[str, Verdict], ...]] = {}

    def judge(self, request: BidRequest, policy: str, *, explain: bool = False) -> dict[str, Any]:
        """Return the answer to a bid request, without version and staleness.

        :raises NotFoundError: the snapshot has no such policy.
        """
        remembered = self._remembered.get(policy) or self._begin(policy)
        wrong = request.wrong
        judged = partial = False
        for field, reading, given in request.places:
            text = given if isinstance(given, str) else _text(given, reading)
            if not text or text.isspace():
                if text is None:
                    wrong.append((field, "must be a string"))
                continue
            known = remembered[reading]
            verdict = known.get(text) or self._decide(reading, text, policy, known)
            if isinstance(verdict, ValueError):
                wrong.append((field, str(verdict)))
                continue
            if verdict.verdict is VerdictKind.LISTED:
                return _blocked(field, self._explained(reading, text, policy) if explain else verdict) | _noted(wrong)
            judged = True
            partial = partial or (verdict.partial and field in _OWN_DOMAINS)
        if not judged:
            return {"block": None, "verdict": "unknown"} | _noted(wrong)
        answer: dict[str, Any] = {"block": False, "verdict": "not_listed"}
        if partial and not any(field == "site.page" for field, _, _ in request.places):
            answer["partial"] = True
        return answer | _noted(wrong)

    def _begin(self, policy: str) -> tuple[dict[str, Verdict], ...]:
        self.snapshot.decide(Target("policy.check"), policy)
        return self._remembered.setdefault(policy, ({}, {}, {}, {}))

    def _decide(self, reading: int, text: str, policy: str, remembered: dict[str, Verdict]) -> Verdict | ValueError:
        try:
            verdicts = [self.snapshot.decide(target, policy) for target in _READERS[reading](text)]
        except ValueError as error:
            # Without its traceback, which would keep the frames of this request alive.
            return error.with_traceback(None)
        verdict = next((verdict for verdict in verdicts if verdict.listed), verdicts[0])
        if len(text) <= _MAX_TEXT and not any(verdict.override for verdict in verdicts):
            if len(remembered) >= _MAX_REMEMBERED:
                remembered.clear()
            remembered[text] = verdict
        return verdict

    def _explained(self, reading: int, text: str, policy: str) -> Verdict:
        verdicts = [self.snapshot.decide(target, policy, explain=True) for target in _READERS[reading](text)]
        return next((verdict for verdict in verdicts if verdict.listed), verdicts[0])


def no_bid(request: BidRequest, reason: int) -> dict[str, Any]:
    """Return the bid response that declines a request, in the version of OpenRTB that it is of."""
    response: dict[str, Any] = {"id": request.id} if isinstance(request.id, str | int) else {}
    response["nbr"] = reason
    return response if request.envelope is None else {"openrtb": {**request.envelope, "response": response}}


def _page(text: str) -> list[Target]:
    return [parse_target(text)]


def _domain(text: str) -> list[Target]:
    return [parse_target(text).site]


def _app(text: str) -> list[Target]:
    if "://" in text:
        return store_targets(text)
    found = _PREFIXED_ID.fullmatch(text)
    return [parse_app(text), parse_app(found[1])] if found else [parse_app(text)]


#: Indexed by PAGE, DOMAIN, APP and STORE.
_READERS: tuple[Callable[[str], list[Target]], ...] = (_page, _domain, _app, store_targets)


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
