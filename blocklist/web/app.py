"""The Flask application of the control plane, and a small one that serves lookups only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import structlog
from flask import Flask, Response, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import IntegerConverter, Map

from blocklist.domain.errors import BlocklistError, TooManyError
from blocklist.lookup.http import Answer, Request, SnapshotHolder, problem
from blocklist.lookup.limits import MAX_BYTES
from blocklist.lookup.resolver import Resolver
from blocklist.lookup.routes import Routes, not_found
from blocklist.service import Service
from blocklist.web import cookies_csrf, request_encoding
from blocklist.web.api import OpenApiApp, add_api, allowed_methods
from blocklist.web.authorization import CALLERS, declare, enforce_roles
from blocklist.web.headers import add_security_headers
from blocklist.web.held_lookups import add_held
from blocklist.web.metrics import distribution_metrics, feed_metrics
from blocklist.web.pages import pages
from blocklist.web.pages.layout import error_page
from blocklist.web.proxies import TrustedProxies
from blocklist.web.responses import respond

_LOG = structlog.get_logger("blocklist.web")


class _Id(IntegerConverter):
    """An id in an address, not larger than a database integer."""

    def __init__(self, map: Map) -> None:
        super().__init__(map, max=2**63 - 1)


def create_app(
    holder: SnapshotHolder,
    service: Service | None = None,
    *,
    gate_unknown: Literal["allow", "block"] = "allow",
    metrics: Callable[[], bytes] = lambda: b"",
) -> Flask:
    """Return the application that serves lookups; with a service, that of the control plane, which also serves lookups.

    ``gate_unknown`` is the setting ``gate.unknown``. ``metrics`` returns metrics in the Prometheus text format; the
    control plane adds the metrics of its feeds and of what it sent.
    """
    app = Flask(__name__, static_folder=None) if service is None else OpenApiApp(__name__)
    # A body of one byte over the limit is read, so that the response can name the limit.
    app.config["MAX_CONTENT_LENGTH"] = MAX_BYTES + 1
    app.url_map.converters["int"] = _Id
    counted = metrics if service is None else lambda: metrics() + _control_metrics(service)
    routes = Routes(Resolver(holder, gate_unknown), counted)
    _lookup_routes(app, routes, service)
    request_encoding.install(app, routes.paths)
    _handle_errors(app, lookups_only=service is None)
    if service is not None:
        assert isinstance(app, OpenApiApp)
        add_api(app, service)
        app.register_blueprint(pages(service, holder))
        app.add_url_rule("/", view_func=lambda: redirect("/admin/"), endpoint="root")
        declare(app, "root", None)
        declare(app, "admin.static", None)
        cookies_csrf.install(app)
        add_security_headers(app)
        enforce_roles(app, service)
        serve = service.settings.serve
        proxied = TrustedProxies(app.wsgi_app, serve.trusted_proxies, serve.behind_proxy)
        app.wsgi_app = proxied  # type: ignore[method-assign]
    return app


def _control_metrics(service: Service) -> bytes:
    return feed_metrics(service.feeds.rows()) + distribution_metrics(service.distribution.status())


def _lookup_routes(app: Flask, routes: Routes, service: Service | None) -> None:
    """Serve everything that a lookup node serves, from the same table of routes, so that the bytes are the same.

    With a service, an explained verdict also has what waits for a person.
    """

    def view() -> Response:
        headers = {name.lower(): value for name, value in request.headers}
        body = request.get_data() if request.method == "POST" else b""
        asked = Request(request.method, request.path, request.query_string, headers, body)
        answer = routes.answer(asked)
        return respond(add_held(service, asked, answer) if service else answer)

    for path, methods in routes.paths.items():
        app.add_url_rule(path, path, view, methods=list(methods), provide_automatic_options=False)
        declare(app, path, CALLERS)

    @app.errorhandler(MethodNotAllowed)
    def other_method(error: MethodNotAllowed) -> ResponseReturnValue:
        # For lookups, the response is that of the lookup node and not that of Flask.
        if request.path in routes.paths:
            return view()
        allowed = allowed_methods(app, request.path) or sorted(error.valid_methods or ())
        answer = problem(405, f"this address allows {', '.join(allowed)}")
        return respond(Answer(answer.status, answer.body, (("Allow", ", ".join(allowed)),)))


def _handle_errors(app: Flask, lookups_only: bool) -> None:
    def failure(status: int, sentence: str) -> Response:
        is_page = request.path.startswith("/admin/") and not lookups_only
        return error_page(status, sentence) if is_page else respond(problem(status, sentence))

    @app.errorhandler(BlocklistError)
    def known(error: BlocklistError) -> ResponseReturnValue:
        response = failure(error.http_status, str(error))
        if isinstance(error, TooManyError):
            response.headers["Retry-After"] = str(error.retry_after)
        return response

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> ResponseReturnValue:
        if error.code is None or error.code < 400:
            return error.get_response()
        if error.code == 404 and lookups_only:
            return respond(not_found())
        sentence = error.description or error.name
        is_page = request.path.startswith("/admin/")
        if error.description == NotFound.description and not is_page:
            sentence = "there is nothing at this address: /openapi.json lists the addresses of the API"
        if error.code == 413 and not is_page:
            sentence = f"the body is larger than {MAX_BYTES:,} bytes: send it in parts"
        response = failure(error.code, sentence)
        for name, value in error.get_headers():
            if name.lower() not in ("content-type", "content-length"):
                response.headers[name] = value
        return response

    @app.errorhandler(Exception)
    def unexpected(_: Exception) -> ResponseReturnValue:
        _LOG.exception("request failed", path=request.path)
        return failure(500, "internal error: the log of the service has the details")
