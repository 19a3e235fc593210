"""Access: people, API tokens, and their roles."""

from __future__ import annotations

from typing import NamedTuple

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue

from blocklist.domain.access import Role
from blocklist.domain.clock import now
from blocklist.service import Service
from blocklist.web.authorization import current_identity, needs
from blocklist.web.pages.layout import PAGE_SIZE, Form, Page, query_number, success
from blocklist.web.pages.template_filters import counted

#: The rights of each role.
ROLES = (
    (Role.VIEWER, "can see everything except settings and access"),
    (Role.EDITOR, "can also add and change feeds and overrides"),
    (Role.APPROVER, "can also decide on held runs and held entries"),
    (Role.ADMIN, "can also manage access, and see the settings"),
)


class NewSecret(NamedTuple):
    """A new secret, and the name of its owner: an API token, or a link with which a person sets the password."""

    name: str
    secret: str
    is_token: bool


def register(pages: Blueprint, service: Service) -> None:
    """Register the pages of access."""

    @pages.get("/access")
    @needs(Role.ADMIN)
    def people() -> str:
        return _access_page(service, Form())

    @pages.post("/access/people")
    @needs(Role.ADMIN)
    def add_person() -> ResponseReturnValue:
        form, actor = Form(request.form), current_identity().actor
        name = form.require("person", "Enter the name that they sign in with.")
        form.require_one_of("person_role", Role, "Choose a role.")
        if not form.problems:
            with form.problem_at("person"):
                person, key = service.people.add(name, Role(form["person_role"]), actor)
                return _show_once(service, person.name, service.settings.link_address(key))
        return _access_page(service, form), 422

    @pages.post("/access/people/<name>")
    @needs(Role.ADMIN)
    def change_person(name: str) -> ResponseReturnValue:
        form, actor, change = Form(request.form), current_identity().actor, request.form.get("change", "")
        with form.problem_at():
            if change == "link":
                person, key = service.people.new_link(name, actor)
                return _show_once(service, person.name, service.settings.link_address(key))
            if change in ("disable", "enable"):
                service.people.set_disabled(name, change == "disable", actor)
                return success(f"{name} was {change}d.", "people")
            if change == "sign-out":
                ended = service.people.sign_out_everywhere(name, actor)
                return success(f"{name} was signed out everywhere: {counted(ended, 'session')} ended.", "people")
            if change == "role" and form["role"] in tuple(Role):
                service.people.set_role(name, Role(form["role"]), actor)
                return success(f"{name} has the role {form['role']} now, and must sign in again.", "people")
            form.problems[""] = "Choose what to change."
        return _access_page(service, form), 422

    @pages.post("/access/tokens")
    @needs(Role.ADMIN)
    def create_token() -> ResponseReturnValue:
        form = Form(request.form)
        name = form.require("name", "Enter a name. It appears in the audit log.")
        expires_at = form.time("expires_at")
        form.require_one_of("role", Role, "Choose a role.")
        if not form.problems:
            with form.problem_at():
                token, secret = service.tokens.create(Role(form["role"]), current_identity().actor, name, expires_at)
                return _show_once(service, token.name, secret, is_token=True)
        return _access_page(service, form), 422

    @pages.post("/access/tokens/<int:id_>/revoke")
    @needs(Role.ADMIN)
    def revoke_token(id_: int) -> ResponseReturnValue:
        form = Form()
        with form.problem_at():
            token = service.tokens.revoke(id_, current_identity().actor)
            return success(f"The token {token.name} ({token.prefix}…) was revoked. It no longer works.", "people")
        return _access_page(service, form), 422


def _show_once(service: Service, name: str, secret: str, *, is_token: bool = False) -> ResponseReturnValue:
    """Show a secret in this response, without a redirect: so it does not have to be stored."""
    return make_response(_access_page(service, Form(), NewSecret(name, secret, is_token)), 201)


def _access_page(service: Service, form: Form, new_secret: NewSecret | None = None) -> str:
    tokens = service.tokens.all()
    tokens.sort(key=lambda token: (token.state(now()) != "active", -token.id))
    page = Page(len(tokens), PAGE_SIZE)
    after = query_number("after") or 0
    people = service.people.all(PAGE_SIZE + 1, after)
    return render_template(
        "people.html",
        section="Access",
        tokens=tokens[page.offset : page.offset + page.size],
        page=page,
        people=people[:PAGE_SIZE],
        more=len(people) > PAGE_SIZE,
        form=form,
        new_secret=new_secret,
        roles=ROLES,
        names=[(role.value, role.value) for role in Role],
        now=now(),
    )
