"""Sign-in, sign-out, the one-time link for a password, and the account page."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from urllib.parse import quote, unquote

from flask import Blueprint, Response, make_response, render_template, request

from blocklist.access.identity import AuthMethod
from blocklist.domain.access import Role
from blocklist.domain.errors import BlocklistError, ForbiddenError, TooManyError, UnauthorizedError, UsageError
from blocklist.service import Service
from blocklist.service.people import is_name
from blocklist.web.authorization import current_identity, needs, open_to_all
from blocklist.web.cookies_csrf import PENDING, SESSION, delete_cookie, read_cookie, set_cookie, set_session
from blocklist.web.responses import see_other

#: Addresses that sign-in may redirect to: pages of this site only.
_INTERNAL = re.compile(r"/admin/[!-\[\]-~]*")


def register(pages: Blueprint, service: Service) -> None:
    """Register the pages for sign-in and the account page."""

    @pages.app_context_processor
    def provider() -> dict[str, str]:
        return {"provider": service.settings.oidc.title if service.settings.oidc.issuer else ""}

    @pages.get("/sign-in")
    @open_to_all
    def sign_in() -> Response:
        return _page("sign_in.html", next=_next(request.args.get("next", "")))

    @pages.post("/sign-in")
    @open_to_all
    def signed_in() -> Response:
        name, next_ = request.form.get("name", ""), _next(request.form.get("next", ""))
        password = request.form.get("password", "")
        try:
            secret = service.sign_in.with_password(name, password, request.remote_addr, _agent())
        except BlocklistError as error:
            # Some people type their password as the name: only a valid name is shown again.
            return _page("sign_in.html", error, name=name if is_name(name) else "", next=next_)
        return _begin(secret, next_)

    @pages.get("/sign-in/provider")
    @open_to_all
    def to_provider() -> Response:
        try:
            address, pending = service.provider.begin(_callback(service), _next(request.args.get("next", "")))
        except BlocklistError as error:
            return _page("sign_in.html", error, next="/admin/")
        return set_cookie(see_other(address), PENDING, quote(json.dumps(asdict(pending))), 600)

    @pages.get("/sign-in/provider/back")
    @open_to_all
    def from_provider() -> Response:
        try:
            secret, next_ = _finish_with_provider(service)
        except BlocklistError as error:
            return delete_cookie(_page("sign_in.html", error, next="/admin/"), PENDING)
        return delete_cookie(_begin(secret, next_), PENDING)

    @pages.post("/sign-out")
    @open_to_all
    def sign_out() -> Response:
        if secret := read_cookie(SESSION):
            service.sign_in.end_session(secret)
        return delete_cookie(see_other("/admin/sign-in"), SESSION)

    @pages.get("/set-up")
    @open_to_all
    def set_up() -> Response:
        key = request.args.get("key", "")
        try:
            person = service.sign_in.person_of_link(key)
        except BlocklistError as error:
            return _page("set_up.html", error, broken=True)
        return _page("set_up.html", key=key, person=person)

    @pages.post("/set-up")
    @open_to_all
    def set_password() -> Response:
        key, name = request.form.get("key", ""), request.form.get("name", "")
        try:
            person = service.sign_in.person_of_link(key)
        except BlocklistError as error:
            return _page("set_up.html", error, broken=True)
        try:
            secret = service.sign_in.with_link(key, name, _new_password(), request.remote_addr, _agent())
        except BlocklistError as error:
            return _page("set_up.html", error, key=key, person=person, name=name)
        return _begin(secret, "/admin/")

    @pages.get("/account")
    @needs(Role.VIEWER)
    def account() -> Response:
        return _account()

    @pages.post("/account/password")
    @needs(Role.VIEWER)
    def password() -> Response:
        try:
            secret = service.sign_in.change_password(
                _own_name(), request.form.get("old", ""), _new_password(), request.remote_addr, _agent()
            )
        except BlocklistError as error:
            return _account(error)
        return _begin(secret, "/admin/account")

    @pages.post("/account/sign-out-everywhere")
    @needs(Role.VIEWER)
    def sign_out_everywhere() -> Response:
        service.people.sign_out_everywhere(_own_name(), current_identity().actor)
        return delete_cookie(see_other("/admin/sign-in"), SESSION)

    def _account(error: BlocklistError | None = None) -> Response:
        name = _own_name()
        return _page("account.html", error, person=service.people.get(name), sessions=service.sign_in.sessions_of(name))

    def _begin(secret: str, next_: str) -> Response:
        # End the session of the old cookie: it can be one that an attacker has set (session fixation).
        if old := read_cookie(SESSION):
            service.sign_in.end_session(old)
        return set_session(see_other(next_), secret)


def _callback(service: Service) -> str:
    return f"{service.settings.serve.public_url or request.host_url.rstrip('/')}/admin/sign-in/provider/back"


def _finish_with_provider(service: Service) -> tuple[str, str]:
    """Return the session secret after a sign-in with the OpenID provider, and the page to redirect to."""
    from blocklist.access.oidc import PendingSignIn  # noqa: PLC0415 - only needed if a provider is configured

    try:
        pending = PendingSignIn(**json.loads(unquote(read_cookie(PENDING) or "")))
    except (ValueError, TypeError):
        raise UnauthorizedError(
            "no sign-in was started in this browser, or cookies are disabled: sign in again"
        ) from None
    secret = service.provider.finish(pending, request.args.to_dict(), _callback(service), request.remote_addr, _agent())
    return secret, _next(pending.next)


def _page(template: str, error: BlocklistError | None = None, **values: object) -> Response:
    response = make_response(render_template(template, error=str(error) if error else "", **values))
    if error is not None:
        response.status_code = error.http_status
    if isinstance(error, TooManyError):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _new_password() -> str:
    password = request.form.get("password", "")
    if password != request.form.get("again", ""):
        raise UsageError("the two passwords differ")
    return password


def _own_name() -> str:
    identity = current_identity()
    if identity.method is not AuthMethod.SESSION:
        raise ForbiddenError("this page needs a signed-in person; a token has no password and no sessions")
    return identity.name


def _agent() -> str:
    return request.headers.get("User-Agent", "")


def _next(path: str) -> str:
    return path if _INTERNAL.fullmatch(path) else "/admin/"
