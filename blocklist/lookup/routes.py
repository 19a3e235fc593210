"""Paths and methods of the lookup plane: one table for every server, so that all answer with the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from blocklist.lookup.content_encoding import ACCEPTED, UnsupportedEncodingError, unpacked_body
from blocklist.lookup.http import Answer, Request, problem
from blocklist.lookup.limits import MAX_BYTES, TooLargeError
from blocklist.lookup.openrtb.bid_request import MAX_BYTES as MAX_BID_BYTES
from blocklist.lookup.query import parse_query
from blocklist.lookup.resolver import Resolver
from blocklist.normalize.hosts import shorten

#: What a route yields: None after each step of its work, then its answer.
Steps = Iterator[Answer | None]
#: The parameters of the query that each route takes.
TARGET_PARAMETERS = ("url", "domain", "app", "policy", "explain")
BATCH_PARAMETERS = ("gzip",)
_BID = ("policy", "explain", "respond", "gzip")
_PAGE = ("url", "policy")
_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


class Routes:
    """Answers requests for verdicts, health and metrics."""

    def __init__(self, resolver: Resolver, metrics: Callable[[], bytes] = lambda: b"") -> None:
        """``metrics`` returns Prometheus' text format."""
        self._table: dict[str, dict[str, Callable[[Request], Steps]]] = {
            "/v1/lookup": {
                "GET": _with_query(TARGET_PARAMETERS, lambda query, _: iter((resolver.lookup(query),))),
                "POST": _with_body(BATCH_PARAMETERS, MAX_BYTES, lambda _, body: resolver.batch_steps(body)),
            },
            "/v1/openrtb": {
                "POST": _with_body(_BID, MAX_BID_BYTES, lambda query, body: iter((resolver.openrtb(body, query),)))
            },
            "/v1/gate": {
                "GET": _with_query(_PAGE, lambda query, headers: iter((resolver.forward_auth(query, headers),)))
            },
            "/healthz": {"GET": lambda _: iter([Answer(200, {"status": "ok"})])},
            "/readyz": {"GET": lambda _: iter([resolver.ready()])},
            "/metrics": {"GET": lambda _: iter([Answer(200, metrics(), media=_PROMETHEUS)])},
        }
        #: The methods of every path.
        self.paths = {path: tuple(methods) for path, methods in self._table.items()}

    def answer(self, request: Request) -> Answer:
        """Return the answer to a request."""
        return next(step for step in self.steps(request) if step is not None)

    def steps(self, request: Request) -> Steps:
        """Return the answer in steps, so that a large batch does not delay other requests."""
        methods = self._table.get(request.path)
        if methods is None:
            return iter((not_found(),))
        route = methods.get("GET" if request.method == "HEAD" else request.method)
        if route is None:
            return iter((_other_method(request.method, methods),))
        return route(request)


def _with_query(
    known: tuple[str, ...], answer: Callable[[Mapping[str, str], Mapping[str, str]], Steps]
) -> Callable[[Request], Steps]:
    """Return a route for requests without a body; ``answer`` gets query and headers. The query may have ``known``."""

    def route(request: Request) -> Steps:
        try:
            query = parse_query(request.query, known) if request.query else {}
        except ValueError as error:
            return iter((problem(400, str(error), verdict="unknown"),))
        return answer(query, request.headers)

    return route


def _with_body(
    known: tuple[str, ...], max_bytes: int, answer: Callable[[Mapping[str, str], bytes], Steps]
) -> Callable[[Request], Steps]:
    """Return a route for requests with a body; ``answer`` gets query and body. The query may have ``known``."""

    def route(request: Request) -> Steps:
        try:
            query = parse_query(request.query, known) if request.query else {}
            body = unpacked_body(request.body, request.headers, query, max_bytes)
        except UnsupportedEncodingError as error:
            refused = problem(415, str(error), verdict="unknown")
            return iter((msgspec.structs.replace(refused, headers=(("Accept-Encoding", ACCEPTED),)),))
        except TooLargeError as error:
            return iter((problem(413, str(error), verdict="unknown"),))
        except ValueError as error:
            return iter((problem(400, str(error), verdict="unknown"),))
        return answer(query, body)

    return route


def not_found() -> Answer:
    """Return the answer for an unknown path."""
    return problem(404, "no such path: there are /v1/lookup, /v1/openrtb, /v1/gate, /healthz, /readyz, /metrics")


def _other_method(method: str, methods: Mapping[str, object]) -> Answer:
    """Return the answer to OPTIONS, and the error for a method that the path does not support."""
    allowed = sorted({*methods, "OPTIONS", *(("HEAD",) if "GET" in methods else ())})
    headers = (("Allow", ", ".join(allowed)),)
    if method == "OPTIONS":
        return Answer(204, None, headers)
    supported = " and ".join(sorted(methods))
    refused = problem(405, f"this path does not support the method {shorten(method)}: use {supported}")
    return msgspec.structs.replace(refused, headers=headers)
