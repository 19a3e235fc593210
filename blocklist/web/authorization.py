"""Authorization on the control plane. Every route must declare the role that it needs."""

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
from blocklist.web.cookies_csrf import SESSION, check_csrf, read_cookie
from blocklist.web.responses import respond, see_other

View = TypeVar("View", bound=Callable[..., Any])
#: The attribute of a view; functools.wraps copies it, so that a wrapped view keeps its declaration.
_ATTRIBUTE = "_blocklist_need"
_DECLARED = "blocklist.needs"
#: What a route can need instead of a role: nothing, or the permission to make lookups, as on a lookup node.
_ANYBODY, CALLERS = "anybody", "callers"
#: Maximum size of a form on a public page, in bytes: names and passwords are short.
_PUBLIC_FORM_BYTES = 16_384


def needs(role: Role | None) -> Callable[[View], View]:
    """Return the decorator that declares the role that a view needs; None: the view is public.

    Write it below the decorator of the route.
    """

    def mark(view: View) -> View:
        setattr(view, _ATTRIBUTE, role or _ANYBODY)
        return view

    return mark


open_to_all = needs(None)


def declare(app: Flask, endpoint: str, need: str | None) -> None:
    """Declare what an endpoint needs whose view cannot be decorated: a role, or ``CALLERS``; None: it is public."""
    app.extensions.setdefault(_DECLARED, {})[endpoint] = need or _ANYBODY


def need_of(app: Flask, endpoint: str) -> str | None:
    """Return what an endpoint needs: a role, ``anybody`` or ``callers``; None if nothing is declared."""
    declared: dict[str, str] = app.extensions.get(_DECLARED, {})
    return declared.get(endpoint) or getattr(app.view_functions[endpoint], _ATTRIBUTE, None)


def current_identity() -> Identity:
    """Return the identity of the sender of the current request.

    :raises UnauthorizedError: the sender is not authenticated, which can happen on public routes only.
    """
    identity: Identity | None = g.get("identity")
    if identity is None:
        raise UnauthorizedError("you are not signed in")
    return identity


def enforce_roles(app: Flask, service: Service) -> None:
    """Authenticate every request, and check the role that its route needs. Call it after all routes are registered.

    :raises RuntimeError: a route declares nothing.
    """
    undeclared = sorted({rule.endpoint for rule in app.url_map.iter_rules() if not need_of(app, rule.endpoint)})
    if undeclared:
        raise RuntimeError(f"these views declare no role (blocklist.web.authorization.needs): {undeclared}")
    callers = TokenAuthentication(service.settings.lookup.token_file)

    @app.before_request
    def check() -> ResponseReturnValue | None:
        service.audit.set_origin(request.remote_addr)
        if request.endpoint is None:
            # 404 or 405: Flask handles it.
            return None
        need = need_of(app, request.endpoint)
        if need == CALLERS:
            refusal = callers.refusal(request.path, {name.lower(): value for name, value in request.headers})
            return respond(refusal) if refusal else None
        try:
            g.identity = _identify(service)
        except UnauthorizedError as error:
            if need != _ANYBODY:
                return _unauthorized(str(error))
        except TooManyError as error:
            response = respond(problem(error.http_status, str(error)))
            response.headers["Retry-After"] = str(error.retry_after)
            return response
        if need == _ANYBODY:
            request.max_content_length = _PUBLIC_FORM_BYTES
        else:
            _check_role(g.identity, need)
        if _bearer_token() is None:
            # Other sites can make a browser send cookies, but not a token.
            check_csrf(service.settings)
        return None

    @app.context_processor
    def identity() -> dict[str, Identity | None]:
        return {"identity": g.get("identity")}


def _identify(service: Service) -> Identity:
    token, secret = _bearer_token(), read_cookie(SESSION)
    if token is not None:
        return service.tokens.identity(token, request.remote_addr)
    if secret is not None:
        return service.sign_in.identity(secret, request.remote_addr)
    raise UnauthorizedError(
        "sign in, or send a token: Authorization: Bearer TOKEN; 'blocklist token create --role viewer' creates one"
    )


def _bearer_token() -> str | None:
    """Return the bearer token of the request; other schemes (Basic) are for a proxy in front and are ignored."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _check_role(identity: Identity, need: str | None) -> None:
    if need is None:
        raise ForbiddenError("this address declares no role, so that nobody may use it")
    if not identity.role.covers(Role(need)):
        raise ForbiddenError(
            f"this needs the role {need}; {identity.name} has the role {identity.role}: ask an admin for access"
        )


def _unauthorized(detail: str) -> Response:
    if request.path == "/" or request.path.startswith("/admin/"):
        back = {"next": request.full_path.rstrip("?")} if request.method == "GET" else {}
        query = f"?{urlencode(back)}" if back and back["next"] != "/admin/" else ""
        return see_other(f"/admin/sign-in{query}")
    response = respond(problem(401, detail))
    response.headers["WWW-Authenticate"] = 'Bearer realm="blocklist"'
    return response
