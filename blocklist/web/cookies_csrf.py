"""What browsers carry: the cookie of a session, and the proof that a form was ours."""

from __future__ import annotations

import hmac
from urllib.parse import quote, unquote, urlsplit

from flask import Flask, Response, g, request
from markupsafe import Markup

from blocklist.access.secrets import hash_secret, new_secret
from blocklist.config.settings import Settings
from blocklist.domain.errors import ForbiddenError

#: Where a form, or a script, tells the proof.
FIELD, HEADER = "csrf", "X-CSRF-Token"
_SESSION, _FORMS, _PENDING = "blocklist", "blocklist-forms", "blocklist-provider"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def session_secret() -> str | None:
    """Return the secret of the session that the browser carries."""
    return request.cookies.get(_named(_SESSION))


def carry_session(response: Response, secret: str) -> Response:
    """Let the browser carry a session, and forget what it proved its forms with before."""
    _set(response, _SESSION, secret)
    response.delete_cookie(_named(_FORMS), path="/", secure=request.is_secure, httponly=True, samesite="Lax")
    return response


def drop_session(response: Response) -> Response:
    """Let the browser forget its session."""
    response.delete_cookie(_named(_SESSION), path="/", secure=request.is_secure, httponly=True, samesite="Lax")
    return response


def pending_sign_in() -> str | None:
    """Return what the browser carries of a sign-in with a provider that is under way."""
    found = request.cookies.get(_named(_PENDING))
    return unquote(found) if found else None


def carry_pending(response: Response, pending: str) -> Response:
    """Let the browser carry a sign-in to the provider and back, for ten minutes."""
    _set(response, _PENDING, quote(pending), 600)
    return response


def drop_pending(response: Response) -> Response:
    """Let the browser forget a sign-in with a provider."""
    response.delete_cookie(_named(_PENDING), path="/", secure=request.is_secure, httponly=True, samesite="Lax")
    return response


def csrf_token() -> str:
    """Return the proof that a form of the present page carries; nobody who does not have the cookie can make it."""
    secret = session_secret() if g.get("identity") else None
    if secret is None:
        secret = request.cookies.get(_named(_FORMS)) or g.get("forms_secret")
    if secret is None:
        secret = g.forms_secret = new_secret()
    return hash_secret(f"csrf {secret}")


def csrf_field() -> Markup:
    """Return the hidden field that every form with ``method="post"`` needs."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, csrf_token())


def check_form(settings: Settings) -> None:
    """Refuse what a page of another site made this browser send.

    :raises ForbiddenError: the request is not from a page of ours.
    """
    if request.method in _SAFE:
        return
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site not in (None, "same-origin"):
        raise ForbiddenError(_NOT_OURS)
    if origin is not None and not _is_ours(origin, settings):
        raise ForbiddenError(
            f"{_NOT_OURS} It says it is from {origin}, and this is {request.host}: a proxy in front must pass the Host "
            "header on, or the setting serve.public_url say what browsers see."
        )
    given = request.headers.get(HEADER) or request.form.get(FIELD, "")
    if not hmac.compare_digest(given.encode(), csrf_token().encode()):
        raise ForbiddenError("the form is too old, or cookies are off: load the page anew and send it again")


def install(app: Flask) -> None:
    """Give templates ``csrf_field`` and ``csrf_token``, and browsers the cookie behind forms of those not signed in."""
    app.jinja_env.globals.update(csrf_field=csrf_field, csrf_token=csrf_token)

    @app.after_request
    def carry_forms_secret(response: Response) -> Response:
        if secret := g.get("forms_secret"):
            _set(response, _FORMS, secret)
        return response


_NOT_OURS = "the form was not sent from a page of this service."


def _is_ours(origin: str, settings: Settings) -> bool:
    try:
        # A proxy may have changed the Host header: then the setting says what browsers see.
        return origin == settings.serve.public_url or urlsplit(origin).netloc == request.host
    except ValueError:
        return False


def _set(response: Response, name: str, value: str, max_age: int | None = None) -> None:
    # Lax: a link in a mail opens the page; whatever changes something needs the proof besides.
    response.set_cookie(
        _named(name), value, max_age=max_age, path="/", secure=request.is_secure, httponly=True, samesite="Lax"
    )


def _named(name: str) -> str:
    # A browser takes a __Host- cookie over HTTPS only and from this very host: no neighbor can plant one.
    return f"__Host-{name}" if request.is_secure else name
