"""Review: the held runs and the held entries that wait for a decision."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request

from blocklist.domain.access import Role
from blocklist.domain.errors import BlocklistError
from blocklist.domain.run import HoldState
from blocklist.service import Service
from blocklist.web.authorization import current_identity, needs
from blocklist.web.pages.layout import Form, query_number, success
from blocklist.web.pages.template_filters import counted

#: Entries per page: one request decides on all that are selected.
_ENTRIES = 25
#: Decisions, and the resulting state.
_DECISIONS = {"approve": "listed", "refuse": "refused", "revoke": "waiting again"}


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
        chosen = [
            int(value) for value in request.form.getlist("entry")[:_ENTRIES] if value.isascii() and value.isdigit()
        ]
        reason = form.require("reason", "Enter the reason. The decision also applies to later lists of the feed.")
        if not chosen:
            form.problems["entry"] = "Select at least one entry."
        if decision not in _DECISIONS:
            form.problems[""] = "Choose approve, refuse or revoke."
        if not form.problems:
            decided, refused = _decide(service, chosen, decision, reason)
            if refused:
                form.problems[""] = " ".join(refused)
            else:
                done = f"{counted(len(decided), 'entry', 'entries')} {_DECISIONS[decision]}: {', '.join(decided[:3])}"
                return success(
                    done + ("…" if len(decided) > 3 else ""), "review", state=request.form.get("state") or None
                )
        return _review_page(service, form), 422


def _decide(service: Service, chosen: list[int], decision: str, reason: str) -> tuple[list[str], list[str]]:
    """Decide on each entry; return the targets that were decided on, and the errors of the others."""
    decisions = {"approve": service.holds.approve, "refuse": service.holds.refuse, "revoke": service.holds.revoke}
    decided, refused = [], []
    for id_ in chosen:
        try:
            decided.append(decisions[decision](id_, current_identity().actor, reason).rule.value)
        except BlocklistError as error:
            refused.append(f"{error}.")
    return decided, refused


def _review_page(service: Service, form: Form) -> str:
    asked = request.values.get("state", "")
    state = HoldState(asked) if asked in tuple(HoldState) else HoldState.WAITING
    feed = request.values.get("feed", "")
    after = query_number("after")
    found = service.holds.page(feed=feed or None, state=state, after=after or 0, limit=_ENTRIES + 1)
    return render_template(
        "review.html",
        section="Review",
        pending=service.runs.pending(),
        overrides=service.overrides.waiting(),
        entries=found[:_ENTRIES],
        more=len(found) > _ENTRIES,
        after=after,
        waiting=service.holds.waiting(),
        state=state,
        states=HoldState,
        feed=feed,
        form=form,
        chosen=set(request.form.getlist("entry")),
    )
