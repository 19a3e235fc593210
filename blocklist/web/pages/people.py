"""Access: the tokens of programs, and what each may do."""

from __future__ import annotations

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue

from blocklist.clock import now, parse_time
from blocklist.errors import BlocklistError
from blocklist.service import Service
from blocklist.vocabulary import Role
from blocklist.web.guarding import current_identity, needs
from blocklist.web.pages.layout import PAGE, Form, Page, done

#: What each role may do, in a sentence for whoever chooses one.
ROLES = (
    (Role.VIEWER, "viewer: sees everything but settings and access"),
    (Role.EDITOR, "editor: adds and changes feeds and overrides, too"),
    (Role.APPROVER, "approver: decides on what is held, too"),
    (Role.ADMIN, "admin: gives access, too"),
)


def add(pages: Blueprint, service: Service) -> None:
    """Add the pages of access."""

    @pages.get("/access")
    @needs(Role.ADMIN)
    def people() -> str:
        return _access_page(service, Form())

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
                token, secret = service.create_token(Role(form["role"]), current_identity().actor, name, expires_at)
            except BlocklistError as error:
                form.problems[""] = str(error)
            else:
                # No redirect: a secret that is shown once must not wait anywhere to be shown.
                return make_response(_access_page(service, Form(), made=(token.name, secret)), 201)
        return _access_page(service, form), 422

    @pages.post("/access/tokens/<int:id_>/revoke")
    @needs(Role.ADMIN)
    def revoke_token(id_: int) -> ResponseReturnValue:
        form = Form()
        try:
            token = service.revoke_token(id_, current_identity().actor)
            return done(f"The token {token.name} ({token.prefix}…) is revoked: it opens nothing any more.", "people")
        except BlocklistError as error:
            form.problems[""] = str(error)
        return _access_page(service, form), 422


def _access_page(service: Service, form: Form, made: tuple[str, str] | None = None) -> str:
    tokens = service.store.tokens.all()
    tokens.sort(key=lambda token: (token.state(now()) != "active", -token.id))
    page = Page(len(tokens), PAGE)
    return render_template(
        "people.html",
        section="Access",
        tokens=tokens[page.offset : page.offset + page.size],
        page=page,
        form=form,
        made=made,
        roles=[(role.value, said) for role, said in ROLES],
        now=now(),
    )
