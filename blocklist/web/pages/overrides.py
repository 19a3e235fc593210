"""Overrides: add, confirm and remove."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request

from blocklist.domain.access import Role
from blocklist.domain.clock import now
from blocklist.domain.errors import UsageError
from blocklist.domain.verdict import OverrideAction
from blocklist.service import Service
from blocklist.web.authorization import current_identity, needs
from blocklist.web.pages.layout import PAGE_SIZE, Form, query_number, success


def register(pages: Blueprint, service: Service) -> None:
    """Register the pages of overrides."""

    @pages.get("/overrides")
    @needs(Role.VIEWER)
    def overrides() -> str:
        return _overrides_page(service, Form(request.args))

    @pages.post("/overrides")
    @needs(Role.EDITOR)
    def add_override() -> Response | tuple[str, int]:
        form = Form(request.form)
        target = form.require("target", "Enter a host, a URL, or app:ID.")
        reason = form.require("reason", "Enter the reason. Other people will need it later.")
        form.require_one_of("action", OverrideAction, "Choose allow or block.")
        action, until = form["action"], form.time("until")
        if until and until <= now():
            form.problems["until"] = f"{form['until']} is in the past."
        if not form.problems:
            with form.problem_at(), form.problem_at("target", UsageError):
                made = service.overrides.add(OverrideAction(action), target, reason, current_identity().actor, until)
                effect = "allowed" if made.action is OverrideAction.ALLOW else "blocked"
                when = "from now on" if made.confirmed_at else "after another person has confirmed it"
                return success(f"{made.rule.value} is {effect} {when}.", "overrides")
        return _overrides_page(service, form), 422

    @pages.post("/overrides/<int:id_>/confirm")
    @needs(Role.APPROVER)
    def confirm_override(id_: int) -> Response | tuple[str, int]:
        form = Form()
        with form.problem_at():
            confirmed = service.overrides.confirm(id_, current_identity().actor)
            return success(f"The override of {confirmed.rule.value} is in force from now on.", "overrides")
        return _overrides_page(service, form), 422

    @pages.post("/overrides/<int:id_>/remove")
    @needs(Role.EDITOR)
    def remove_override(id_: int) -> Response | tuple[str, int]:
        form = Form()
        with form.problem_at():
            removed = service.overrides.remove(id_, current_identity().actor)
            return success(f"The override of {removed.rule.value} was removed.", "overrides")
        return _overrides_page(service, form), 422


def _overrides_page(service: Service, form: Form) -> str:
    everything = request.args.get("all") == "1"
    found = service.overrides.page(after=query_number("after") or 0, limit=PAGE_SIZE + 1, removed=everything)
    return render_template(
        "overrides.html",
        section="Overrides",
        overrides=found[:PAGE_SIZE],
        more=len(found) > PAGE_SIZE,
        everything=everything,
        form=form,
        now=now(),
        actions=[("block", "block: no ads"), ("allow", "allow: ignore all listings")],
    )
