"""Cookies of browsers, and protection against cross-site request forgery (CSRF)."""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from flask import Flask, Response, g, request
from markupsafe import Markup

from blocklist.access.secrets import hash_secret, new_secret
from blocklist.config.settings import Settings
from blocklist.domain.errors import ForbiddenError

#: The form field or the request header with the CSRF token.
FIELD, HEADER = "csrf", "X-CSRF-Token"
#: Cookies: the session, and the state of a sign-in with an OpenID provider that is in progress.
SESSION, PENDING = "blocklist", "blocklist-provider"
_FORMS = "blocklist-forms"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def read_cookie(name: str) -> str | None:
    """Return the value of a cookie of the current request; None if there is none."""
    return request.cookies.get(_cookie_name(name))


def set_cookie(response: Response, name: str, value: str, max_age: int | None = None) -> Response:
    """Set a cookie, for ``max_age`` seconds or until the browser ends."""
    # Lax: a link in an e-mail opens the page. Every change also needs the CSRF token.
    response.set_cookie(
        _cookie_name(name), value, max_age=max_age, path="/", secure=request.is_secure, httponly=True, samesite="Lax"
    )
    return response


def delete_cookie(response: Response, name: str) -> Response:
    """Delete a cookie."""
    response.delete_cookie(_cookie_name(name), path="/", secure=request.is_secure, httponly=True, samesite="Lax")
    return response


def set_session(response: Response, secret: str) -> Response:
    """Set the session cookie, and delete the cookie for forms before sign-in."""
    return delete_cookie(set_cookie(response, SESSION, secret), _FORMS)


def csrf_token() -> str:
    """Return the CSRF token for forms of the current page; it can be computed only with the cookie."""
    secret = read_cookie(SESSION) if g.get("identity") else None
    if secret is None:
        secret = read_cookie(_FORMS) or g.get("forms_secret")
    if secret is None:
        secret = g.forms_secret = new_secret()
    return hash_secret(f"csrf {secret}")


def csrf_field() -> Markup:
    """Return the hidden field that every form with ``method="post"`` needs."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, csrf_token())


def check_csrf(settings: Settings) -> None:
    """Check that the request was not sent by a page of another site.

    :raises ForbiddenError: it was, or the CSRF token is wrong.
    """
    if request.method in _SAFE:
        return
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site not in (None, "same-origin"):
        raise ForbiddenError(_CROSS_SITE)
    if origin is not None and not _is_same_origin(origin, settings):
        raise ForbiddenError(
            f"{_CROSS_SITE} Its origin is {origin}, but this host is {request.host}: if there is a proxy in front, it "
            "must forward the Host header, or the setting serve.public_url must be the address that browsers use."
        )
    given = request.headers.get(HEADER) or request.form.get(FIELD, "")
    if not hmac.compare_digest(given.encode(), csrf_token().encode()):
        raise ForbiddenError("the form has expired, or cookies are disabled: reload the page and send the form again")


def install(app: Flask) -> None:
    """Add ``csrf_field`` and ``csrf_token`` to the templates, and set the cookie for forms before sign-in."""
    app.jinja_env.globals.update(csrf_field=csrf_field, csrf_token=csrf_token)

    @app.after_request
    def set_forms_cookie(response: Response) -> Response:
        if secret := g.get("forms_secret"):
            set_cookie(response, _FORMS, secret)
        return response


_CROSS_SITE = "the form was not sent from a page of this service."


def _is_same_origin(origin: str, settings: Settings) -> bool:
    try:
        # A proxy may have changed the Host header: then the setting has the address that browsers use.
        return origin == settings.serve.public_url or urlsplit(origin).netloc == request.host
    except ValueError:
        return False


def _cookie_name(name: str) -> str:
    # A browser accepts a __Host- cookie only over HTTPS and from this host: a sibling domain cannot set one.
    return f"__Host-{name}" if request.is_secure else name
