"""What the domain's words look like as JSON, the same on the command line and over HTTP."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import lru_cache
from json.encoder import encode_basestring as _quoted
from typing import TYPE_CHECKING, Any

import msgspec

from blocklist.clock import now
from blocklist.vocabulary import Change, Hold, Listing, Override, Person, Run, Said, Token, Verdict

if TYPE_CHECKING:
    # Lookup nodes import this module, and know nothing of the refresh.
    from blocklist.exports.since import Changed
    from blocklist.refresh.preview import Preview


def verdict_body(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as JSON, without version and staleness."""
    body: dict[str, Any] = {"verdict": verdict.verdict.value, "listed": verdict.listed}
    if verdict.listed or verdict.override:
        body |= {"rule": verdict.rule, "scope": verdict.scope.value if verdict.scope else None}
    if verdict.listed:
        body["feeds"] = list(verdict.feeds)
    if verdict.override:
        body["override"] = verdict.override.value
    if verdict.partial:
        body["partial"] = True
    if verdict.listings:
        body["listings"] = list(verdict.listings)
    return body


def verdict_json(verdict: Verdict) -> str:
    """Return :func:`verdict_body` as compact JSON; the shapes that nearly every request gets are put together by hand.

    Not ``json.dumps`` for those: it takes three times as long as the lookup.
    """
    if verdict.override is None and not verdict.listings:
        if verdict.rule is None:
            partial = ',"partial":true' if verdict.partial else ""
            return f'{{"verdict":"{verdict.verdict.value}","listed":false{partial}}}'
        if verdict.scope is not None:
            return (
                f'{{"verdict":"listed","listed":true,"rule":{_quoted(verdict.rule)},"scope":"{verdict.scope.value}",'
                f'"feeds":{_names(verdict.feeds)}}}'
            )
    return compact_json(verdict_body(verdict))


def compact_json(body: Any) -> str:
    """Return JSON without white space, as all answers have it."""
    try:
        return msgspec.json.encode(body).decode()
    except UnicodeEncodeError:
        # Half of a surrogate pair, which a caller sent as JSON or a list has: ten times slower, and the rest is told.
        return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=4_096)
def _names(feeds: tuple[str, ...]) -> str:
    return compact_json(feeds)


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
        "body_sha256": listing.body_sha256,
    }


def run_body(item: Run) -> dict[str, Any]:
    """Return a run as JSON."""
    return {key: str(value) if key in ("stage", "outcome") and value else value for key, value in asdict(item).items()}


def hold_body(item: Hold) -> dict[str, Any]:
    """Return an entry held alone as JSON."""
    body = asdict(item)
    rule = body.pop("rule")
    return body | {"target": rule[1], "kind": str(rule[0]), "scope": str(rule[2]), "state": item.state.value}


def change_body(item: Change) -> dict[str, Any]:
    """Return a change of a held run as JSON."""
    body = asdict(item)
    rule = body.pop("rule")
    return body | {"target": rule[1], "kind": str(rule[0]), "scope": str(rule[2])}


def changed_body(item: Changed) -> dict[str, Any]:
    """Return a change of what is listed as JSON."""
    return {
        "at": item.at,
        "change": item.change,
        "rule": item.rule.value,
        "kind_of_rule": item.rule.kind.value,
        "scope": item.rule.scope.value,
        "feed": item.feed,
        "authority": item.authority,
        "country": item.country,
        "reference": item.reference,
        "listed_from": item.listed_from,
        "entry": item.entry,
    }


def said_body(item: Said) -> dict[str, Any]:
    """Return what a guard said as JSON."""
    return {"guard": item.guard, "effect": item.effect.value, "said": item.sentence}


def preview_body(seen: Preview) -> dict[str, Any]:
    """Return a preview as JSON."""
    return {
        "fetched": seen.fetched,
        "body_bytes": seen.size,
        "body_sha256": seen.body,
        "content_type": seen.content_type,
        "seen": seen.seen,
        "stated_date": seen.stated_date,
        "outcome": seen.outcome,
        **asdict(seen.counts),
        "rejected_by_code": seen.rejected_by_code,
        "first": [{"entry": entry.raw or entry.site, **rule._asdict()} for entry, rule in seen.first],
        "rejections": [item._asdict() for item in seen.rejections],
        "waiting": [{"target": target, "why": why} for target, why in seen.waiting],
        "guards": [said_body(item) for item in seen.said],
    }


def override_body(item: Override) -> dict[str, Any]:
    """Return an override as JSON."""
    body = asdict(item)
    rule = body.pop("rule")
    return body | {"action": item.action.value, "target": rule[1], "kind": str(rule[0]), "scope": str(rule[2])}


def token_body(token: Token) -> dict[str, Any]:
    """Return a token as JSON, without its secret."""
    return asdict(token) | {"state": token.state(now())}


def person_body(person: Person) -> dict[str, Any]:
    """Return a person as JSON."""
    return asdict(person)
