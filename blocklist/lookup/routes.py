"""Addresses and methods of the lookup plane: one table behind every server, so that all answer the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from blocklist.lookup.http import Answer, Request, problem
from blocklist.lookup.query import parse_query
from blocklist.lookup.resolver import Resolver
from blocklist.normalize.hosts import shorten

#: What a route yields: None while it works, then its answer.
Steps = Iterator[Answer | None]


def no_metrics() -> bytes:
    """Return the metrics of a server that counts nothing."""
    return b""


class Routes:
    """Answers requests for verdicts, health and metrics."""

    def __init__(self, resolver: Resolver, metrics: Callable[[], bytes] = no_metrics) -> None:
        """``metrics`` returns Prometheus' text format."""
        self._resolver = resolver
        self._metrics = metrics
        self._table: dict[str, dict[str, Callable[[Request], Steps]]] = {
            "/v1/lookup": {"GET": self._queried(lambda query, _: resolver.lookup(query)), "POST": self._batch},
            "/v1/openrtb": {"POST": self._queried(lambda query, request: resolver.openrtb(request.body, query))},
            "/v1/gate": {"GET": self._queried(lambda query, request: resolver.gate(query, request.headers))},
            "/healthz": {"GET": self._health},
            "/readyz": {"GET": self._ready},
            "/metrics": {"GET": self._expose},
        }
        #: Every address that answers, with the methods that it takes.
        self.paths = {path: tuple(methods) for path, methods in self._table.items()}

    def answer(self, request: Request) -> Answer:
        """Answer a request at once."""
        return next(step for step in self.steps(request) if step is not None)

    def steps(self, request: Request) -> Steps:
        """Answer a request a little at a time, so that one large batch makes nobody else wait."""
        methods = self._table.get(request.path)
        if methods is None:
            return iter((not_found(),))
        route = methods.get("GET" if request.method == "HEAD" else request.method)
        if route is None:
            return iter((_other_method(request.method, methods),))
        return route(request)

    @staticmethod
    def _queried(answer: Callable[[Mapping[str, str], Request], Answer]) -> Callable[[Request], Steps]:
        """Return a route whose answer needs the query read."""

        def route(request: Request) -> Steps:
            try:
                query = parse_query(request.query) if request.query else {}
            except ValueError as error:
                yield problem(400, str(error), verdict="unknown")
            else:
                yield answer(query, request)

        return route

    def _batch(self, request: Request) -> Steps:
        return self._resolver.batch_steps(request.body)

    def _health(self, _: Request) -> Steps:
        yield Answer(200, {"status": "ok"})

    def _ready(self, _: Request) -> Steps:
        yield self._resolver.ready()

    def _expose(self, _: Request) -> Steps:
        yield Answer(200, self._metrics(), media="text/plain; version=0.0.4; charset=utf-8")


def not_found() -> Answer:
    """Answer for an address that there is not."""
    return problem(404, "there is no such address: /v1/lookup, /v1/openrtb, /v1/gate, /healthz, /readyz, /metrics")


def _other_method(method: str, methods: Mapping[str, object]) -> Answer:
    allowed = sorted({*methods, "OPTIONS", *(("HEAD",) if "GET" in methods else ())})
    headers = (("Allow", ", ".join(allowed)),)
    if method == "OPTIONS":
        return Answer(204, None, headers)
    told = problem(405, f"this address takes no method {shorten(method)}, it takes {' and '.join(sorted(methods))}")
    return Answer(told.status, told.body, headers)
