"""Review: the runs and the single entries that wait for a person."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request

from blocklist.domain.access import Role
from blocklist.domain.errors import BlocklistError
from blocklist.domain.run import HoldState
from blocklist.service import Service
from blocklist.web.authorization import current_identity, needs
from blocklist.web.pages.layout import Form, done, number_from
from blocklist.web.pages.template_filters import counted

#: Entries on a page: each that is chosen is decided on in one request.
_ENTRIES = 25
#: Words of the buttons, and what is then true.
_DECISIONS = {"approve": "listed", "refuse": "kept off the list", "revoke": "waiting again"}


def add(pages: Blueprint, service: Service) -> None:
    """Add the review."""

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
        reason = form.require("reason", "Say why: the decision is remembered for every later list of its feed.")
        if not chosen:
            form.problems["entry"] = "Choose the entries that it is about."
        if decision not in _DECISIONS:
            form.problems[""] = "Choose approve, refuse or revoke."
        if not form.problems:
            decided, refused = _decide(service, chosen, decision, reason)
            if refused:
                form.problems[""] = " ".join(refused)
            else:
                said = f"{counted(len(decided), 'entry', 'entries')} {_DECISIONS[decision]}: {', '.join(decided[:3])}"
                return done(said + ("…" if len(decided) > 3 else ""), "review", state=request.form.get("state") or None)
        return _review_page(service, form), 422


def _decide(service: Service, chosen: list[int], decision: str, reason: str) -> tuple[list[str], list[str]]:
    """Decide on entries one by one; return what was decided on, and why the rest was not."""
    tasks = {"approve": service.holds.approve, "refuse": service.holds.refuse, "revoke": service.holds.revoke}
    decided, refused = [], []
    for id_ in chosen:
        try:
            decided.append(tasks[decision](id_, current_identity().actor, reason).rule.value)
        except BlocklistError as error:
            refused.append(f"{error}.")
    return decided, refused


def _review_page(service: Service, form: Form) -> str:
    asked = request.values.get("state", "")
    state = HoldState(asked) if asked in tuple(HoldState) else HoldState.WAITING
    feed = request.values.get("feed", "")
    after = number_from("after")
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
