"""What the connections of one worker share: the routes, the quick answers, the clock, and what is counted."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any

from blocklist.lookup.authentication import TokenAuthentication
from blocklist.lookup.http import Answer
from blocklist.lookup.resolver import Resolver
from blocklist.lookup.routes import Routes
from blocklist.node.http.connection import Connection
from blocklist.node.http.http1 import RawRequest, head, response
from blocklist.node.http.known_heads import KnownHeads
from blocklist.node.http.response_cache import ResponseCache
from blocklist.node.metrics import SAMPLED, Counters, exposition
from blocklist.node.options import NodeOptions
from blocklist.node.scoreboard import Scoreboard
from blocklist.snapshot.follower import Follower

#: Seconds between looks at the pointer and the clock.
TICK = 0.2
#: Connections are looked at in so many turns, and in so many of them a tick: each once in 1.6 seconds. Requests are
#: answered between two turns, since idle connections are in no cache, and many in a row hold them up.
_TURNS, _TURNS_A_TICK = 64, 8
#: Seconds that a connection may wait for its next request.
_IDLE = 75.0


class Node:
    """The state of one worker. Everything runs in its one event loop."""

    def __init__(self, options: NodeOptions, loop: asyncio.AbstractEventLoop, scoreboard: Scoreboard, slot: int,
                 tell: Callable[..., None]) -> None:  # fmt: skip
        """``tell`` passes an event and its fields to the log.

        :raises ConfigurationError: the file of the token cannot be read.
        """
        self.loop = loop
        self.options = options
        self.counters = Counters()
        self.counters.restore(scoreboard.read(slot))
        self.counters.values["connections"] = 0
        self._scoreboard, self._slot, self._tell = scoreboard, slot, tell
        self._callers = TokenAuthentication(options.lookup.token_file)
        self._turns: list[set[Connection]] = [set() for _ in range(_TURNS)]
        self._turn = 0
        self._looking: Any = None
        self.follower = Follower(Path(options.folder), options.snapshot.max_age, self._refused)
        self._resolver = Resolver(self.follower, options.gate.unknown, self.counters.judged)
        self.routes = Routes(self._resolver, self._metrics)
        #: Whether the answer to one caller is the answer to all, and nobody needs to hear of each request.
        self._alike = not (options.lookup.cors_origins or options.lookup.access_log)
        self.quick = ResponseCache(self.follower, self.counters, to_all=self._alike and not options.lookup.token_file)
        self.posts = KnownHeads()
        #: How many of the next requests are timed.
        self.sampling = 0
        self.draining = False
        self.clock = self.idle_deadline = loop.time()
        self.date = ""
        self._served: Any = None
        self.tick()
        # A worker that has just begun is not a silent one.
        self._report()

    def tick(self) -> None:
        """Look at the clock, the pointer and some of the connections, then again in a moment."""
        self.clock = self.loop.time()
        self.idle_deadline = self.clock + _IDLE
        self.sampling = SAMPLED
        self.date = formatdate(usegmt=True)
        if self._looking is None:
            self._look()
        self._prepare()
        if self._turn == 0:
            self._report()
        self._sweep(_TURNS_A_TICK)
        self.loop.call_later(TICK, self.tick)

    def _sweep(self, turns: int) -> None:
        """Look at the connections of so many turns, one now and the others after whoever waits has been answered."""
        for connection in list(self._turns[self._turn]):
            connection.sweep()
        self._turn = (self._turn + 1) % _TURNS
        if turns > 1:
            self.loop.call_soon(self._sweep, turns - 1)

    def timed(self, request: bytes) -> bytes | None:
        """Answer a request quickly, and note how long it took."""
        self.sampling -= 1
        started = time.perf_counter()
        answer = self.quick.answer(request)
        self.counters.timed(time.perf_counter() - started)
        return answer

    def opened(self, connection: Connection) -> bool:
        """Take note of a connection; return whether there is room for it."""
        values = self.counters.values
        values["connections"] += 1
        self._turns[id(connection) // 64 % _TURNS].add(connection)
        if values["connections"] > self.options.lookup.max_connections:
            values["refused_connections"] += 1
            return False
        return True

    def closed(self, connection: Connection) -> None:
        """Forget a connection."""
        self.counters.values["connections"] -= 1
        self._turns[id(connection) // 64 % _TURNS].discard(connection)

    def learn(self, request: bytes, message: RawRequest, answer: Answer) -> None:
        """Remember of a request that was read, allowed and answered what spares the next one like it the long way."""
        # What anybody may ask for (/healthz) tells nothing of who may ask for a verdict.
        if self.draining or not self._alike or self._callers.refusal("/v1/lookup", message.headers):
            return
        if message.plain:
            self.quick.learn(request, answer)
        elif message.plain_post:
            self.posts.learn(request, message)

    def response(self, message: RawRequest, answer: Answer, *, keep: bool) -> bytes:
        """Return an answer as it goes out; ``keep`` says that the connection is kept."""
        if keep and answer.status == 200 and self._alike and message.version == "1.1" and message.method != "HEAD":
            body = answer.encoded()
            if answer.content_type == "application/json" and not answer.headers:
                return b"%bContent-Length: %d\r\n\r\n%b" % (self.quick.begin, len(body), body)
        extra = self.cors(message.headers.get("origin"))
        if keep and message.version == "1.0":
            extra = (*extra, ("Connection", "keep-alive"))
        return response(answer, self.date, extra, head_only=message.method == "HEAD", close=not keep)

    def refusal(self, message: RawRequest) -> Answer | None:
        """Return why a request is not answered, if its caller may not ask."""
        if message.method == "OPTIONS" and self.options.lookup.cors_origins:
            return None
        return self._callers.refusal(message.path, message.headers)

    def cors(self, origin: str | None) -> tuple[tuple[str, str], ...]:
        """Return the headers that let pages of a configured origin read the answer (Fetch, CORS protocol)."""
        origins = self.options.lookup.cors_origins
        if not origins:
            return ()
        if origin is None or not (origin in origins or "*" in origins):
            return (("Vary", "Origin"),)
        allowed = "*" if "*" in origins else origin
        return (
            ("Access-Control-Allow-Origin", allowed),
            ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
            ("Access-Control-Allow-Headers", "Authorization, Content-Type"),
            ("Access-Control-Max-Age", "600"),
            ("Vary", "Origin"),
        )

    def answered(self, message: RawRequest, answer: Answer) -> None:
        """Count a request that went the long way, and log it if it is drawn."""
        label = f"{message.path if message.path in self.routes.paths else 'other'} {answer.status}"
        self.counters.requests[label] = self.counters.requests.get(label, 0) + 1
        if self.options.lookup.access_log and random.random() < self.options.lookup.access_log:  # noqa: S311 - a sample, not a secret
            self._tell("request", level="info", method=message.method, target=message.url.decode("latin-1"),
                       status=answer.status)  # fmt: skip

    def drain(self) -> None:
        """From now on, close each connection after its next answer."""
        self.draining = True
        self.quick.forget()
        self.posts.forget()

    def close_idle(self) -> int:
        """Close what nobody is waiting on; return the number of connections left."""
        for turn in self._turns:
            for connection in list(turn):
                connection.drain()
        return sum(map(len, self._turns))

    def tell_last(self) -> None:
        """Leave the final counts on the scoreboard."""
        self._report()

    def _look(self) -> None:
        self._looking = self.follower.looking()
        self._look_on()

    def _look_on(self) -> None:
        try:
            for _ in self._looking:
                # The rest after whoever waits has been answered.
                self.loop.call_soon(self._look_on)
                return
        except Exception as error:  # whatever it is, the snapshot that serves goes on serving
            self._refused(f"{type(error).__name__}: {error}")
        self._looking = None
        self._prepare()

    def _prepare(self) -> None:
        snapshot = self.follower.snapshot
        if snapshot is not self._served:
            if self._served is not None:
                self.counters.values["swaps"] += 1
            self._served = snapshot
            self._resolver.forget()
            # At once: the overview compares versions, and must not cry wolf for the seconds after a swap.
            self._report()
        # All of a head but the length, which every response says for itself, and the empty line.
        self.quick.prepare(head(200, None, "application/json", self.date)[:-2])

    def _refused(self, why: str) -> None:
        self.counters.values["refused_snapshots"] += 1
        self._tell("snapshot refused", level="error", reason=why)

    def _metrics(self) -> bytes:
        self._report()
        return exposition(self._scoreboard.read_all())

    def _report(self) -> None:
        snapshot = self.follower.snapshot
        gauges = {
            "reported_at": time.time(),
            "snapshot_version": snapshot.version if snapshot else 0,
            "snapshot_age_seconds": round(self.follower.age, 1) if snapshot else 0,
            "snapshot_stale": int(self.follower.stale),
        }
        self._scoreboard.write(self._slot, self.counters.state() | gauges)
