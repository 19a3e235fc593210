"""Objects of the domain as JSON, the same on the command line and over HTTP."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from blocklist.domain.access import Person, Token
from blocklist.domain.clock import now
from blocklist.domain.listing import Listing
from blocklist.domain.run import FlaggedEntry, GuardFinding, HeldChange, HeldEntry, HeldListing, HoldState, Run
from blocklist.domain.verdict import Override
from blocklist.exports.changes import ListingChange
from blocklist.refresh.preview import Preview
from blocklist.service.runs import RunDetail


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
        "hold_decision": listing.hold_decision,
    }


def held_body(item: HeldListing, control_url: str) -> dict[str, Any]:
    """Return what waits for a person as JSON: the rule, who names it, in which run, since when, and where to decide.

    ``control_url`` is the public address of the control plane. What a person refused has the decision, too.
    """
    rule = item.rule
    body = {
        "feed": item.feed,
        "authority": item.authority.name,
        "kind": item.authority.kind.value,
        "country": item.authority.country,
        "rule": rule.value if rule else None,
        "kind_of_rule": rule.kind.value if rule else None,
        "scope": rule.scope.value if rule else None,
        "reference": item.reference,
        "legal_basis": item.legal_basis,
        "published_at": item.published_at,
        "entry": item.entry,
        "position": item.position,
        "run": item.run,
        "hold": item.hold,
        "since": item.since,
        "reason": item.why,
        "review": control_url + review_path(item),
    }
    if item.state is HoldState.REFUSED:
        body |= {"decided_by": item.decided_by, "decided_at": item.decided_at, "decision": item.decision}
    return body


def review_path(item: HeldListing) -> str:
    """Return the path of the page on which a person decides, or decided: the run, or the entry as the first shown."""
    if item.hold is None:
        return f"/admin/runs/{item.run}"
    state = "" if item.state is HoldState.WAITING else f"&state={item.state}"
    return f"/admin/review?feed={item.feed}{state}&after={item.hold - 1}#entries"


def run_body(item: Run) -> dict[str, Any]:
    """Return a run as JSON."""
    return {key: str(value) if key in ("stage", "outcome") and value else value for key, value in asdict(item).items()}


def ruled_body(item: HeldEntry | FlaggedEntry | HeldChange | Override) -> dict[str, Any]:
    """Return an object as JSON, with the parts of its rule as ``target``, ``kind`` and ``scope``."""
    rule = item.rule
    body = asdict(item) | {"target": rule.value, "kind": rule.kind.value, "scope": rule.scope.value}
    del body["rule"]
    return body


def listing_change_body(item: ListingChange) -> dict[str, Any]:
    """Return a change of the listings as JSON."""
    rule = item.rule
    first = {"at": item.at, "change": item.change}
    first |= {"rule": rule.value, "kind_of_rule": rule.kind.value, "scope": rule.scope.value}
    return first | {key: value for key, value in asdict(item).items() if key != "rule"}


def guard_finding_body(item: GuardFinding) -> dict[str, Any]:
    """Return a finding of a guard as JSON."""
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
        "worth_a_look": [{"target": target, "why": why} for target, why in seen.flagged],
        "guards": [guard_finding_body(item) for item in seen.said],
    }


def token_body(token: Token) -> dict[str, Any]:
    """Return a token as JSON, without its secret."""
    return asdict(token) | {"state": token.state(now())}


def person_body(person: Person) -> dict[str, Any]:
    """Return a person as JSON."""
    return asdict(person)


def run_detail_body(detail: RunDetail, rejections: int | None = None) -> dict[str, Any]:
    """Return a run as a person reviews it as JSON, with the first rejections only where a number is given."""
    return run_body(detail.run) | {
        "guards": [guard_finding_body(item) for item in detail.findings],
        "changes": [ruled_body(item) for item in detail.changes],
        "changes_found": detail.changes_found,
        "rejections": [item._asdict() for item in detail.rejections[:rejections]],
        "newer": [item.id for item in detail.newer],
        "outdated": detail.outdated,
    }
