"""Access: people, the tokens of programs, and what each may do."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue

from blocklist.domain.access import Role
from blocklist.domain.clock import now, parse_time
from blocklist.domain.errors import BlocklistError
from blocklist.service import Service
from blocklist.web.authorization import current_identity, needs
from blocklist.web.pages.layout import PAGE, Form, Page, done, number_from
from blocklist.web.pages.template_filters import counted

#: What each role may do, in a sentence for whoever chooses one.
ROLES = (
    (Role.VIEWER, "sees everything but settings and access"),
    (Role.EDITOR, "adds and changes feeds and overrides, too"),
    (Role.APPROVER, "decides on what is held, too"),
    (Role.ADMIN, "gives access, and sees the settings, too"),
)


@dataclass(frozen=True, slots=True)
class Made:
    """A secret that was just made, and for whom or what: a token, or a link by which a person sets their password."""

    name: str
    secret: str
    token: bool


def add(pages: Blueprint, service: Service) -> None:
    """Add the pages of access."""

    @pages.get("/access")
    @needs(Role.ADMIN)
    def people() -> str:
        return _access_page(service, Form())

    @pages.post("/access/people")
    @needs(Role.ADMIN)
    def add_person() -> ResponseReturnValue:
        form, actor = Form(request.form), current_identity().actor
        name = form.require("person", "Say under which name they sign in.")
        if form["person_role"] not in tuple(Role):
            form.problems["person_role"] = "Choose a role."
        if not form.problems:
            try:
                person, key = service.people.add(name, Role(form["person_role"]), actor)
                return _shown_once(service, person.name, service.settings.link_address(key))
            except BlocklistError as error:
                form.problems["person"] = str(error)
        return _access_page(service, form), 422

    @pages.post("/access/people/<name>")
    @needs(Role.ADMIN)
    def change_person(name: str) -> ResponseReturnValue:
        form, actor, change = Form(request.form), current_identity().actor, request.form.get("change", "")
        try:
            if change == "link":
                person, key = service.people.new_link(name, actor)
                return _shown_once(service, person.name, service.settings.link_address(key))
            if change in ("disable", "enable"):
                service.people.set_disabled(name, change == "disable", actor)
                return done(f"{name} is {'shut out' if change == 'disable' else 'let in again'}.", "people")
            if change == "sign-out":
                ended = service.people.sign_out_everywhere(name, actor)
                return done(f"{name} is signed out everywhere: {counted(ended, 'session')} ended.", "people")
            if change == "role" and form["role"] in tuple(Role):
                service.people.set_role(name, Role(form["role"]), actor)
                return done(f"{name} is {form['role']} now, and signs in anew.", "people")
            form.problems[""] = "Choose what is to change."
        except BlocklistError as error:
            form.problems[""] = str(error)
        return _access_page(service, form), 422

    @pages.post("/access/tokens")
    @needs(Role.ADMIN)
    def create_token() -> ResponseReturnValue:
        form = Form(request.form)
        name = form.require("name", "Say what it is for: the audit log names it.")
        expires_at = None
        try:
            expires_at = parse_time(form["expires_at"]) if form["expires_at"] else None
        except ValueError as error:
            form.problems["expires_at"] = str(error)
        if form["role"] not in tuple(Role):
            form.problems["role"] = "Choose a role."
        if not form.problems:
            try:
                token, secret = service.tokens.create(Role(form["role"]), current_identity().actor, name, expires_at)
            except BlocklistError as error:
                form.problems[""] = str(error)
            else:
                return _shown_once(service, token.name, secret, token=True)
        return _access_page(service, form), 422

    @pages.post("/access/tokens/<int:id_>/revoke")
    @needs(Role.ADMIN)
    def revoke_token(id_: int) -> ResponseReturnValue:
        form = Form()
        try:
            token = service.tokens.revoke(id_, current_identity().actor)
            return done(f"The token {token.name} ({token.prefix}…) is revoked: it opens nothing any more.", "people")
        except BlocklistError as error:
            form.problems[""] = str(error)
        return _access_page(service, form), 422


def _shown_once(service: Service, name: str, secret: str, *, token: bool = False) -> ResponseReturnValue:
    """Show a secret in the answer itself: one that waited for another request to be shown could be lost or found."""
    return make_response(_access_page(service, Form(), made=Made(name, secret, token)), 201)


def _access_page(service: Service, form: Form, made: Made | None = None) -> str:
    tokens = service.tokens.all()
    tokens.sort(key=lambda token: (token.state(now()) != "active", -token.id))
    page = Page(len(tokens), PAGE)
    after = number_from("after") or 0
    people = service.people.all(PAGE + 1, after)
    return render_template(
        "people.html",
        section="Access",
        tokens=tokens[page.offset : page.offset + page.size],
        page=page,
        people=people[:PAGE],
        more=len(people) > PAGE,
        form=form,
        made=made,
        roles=ROLES,
        names=[(role.value, role.value) for role in Role],
        now=now(),
    )
