"""Overrides: a person's word on a target, above every listing."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request

from blocklist.domain.access import Role
from blocklist.domain.clock import now, parse_time
from blocklist.domain.errors import BlocklistError, UsageError
from blocklist.domain.verdict import OverrideAction
from blocklist.service import Service
from blocklist.web.authorization import current_identity, needs
from blocklist.web.pages.layout import PAGE, Form, done, number_from


def add(pages: Blueprint, service: Service) -> None:
    """Add the overrides."""

    @pages.get("/overrides")
    @needs(Role.VIEWER)
    def overrides() -> str:
        return _overrides_page(service, Form(request.args))

    @pages.post("/overrides")
    @needs(Role.EDITOR)
    def add_override() -> Response | tuple[str, int]:
        form = Form(request.form)
        target = form.require("target", "Say what it is about: a host, a URL, or app: and an app's id.")
        reason = form.require("reason", "Say why: it is what the next person will ask for.")
        action, until = form["action"], None
        if action not in tuple(OverrideAction):
            form.problems["action"] = "Choose allow or block."
        try:
            until = parse_time(form["until"]) if form["until"] else None
        except ValueError as error:
            form.problems["until"] = str(error)
        if until and until <= now():
            form.problems["until"] = f"{form['until']} is past."
        if not form.problems:
            try:
                made = service.overrides.add(OverrideAction(action), target, reason, current_identity().actor, until)
                word = "allowed" if made.action is OverrideAction.ALLOW else "blocked"
                when = "from now on" if made.confirmed_at else "once somebody else confirms it"
                return done(f"{made.rule.value} is {word} {when}.", "overrides")
            except UsageError as error:
                form.problems["target"] = str(error)
            except BlocklistError as error:
                form.problems[""] = str(error)
        return _overrides_page(service, form), 422

    @pages.post("/overrides/<int:id_>/confirm")
    @needs(Role.APPROVER)
    def confirm_override(id_: int) -> Response | tuple[str, int]:
        form = Form()
        try:
            confirmed = service.overrides.confirm(id_, current_identity().actor)
            return done(f"The override of {confirmed.rule.value} counts from now on.", "overrides")
        except BlocklistError as error:
            form.problems[""] = str(error)
        return _overrides_page(service, form), 422

    @pages.post("/overrides/<int:id_>/remove")
    @needs(Role.EDITOR)
    def remove_override(id_: int) -> Response | tuple[str, int]:
        form = Form()
        try:
            removed = service.overrides.remove(id_, current_identity().actor)
            return done(f"The override of {removed.rule.value} is removed.", "overrides")
        except BlocklistError as error:
            form.problems[""] = str(error)
        return _overrides_page(service, form), 422


def _overrides_page(service: Service, form: Form) -> str:
    everything = request.args.get("all") == "1"
    found = service.overrides.page(after=number_from("after") or 0, limit=PAGE + 1, removed=everything)
    return render_template(
        "overrides.html",
        section="Overrides",
        overrides=found[:PAGE],
        more=len(found) > PAGE,
        everything=everything,
        form=form,
        now=now(),
        actions=[("block", "block: no ad there"), ("allow", "allow: whatever feeds list")],
    )
