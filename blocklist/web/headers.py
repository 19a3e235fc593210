"""Headers of every response of the control plane, so that a browser does no more with it than it must."""

from __future__ import annotations

from flask import Flask, Response, request

#: Nothing from elsewhere, no inline script or style, no framing: what feeds publish is hostile.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_ALWAYS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Nothing to others. Not no-referrer: of a form on such a page a browser says that it comes from nowhere.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
#: A year.
_STRICT_TRANSPORT = "max-age=31536000"


def add_security_headers(app: Flask) -> None:
    """Add the headers to every response; what a view set itself stays."""

    @app.after_request
    def add(response: Response) -> Response:
        for name, value in _ALWAYS.items():
            response.headers.setdefault(name, value)
        if request.is_secure:
            response.headers.setdefault("Strict-Transport-Security", _STRICT_TRANSPORT)
        if request.path.startswith("/admin/") and not request.path.startswith("/admin/static/"):
            response.headers.setdefault("Cache-Control", "no-store")
        if response.location:
            # It names the host that this request named: nobody in between may keep that for others.
            response.headers.setdefault("Cache-Control", "no-store")
        return response
