"""Review: the held runs and entries that wait for a decision, and listed entries that are worth a look."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, render_template, request

from blocklist.domain.access import Role
from blocklist.domain.errors import BlocklistError
from blocklist.domain.run import FlaggedEntry, FlagState, HeldEntry, HoldState
from blocklist.domain.verdict import Override
from blocklist.service import Service
from blocklist.web.authorization import current_identity, needs
from blocklist.web.pages.layout import Form, query_number, success
from blocklist.web.pages.template_filters import counted

#: Entries per page: one request decides on all that are selected.
_ENTRIES = 25
#: Decisions, and the resulting state.
_DECISIONS = {"approve": "listed", "refuse": "refused", "revoke": "waiting again"}
#: Decisions on flagged entries: the resulting state, and the reason that is kept if the person gives none.
_FLAG_DECISIONS = {
    "allow": ("allowed", "not an infringing site, seen in the review of flagged entries"),
    "dismiss": ("left on the list", "listed rightly, seen in the review of flagged entries"),
}


def register(pages: Blueprint, service: Service) -> None:
    """Register the review page."""

    @pages.get("/review")
    @needs(Role.VIEWER)
    def review() -> str:
        return _review_page(service, Form())

    @pages.post("/review/entries")
    @needs(Role.APPROVER)
    def decide_entries() -> Response | tuple[str, int]:
        form, decision = Form(request.form), request.form.get("decision", "")
        chosen = _chosen("entry")
        reason = form.require("reason", "Enter the reason. The decision also applies to later lists of the feed.")
        if not chosen:
            form.problems["entry"] = "Select at least one entry."
        if decision not in _DECISIONS:
            form.problems[""] = "Choose approve, refuse or revoke."
        if not form.problems:
            decisions = {
                "approve": service.holds.approve,
                "refuse": service.holds.refuse,
                "revoke": service.holds.revoke,
            }
            decided, refused = _decide(decisions[decision], chosen, reason)
            if not refused:
                done = _done(decided, _DECISIONS[decision])
                return success(done, "review", state=request.form.get("state") or None)
            form.problems[""] = " ".join(refused)
        return _review_page(service, form), 422

    @pages.post("/review/flags")
    @needs(Role.APPROVER)
    def decide_flags() -> Response | tuple[str, int]:
        # The button of one entry names it; those below the table are for all that are selected.
        form, decision = Form(request.form), request.form.get("decision", "")
        decision, _, one = decision.partition("-")
        chosen = _chosen("flag") if not one else [int(one)] if one.isascii() and one.isdigit() and len(one) < 16 else []
        if not chosen:
            form.problems["flag"] = "Select at least one entry."
        if decision not in _FLAG_DECISIONS:
            form.problems[""] = "Choose allow or leave."
        if not form.problems:
            state, reason = _FLAG_DECISIONS[decision]
            decide = service.flags.allow if decision == "allow" else service.flags.dismiss
            decided, refused = _decide(decide, chosen, form["flag_reason"] or reason)
            if not refused:
                return success(_done(decided, state), "review")
            form.problems[""] = " ".join(refused)
        return _review_page(service, form), 422


def _chosen(name: str) -> list[int]:
    """Return the ids of the selected entries."""
    return [int(value) for value in request.form.getlist(name)[:_ENTRIES] if value.isascii() and value.isdigit()]


def _done(decided: list[str], state: str) -> str:
    more = "…" if len(decided) > 3 else ""
    return f"{counted(len(decided), 'entry', 'entries')} {state}: {', '.join(decided[:3])}{more}"


def _decide(
    decide: Callable[[int, str, str], HeldEntry | FlaggedEntry | Override], chosen: list[int], reason: str
) -> tuple[list[str], list[str]]:
    """Decide on each entry; return the targets that were decided on, and the errors of the others."""
    decided, refused = [], []
    for id_ in chosen:
        try:
            decided.append(decide(id_, current_identity().actor, reason).rule.value)
        except BlocklistError as error:
            refused.append(f"{error}.")
    return decided, refused


def _review_page(service: Service, form: Form) -> str:
    asked = request.values.get("state", "")
    state = HoldState(asked) if asked in tuple(HoldState) else HoldState.WAITING
    feed = request.values.get("feed", "")
    after = query_number("after")
    flags_after = query_number("flags_after")
    flags = service.flags.page(state=FlagState.OPEN, after=flags_after or 0, limit=_ENTRIES + 1)
    found = service.holds.page(feed=feed or None, state=state, after=after or 0, limit=_ENTRIES + 1)
    return render_template(
        "review.html",
        section="Review",
        pending=service.runs.pending(),
        overrides=service.overrides.waiting(),
        entries=found[:_ENTRIES],
        more=len(found) > _ENTRIES,
        after=after,
        flags=flags[:_ENTRIES],
        more_flags=len(flags) > _ENTRIES,
        flags_after=flags_after,
        flags_open=sum(service.flags.open().values()),
        waiting=service.holds.waiting(),
        state=state,
        states=HoldState,
        feed=feed,
        form=form,
        chosen=set(request.form.getlist("entry")) | {f"flag-{id_}" for id_ in request.form.getlist("flag")},
    )
