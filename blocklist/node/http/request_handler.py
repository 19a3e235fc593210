"""What the connections of one worker share: routes, caches, authentication, and the headers of responses."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from email.utils import formatdate

from blocklist.lookup.authentication import TokenAuthentication
from blocklist.lookup.http import Answer, SnapshotHolder
from blocklist.lookup.resolver import Resolver
from blocklist.lookup.routes import Routes
from blocklist.node.http.http1 import RawRequest, response, response_head
from blocklist.node.http.known_heads import KnownHeads
from blocklist.node.http.response_cache import ResponseCache
from blocklist.node.metrics import SAMPLED, Counters
from blocklist.node.options import NodeOptions

#: Seconds that a connection may wait for its next request.
_IDLE_TIME = 75.0


class RequestHandler:
    """Answers the requests of one worker's connections; all in one thread, the one of the event loop."""

    def __init__(self, options: NodeOptions, holder: SnapshotHolder, counters: Counters,
                 metrics: Callable[[], bytes], log_event: Callable[..., None]) -> None:  # fmt: skip
        """``metrics`` returns Prometheus' text format. ``log_event`` gets the name of an event, its level and fields.

        :raises ConfigurationError: the token file cannot be read.
        """
        self.counters = counters
        self._log_event = log_event
        self._cors_origins, self._access_log = options.lookup.cors_origins, options.lookup.access_log
        self._authentication = TokenAuthentication(options.lookup.token_file)
        self._resolver = Resolver(holder, options.gate.unknown, counters.count_verdicts)
        self.routes = Routes(self._resolver, metrics)
        #: Whether responses are the same for all callers, and requests need not be logged: only then are they cached.
        self._cacheable = not (self._cors_origins or self._access_log)
        self.response_cache = ResponseCache(
            holder, counters, open_to_all=self._cacheable and not options.lookup.token_file
        )
        self.cached_response = self.response_cache.answer
        self.known_heads = KnownHeads()
        #: How many of the next requests are timed.
        self.sampling = 0
        self.draining = False
        #: The event loop's time at the last tick, and when a connection that becomes idle now has used up its time.
        self.clock = self.idle_deadline = 0.0
        #: The Date header.
        self.date = ""

    def tick(self, clock: float) -> None:
        """Update the time (that of the event loop) and the Date header, and start to time requests again."""
        self.clock = clock
        self.idle_deadline = clock + _IDLE_TIME
        self.sampling = SAMPLED
        self.date = formatdate(usegmt=True)

    def refresh_cache(self) -> None:
        """Make the response cache follow the snapshot, its staleness, its overrides and the Date header."""
        # The head without Content-Length, which every response adds, and without the empty line.
        self.response_cache.refresh(response_head(200, None, "application/json", self.date)[:-2])

    def release_snapshot(self) -> None:
        """Drop the verdicts of a snapshot that was replaced, so that its memory is freed."""
        self._resolver.forget()

    def timed_response(self, request: bytes) -> bytes | None:
        """Return the response from the cache, if there is one, and record how long that took."""
        self.sampling -= 1
        started = time.perf_counter()
        found = self.response_cache.answer(request)
        self.counters.record_duration(time.perf_counter() - started)
        return found

    def remember(self, data: bytes, raw: RawRequest, answer: Answer) -> None:
        """Add a request that the parser read, as received, to the caches: the next one like it needs no parser."""
        # /healthz is open to all: its caller may not be allowed to ask for verdicts.
        if self.draining or not self._cacheable or self._authentication.refusal("/v1/lookup", raw.headers):
            return
        if raw.is_plain_get:
            self.response_cache.add(data, answer)
        elif raw.is_plain_post:
            self.known_heads.add(data, raw)

    def response(self, raw: RawRequest, answer: Answer, *, keep: bool) -> bytes:
        """Return an answer as bytes; ``keep``: the connection stays open."""
        if keep and answer.status == 200 and self._cacheable and raw.version == "1.1" and raw.method != "HEAD":
            body = answer.encoded()
            if answer.content_type == "application/json" and not answer.headers:
                return b"%bContent-Length: %d\r\n\r\n%b" % (self.response_cache.head, len(body), body)
        headers = _cors_headers(self._cors_origins, raw.headers.get("origin")) if self._cors_origins else ()
        if keep and raw.version == "1.0":
            headers = (*headers, ("Connection", "keep-alive"))
        return response(answer, self.date, headers, head_only=raw.method == "HEAD", close=not keep)

    def refusal(self, raw: RawRequest) -> Answer | None:
        """Return the error response if the caller is not authenticated."""
        if raw.method == "OPTIONS" and self._cors_origins:
            return None
        return self._authentication.refusal(raw.path, raw.headers)

    def count(self, raw: RawRequest, answer: Answer) -> None:
        """Count a request that the parser read, and log the configured share of them."""
        label = f"{raw.path if raw.path in self.routes.paths else 'other'} {answer.status}"
        self.counters.requests[label] = self.counters.requests.get(label, 0) + 1
        if self._access_log and random.random() < self._access_log:  # noqa: S311 - a sample, not a secret
            self._log_event("request", level="info", method=raw.method, target=raw.target.decode("latin-1"),
                            status=answer.status)  # fmt: skip

    def drain(self) -> None:
        """From now on, close each connection after its next response."""
        self.draining = True
        self.response_cache.disable()
        self.known_heads.clear()


def _cors_headers(origins: Sequence[str], origin: str | None) -> tuple[tuple[str, str], ...]:
    """Return the headers that let pages of a configured origin read the response (Fetch standard, CORS protocol)."""
    if origin is None or not (origin in origins or "*" in origins):
        return (("Vary", "Origin"),)
    return (
        ("Access-Control-Allow-Origin", "*" if "*" in origins else origin),
        ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
        ("Access-Control-Allow-Headers", "Authorization, Content-Encoding, Content-Type"),
        ("Access-Control-Max-Age", "600"),
        ("Vary", "Origin"),
    )
