"""Who may do what on the control plane, in one place: no route answers that does not say whom it needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Flask, Response, g, request
from flask.typing import ResponseReturnValue

from blocklist.access.identity import Identity
from blocklist.domain.access import Role
from blocklist.domain.errors import ForbiddenError, TooManyError, UnauthorizedError
from blocklist.lookup.authentication import TokenAuthentication
from blocklist.lookup.http import problem
from blocklist.service import Service
from blocklist.web.cookies_csrf import check_form, session_secret
from blocklist.web.responses import respond, see_other

View = TypeVar("View", bound=Callable[..., Any])
#: A function copies its attributes to what wraps it (functools.wraps), so that a decorated view still says its need.
_ATTRIBUTE = "_blocklist_need"
_DECLARED = "blocklist.needs"
#: A route's need besides a role: nobody in particular, or whoever may ask for verdicts.
_ANYBODY, _CALLERS = "anybody", "callers"
#: Bytes of a form that anybody may send: names and passwords are short.
_LARGEST_OF_ANYBODY = 16_384


def needs(role: Role | None) -> Callable[[View], View]:
    """Say which role a view needs, on the line below its route; None: anybody may have it."""

    def mark(view: View) -> View:
        setattr(view, _ATTRIBUTE, role or _ANYBODY)
        return view

    return mark


open_to_all = needs(None)


def declare(app: Flask, endpoint: str, role: Role | None) -> None:
    """Say which role an endpoint needs whose view is not ours to decorate, such as static files."""
    app.extensions.setdefault(_DECLARED, {})[endpoint] = role or _ANYBODY


def declare_lookup(app: Flask, endpoint: str) -> None:
    """Say that an endpoint answers whomever the lookup node would answer."""
    app.extensions.setdefault(_DECLARED, {})[endpoint] = _CALLERS


def need_of(app: Flask, endpoint: str) -> str | None:
    """Return what an endpoint declares: a role, ``anybody`` or ``callers``; None if it declares nothing."""
    declared: dict[str, str] = app.extensions.get(_DECLARED, {})
    return declared.get(endpoint) or getattr(app.view_functions[endpoint], _ATTRIBUTE, None)


def current_identity() -> Identity:
    """Return who sent the request that is being answered.

    :raises UnauthorizedError: nobody known did; only a route that is open to all may find that.
    """
    identity: Identity | None = g.get("identity")
    if identity is None:
        raise UnauthorizedError("nobody is signed in")
    return identity


def guard(app: Flask, service: Service) -> None:
    """Answer only whom each route needs; to be called when every route is there.

    :raises RuntimeError: a route does not say whom it needs.
    """
    silent = sorted({rule.endpoint for rule in app.url_map.iter_rules() if not need_of(app, rule.endpoint)})
    if silent:
        raise RuntimeError(f"these views do not say which role they need (blocklist.web.authorization.needs): {silent}")
    callers = TokenAuthentication(service.settings.lookup.token_file)

    @app.before_request
    def check() -> ResponseReturnValue | None:
        service.audit.set_origin(request.remote_addr)
        if request.endpoint is None:
            # No such address, or not with this method: the application says so.
            return None
        need = need_of(app, request.endpoint)
        if need == _CALLERS:
            refused = callers.refusal(request.path, {name.lower(): value for name, value in request.headers})
            return respond(refused) if refused else None
        try:
            g.identity = _identify(service)
        except UnauthorizedError as error:
            if need != _ANYBODY:
                return _unknown(str(error))
        except TooManyError as error:
            return _too_many(error)
        if need == _ANYBODY:
            request.max_content_length = _LARGEST_OF_ANYBODY
        else:
            _check_role(g.identity, need)
        if _shown_token() is None:
            # Browsers cannot be made to send a token, and do send cookies.
            check_form(service.settings)
        return None

    @app.context_processor
    def identity() -> dict[str, Identity | None]:
        return {"identity": g.get("identity")}


def _identify(service: Service) -> Identity:
    token, secret = _shown_token(), session_secret()
    if token is not None:
        return service.tokens.identity(token, request.remote_addr)
    if secret is not None:
        return service.sign_in.identity(secret, request.remote_addr)
    raise UnauthorizedError(
        "sign in, or show a token: Authorization: Bearer TOKEN; 'blocklist token create --role viewer' makes one"
    )


def _shown_token() -> str | None:
    """Return the bearer token that a request shows; what a proxy in front was shown (Basic) is not for us."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _check_role(identity: Identity, need: str | None) -> None:
    if need is None:
        raise ForbiddenError("this address does not say whom it is for, and so it is for nobody")
    if not identity.role.covers(Role(need)):
        raise ForbiddenError(f"this needs the role {need}; {identity.name} is {identity.role}: ask an admin")


def _too_many(error: TooManyError) -> Response:
    response = respond(problem(error.http_status, str(error)))
    response.headers["Retry-After"] = str(error.retry_after)
    return response


def _unknown(detail: str) -> Response:
    if request.path == "/" or request.path.startswith("/admin/"):
        back = {"next": request.full_path.rstrip("?")} if request.method == "GET" else {}
        query = f"?{urlencode(back)}" if back and back["next"] != "/admin/" else ""
        return see_other(f"/admin/sign-in{query}")
    response = respond(problem(401, detail))
    response.headers["WWW-Authenticate"] = 'Bearer realm="blocklist"'
    return response
