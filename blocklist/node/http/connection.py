"""One client's connection: HTTP/1.1 (RFC 9112) over an asyncio transport, with limits on all that a client chooses."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

import httptools

from blocklist.lookup.http import Answer, Request, problem
from blocklist.lookup.limits import MAX_BYTES
from blocklist.lookup.routes import Steps
from blocklist.node.http.http1 import MAX_HEAD, RawRequest, response
from blocklist.node.http.request_handler import RequestHandler

#: Seconds for the head of a request, for its body, and for a client to read its responses.
HEAD_TIME, BODY_TIME, WRITE_TIME = 10.0, 60.0, 30.0
#: Seconds and bytes for which a refused client may still send, so that it can read the error (RFC 9112, 9.6).
_LINGER_TIME, _LINGER_BYTES = 2.0, 1 << 20
#: The first byte of a GET and of a POST.
_G, _P = b"GP"


class Connection(asyncio.Protocol):
    """Reads requests and writes their responses in the same order."""

    def __init__(
        self,
        handler: RequestHandler,
        on_open: Callable[[Connection], bool],
        on_close: Callable[[Connection], None],
    ) -> None:
        """``on_open`` and ``on_close`` are called with the connection; ``on_open`` returns False to refuse it."""
        self._handler = handler
        self._on_open, self._on_close = on_open, on_close
        self._transport: Any = None
        self._parser = httptools.HttpRequestParser(self)
        #: The request that is being received.
        self._raw: RawRequest | None = None
        self._head_bytes = 0
        #: Requests received while an earlier one is being answered in steps.
        self._pending: deque[RawRequest] = deque()
        self._steps: Steps | None = None
        #: The last request that was answered in one step, with its answer.
        self._last_answered: tuple[RawRequest, Answer] | None = None
        self._writing_paused = False
        #: Bytes that a refused client may still send.
        self._linger_bytes = 0
        self._closing = False
        self._eof = False
        #: True between requests: the next byte received begins a request line.
        self.idle = True
        #: Time of the event loop at which the client has used up its time.
        self.deadline = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or refuse the client if there are too many connections."""
        self._transport = transport
        self.deadline = self._handler.idle_deadline
        if not self._on_open(self):
            self._refuse(problem(503, "too many connections: try again, or ask another node"))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._closing = True
        self._steps = None
        self._pending.clear()
        self._on_close(self)

    def data_received(self, data: bytes) -> None:
        """Answer all requests that are complete."""
        handler = self._handler
        if self.idle and self._steps is None:
            if data[0] == _G:
                cached = handler.timed_response(data) if handler.sampling else handler.cached_response(data)
                if cached is not None:
                    self.deadline = handler.idle_deadline
                    self._transport.write(cached)
                    return
            elif data[0] == _P and (known := handler.known_heads.find(data)):
                self.deadline = handler.idle_deadline
                self._answer(*known)
                self._last_answered = None
                return
        if self._linger_bytes:
            self._linger_bytes -= len(data)
            if self._linger_bytes <= 0:
                self._transport.abort()
        elif not self._closing:
            self._parse(data)

    def eof_received(self) -> bool:
        """Return whether to keep the connection open: requests received before the end are still answered."""
        self._eof = True
        return self._steps is not None

    def pause_writing(self) -> None:
        """Read no further requests until the client has read its responses."""
        self._writing_paused = True
        self.deadline = self._handler.clock + WRITE_TIME
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._writing_paused = False
        self.deadline = self._handler.idle_deadline
        if self._steps is None and not self._closing:
            self._transport.resume_reading()

    def check_deadline(self) -> None:
        """Close the connection if its client has used up its time; called about once a second."""
        if self._steps is not None and not self._writing_paused:
            return
        if self._handler.clock < self.deadline:
            return
        if self._transport.is_closing():
            # The client had enough time to read its last responses.
            self._transport.abort()
            return
        if self.idle and not self._writing_paused:
            self._transport.close()
            return
        self._handler.counters.values["timeouts"] += 1
        if self._writing_paused or self._closing:
            self._transport.abort()
        else:
            self._refuse(problem(408, "the request did not arrive in time"))

    def close_if_idle(self) -> None:
        """Close the connection if no request is being received or answered."""
        if self.idle and self._steps is None:
            self._closing = True
            self._transport.close()

    # Callbacks of httptools. It would wrap exceptions, so they raise none: violations are answered instead.

    def on_message_begin(self) -> None:
        self._raw = RawRequest()
        self.idle = False
        self.deadline = self._handler.clock + HEAD_TIME

    def on_url(self, url: bytes) -> None:
        if self._raw:
            self._raw.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header; trailers, which follow the body, are ignored."""
        if self._raw and not self._raw.method:
            self._raw.add_header(name, value)

    def on_headers_complete(self) -> None:
        """Check the head as soon as it is complete."""
        raw = self._raw
        if raw is None or self._closing:
            return
        self._head_bytes = 0
        self.deadline = self._handler.clock + BODY_TIME
        raw.complete_head(self._parser.get_method(), self._parser.get_http_version())
        violation = raw.violation(MAX_BYTES)
        if violation:
            self._refuse(violation)
        elif raw.expects_continue and self._steps is None and not self._pending:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        raw = self._raw
        if raw is None or self._closing:
            return
        raw.body += body
        if len(raw.body) > MAX_BYTES:
            self._refuse(problem(413, f"the body is larger than {MAX_BYTES:,} bytes: send it in parts"))

    def on_message_complete(self) -> None:
        """Answer a request, after those received before it."""
        raw, self._raw = self._raw, None
        self.idle = True
        self.deadline = self._handler.idle_deadline
        if raw is None or self._closing:
            return
        raw.keep_alive = self._parser.should_keep_alive() and not self._handler.draining
        if self._steps is not None or self._pending:
            self._pending.append(raw)
        else:
            self._authenticate(raw)

    def _parse(self, data: bytes) -> None:
        starts_request = self.idle
        if not self._raw or not self._raw.method:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # The request was answered as if it had not asked for another protocol (RFC 9110, 7.8). The parser did not
            # read what follows it.
            if not self._closing:
                self._closing = True
                if self._steps is None:
                    self._transport.close()
        except httptools.HttpParserError as error:
            if not self._closing:
                self._refuse(problem(400, f"not a valid HTTP/1.1 request: {str(error) or type(error).__name__}"))
        else:
            if self._head_bytes > MAX_HEAD and not self.idle and not self._closing:
                self._refuse((self._raw or RawRequest()).head_too_large())
            elif starts_request and self.idle and self._last_answered:
                self._handler.remember(data, *self._last_answered)
        self._last_answered = None

    def _authenticate(self, raw: RawRequest) -> None:
        refusal = self._handler.refusal(raw)
        if refusal is not None:
            self._write(raw, refusal)
        else:
            self._answer(raw, raw.to_request())

    def _answer(self, raw: RawRequest, request: Request) -> None:
        steps = self._handler.routes.steps(request)
        answer = next(steps)
        if answer is not None:
            # Only here, after authentication: the head of a refused caller must never become a known one.
            self._last_answered = raw, answer
            self._write(raw, answer)
            return
        # One batch at a time on a connection; further requests stay in the socket meanwhile.
        self._steps = steps
        self._transport.pause_reading()
        asyncio.get_running_loop().call_soon(self._continue, raw)

    def _continue(self, raw: RawRequest) -> None:
        if self._steps is None:
            return
        answer = next(self._steps)
        if answer is None:
            asyncio.get_running_loop().call_soon(self._continue, raw)
            return
        self._steps = None
        self._write(raw, answer)
        if not self._closing:
            if not self._writing_paused:
                self._transport.resume_reading()
            while self._pending and self._steps is None and not self._closing:
                self._authenticate(self._pending.popleft())
            if self._eof and self._steps is None:
                self._transport.close()

    def _write(self, raw: RawRequest, answer: Answer) -> None:
        handler = self._handler
        handler.count(raw, answer)
        keep = raw.keep_alive and not self._closing
        self._transport.write(handler.response(raw, answer, keep=keep))
        if not keep:
            self._closing = True
            self._transport.close()

    def _refuse(self, answer: Answer) -> None:
        """Send an error and stop reading: after a broken request, the start of the next one is unknown."""
        self._closing = True
        self._handler.counters.values["bad_requests"] += 1
        self._pending.clear()
        self._steps = None
        if self._transport.is_closing():
            return
        self._transport.write(response(answer, self._handler.date, (), close=True))
        self.idle = False
        self._linger_bytes = _LINGER_BYTES
        self.deadline = self._handler.clock + _LINGER_TIME
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()
