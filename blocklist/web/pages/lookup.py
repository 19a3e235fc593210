"""Lookup: may an ad go here, who listed it, on which order, since when, where to appeal. Results have an address."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blocklist.domain.access import Role
from blocklist.domain.clock import now
from blocklist.domain.errors import BlocklistError
from blocklist.domain.verdict import Override, Verdict, VerdictKind
from blocklist.lookup.http import SnapshotHolder
from blocklist.normalize.candidates import Candidates
from blocklist.service import Service, read_candidates, target_lines
from blocklist.service.evidence import LookupResult
from blocklist.service.serialization import review_path
from blocklist.web.authorization import needs
from blocklist.web.pages import charts
from blocklist.web.pages.layout import PAGE_SIZE, Form, Page
from blocklist.web.responses import see_other

#: Maximum number of targets in a request.
_MAX_TARGETS = 1_000
#: Maximum length of a list in an address: proxies and chat programs cut longer addresses.
_MAX_SHAREABLE = 4_000
#: Verdicts as a list of them shows them, and in which order.
_ORDER = ("listed", "unknown", "held", "not_listed")


def register(pages: Blueprint, service: Service, holder: SnapshotHolder) -> None:
    """Register the lookup page."""

    @pages.get("/lookup")
    @needs(Role.VIEWER)
    def lookup() -> ResponseReturnValue:
        return _answer(service, holder, Form(request.args))

    @pages.post("/lookup")
    @needs(Role.VIEWER)
    def lookup_many() -> ResponseReturnValue:
        form = Form(request.form)
        target = form.as_sent("target")
        if len(target) > _MAX_SHAREABLE:
            return _answer(service, holder, form)
        return see_other(url_for("admin.lookup", target=target, policy=form["policy"] or None, at=form["at"] or None))


def _answer(service: Service, holder: SnapshotHolder, form: Form) -> ResponseReturnValue:
    lines = list(dict.fromkeys(target_lines(form.as_sent("target").split("\n"))))
    policy = form["policy"] or "default"
    common: dict[str, Any] = {
        "section": "Lookup",
        "form": form,
        "policies": [(item.name, item.name) for item in service.settings.all_policies()],
        "policy": policy,
        "version": holder.snapshot.version if holder.snapshot else None,
        "stale": holder.stale,
    }
    at = form.time("at")
    if len(lines) > _MAX_TARGETS:
        form.problems["target"] = (
            f"{len(lines):,} targets are more than {_MAX_TARGETS:,}: use several lookups, or POST /v1/lookup"
        )
    if form.problems or not lines:
        return render_template("lookup.html", **common), 422 if form.problems else 200
    if len(lines) > 1:
        return render_template("lookup.html", **common, **_many(service, lines, policy, at))
    found = _one(service, lines[0], policy, at)
    return render_template("lookup.html", **common, **found), found.get("status", 200)


def _one(service: Service, text: str, policy: str, at: str | None) -> dict[str, Any]:
    try:
        candidates = read_candidates(text)
        targets = [target for target, _ in candidates]
        verdict = service.evidence.lookup_text(text, policy, at=at)
        # An override is shown with the verdict, not as a listing.
        listings = [item for item in verdict.listings if "feed" in item]
        history = service.evidence.history_of(candidates)
        held, refused = service.held.waiting(targets, policy, at), service.held.refused(targets)
    except BlocklistError as error:
        return {"target": text, "error": str(error), "status": error.http_status}
    page = Page(len(history))
    shown = history[page.offset : page.offset + page.size]
    begin, marks = charts.listing_marks(shown, now())
    return {
        "target": text,
        "at": at,
        "verdict": verdict,
        "listings": listings[:PAGE_SIZE],
        "listings_found": len(listings),
        "held": held[:PAGE_SIZE],
        "held_found": len(held),
        "refused": refused[:PAGE_SIZE],
        "review_path": review_path,
        "history": list(zip(shown, marks, strict=True)),
        "began": begin,
        "page": page,
        "overrides": _overrides(service, verdict),
        "site": _site(candidates, verdict),
    }


def _site(candidates: Candidates, verdict: Verdict) -> str:
    """Return the site or app that an override is for: the one that the verdict is about."""
    host = (verdict.rule or "").partition("/")[0].removeprefix("www.")
    about = [
        target
        for target, via in candidates
        if via == verdict.via and (target.app == verdict.rule if target.app else target.host.endswith(host))
    ]
    target = about[0] if about else candidates[0].target
    return f"app:{target.app}" if target.app else target.host


def _many(service: Service, lines: list[str], policy: str, at: str | None) -> dict[str, Any]:
    answers = list(service.evidence.lookup_texts(lines, policy, at=at, held=True))
    counts = Counter(map(_shown_as, answers))
    answers.sort(key=lambda line: _ORDER.index(_shown_as(line)))
    return {"answers": answers, "counts": counts, "at": at, "shown_as": _shown_as}


def _shown_as(line: LookupResult) -> str:
    """Return the verdict on a line, or ``held`` for a target that is not listed because something waits."""
    if line.verdict is None:
        return VerdictKind.UNKNOWN.value
    return "held" if line.held and not line.verdict.listed else line.verdict.verdict.value


def _overrides(service: Service, verdict: Verdict) -> list[Override]:
    active = service.overrides.active() if verdict.override else []
    return [item for item in active if item.rule.value == verdict.rule and item.action == verdict.override]
