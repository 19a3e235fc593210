"""Security headers of every response of the control plane."""

from __future__ import annotations

from flask import Flask, Response, request

#: Nothing from other hosts, no inline script or style, no framing: what feeds publish is untrusted.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_ALWAYS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Other sites get no referrer. Not no-referrer: then browsers would send "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_ONE_YEAR = "max-age=31536000"


def add_security_headers(app: Flask) -> None:
    """Add the headers to every response, without replacing those that a view has set."""

    @app.after_request
    def add(response: Response) -> Response:
        for name, value in _ALWAYS.items():
            response.headers.setdefault(name, value)
        if request.is_secure:
            response.headers.setdefault("Strict-Transport-Security", _ONE_YEAR)
        is_page = request.path.startswith("/admin/") and not request.path.startswith("/admin/static/")
        # A redirect contains the Host header of its request: a shared cache must not store it.
        if is_page or response.location:
            response.headers.setdefault("Cache-Control", "no-store")
        return response
