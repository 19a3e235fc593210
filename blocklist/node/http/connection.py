"""One client's connection: HTTP/1.1 (RFC 9112) over an asyncio transport, with limits on all that a client chooses."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

import httptools

from blocklist.lookup.http import Answer, Request, problem
from blocklist.lookup.limits import MAX_BYTES
from blocklist.lookup.routes import Steps
from blocklist.node.http.http1 import MAX_HEAD, RawRequest, response

if TYPE_CHECKING:
    from blocklist.node.node import Node

#: Seconds for a request's head, for its body, and for a client to take what it asked for.
HEAD_TIME, BODY_TIME, WRITE_TIME = 10.0, 60.0, 30.0
#: Seconds and bytes for which a refused client may go on sending, so that it can read why (RFC 9112, 9.6).
_LINGER_TIME, _LINGER_BYTES = 2.0, 1 << 20
_END = b"\r\n\r\n"
#: How a GET and a POST begin.
_G, _P = b"GP"


class Connection(asyncio.Protocol):
    """Reads requests and writes answers in the same order."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._quick = node.quick.answer
        self._transport: Any = None
        self._parser = httptools.HttpRequestParser(self)
        self._message: RawRequest | None = None
        self._head_bytes = 0
        #: Requests that came while another one's answer is still being worked on.
        self._waiting: deque[RawRequest] = deque()
        self._working: Steps | None = None
        #: What was answered last, if at once.
        self._last: tuple[RawRequest, Answer] | None = None
        self._blocked = False
        self._lingering = 0
        self._closing = False
        self._eof = False
        #: True between requests: what arrives begins with a request line.
        self.idle = True
        self.deadline = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a connection, if there are not too many."""
        self._transport = transport
        self.deadline = self._node.idle_deadline
        if not self._node.opened(self):
            self._refuse(problem(503, "too many connections: try again, or ask another node"))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Forget a connection, and what was being worked on for it."""
        self._closing = True
        self._working = None
        self._waiting.clear()
        self._node.closed(self)

    def data_received(self, data: bytes) -> None:
        """Answer what can be answered of what has arrived."""
        node = self._node
        if self.idle and self._working is None:
            if data[0] == _G:
                answer = node.timed(data) if node.sampling else self._quick(data)
                if answer is not None:
                    self.deadline = node.idle_deadline
                    self._transport.write(answer)
                    return
            elif data[0] == _P and (found := node.posts.find(data)):
                self.deadline = node.idle_deadline
                self._answer(*found)
                self._last = None
                return
        if self._lingering:
            self._discard(data)
        elif not self._closing:
            self._parse(data)

    def pause_writing(self) -> None:
        """Read no more requests from a client that does not take its answers."""
        self._blocked = True
        self.deadline = self._node.clock + WRITE_TIME
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on reading."""
        self._blocked = False
        self.deadline = self._node.idle_deadline
        if self._working is None and not self._closing:
            self._transport.resume_reading()

    def sweep(self) -> None:
        """End the connection if its client used up its time; called about once a second."""
        if self._working is not None and not self._blocked:
            return
        if self._node.clock < self.deadline:
            return
        if self._transport.is_closing():
            # It had all the time there is to take what it asked for.
            self._transport.abort()
            return
        if self.idle and not self._blocked:
            self._transport.close()
            return
        self._node.counters.values["timeouts"] += 1
        if self._blocked or self._closing:
            self._transport.abort()
        else:
            self._refuse(problem(408, "the request did not arrive in time"))

    def drain(self) -> None:
        """End the connection if nothing is under way on it."""
        if self.idle and self._working is None:
            self._closing = True
            self._transport.close()

    # What httptools calls while it parses. Exceptions would be wrapped by it: what is wrong is kept in the message.

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._message = RawRequest()
        self.idle = False
        self.deadline = self._node.clock + HEAD_TIME

    def on_url(self, url: bytes) -> None:
        """Take a part of the request's target."""
        if self._message:
            self._message.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; what comes as a trailer, after the body, says nothing that is asked for here."""
        if self._message and not self._message.method:
            self._message.add_header(name, value)

    def on_headers_complete(self) -> None:
        """Look at the head of a request as soon as it is whole."""
        message = self._message
        if message is None or self._closing:
            return
        self._head_bytes = 0
        self.deadline = self._node.clock + BODY_TIME
        message.begin(self._parser.get_method(), self._parser.get_http_version())
        wrong = message.complaint(MAX_BYTES)
        if wrong:
            self._refuse(wrong)
        elif message.expects_continue and self._working is None and not self._waiting:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        message = self._message
        if message is None or self._closing:
            return
        message.body += body
        if len(message.body) > MAX_BYTES:
            self._refuse(problem(413, f"the body is larger than {MAX_BYTES:,} bytes: send it in parts"))

    def on_message_complete(self) -> None:
        """Answer a request, or let it wait for the one before it."""
        message, self._message = self._message, None
        self.idle = True
        self.deadline = self._node.idle_deadline
        if message is None or self._closing:
            return
        message.keep_alive = self._parser.should_keep_alive() and not self._node.draining
        if self._working is not None or self._waiting:
            self._waiting.append(message)
        else:
            self._begin(message)

    def _parse(self, data: bytes) -> None:
        alone = self.idle
        if not self._message or not self._message.method:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # The request was answered as if it had asked for no other protocol (RFC 9110, 7.8). What follows is unread.
            self._close_after_answer()
        except httptools.HttpParserError as error:
            if not self._closing:
                self._refuse(problem(400, f"not a request of HTTP/1.1: {_said(error)}"))
        else:
            if self._head_bytes > MAX_HEAD and not self.idle and not self._closing:
                self._refuse((self._message or RawRequest()).too_long())
            elif alone and self.idle and self._last:
                self._node.learn(data, *self._last)
        self._last = None

    def _begin(self, message: RawRequest) -> None:
        answer = self._node.refusal(message)
        if answer is not None:
            self._write(message, answer)
            return
        self._answer(message, message.request())

    def _answer(self, message: RawRequest, request: Request) -> None:
        steps = self._node.routes.steps(request)
        answer = next(steps)
        if answer is not None:
            # Only here: the headers of a caller who may not ask must never be remembered as good.
            self._last = message, answer
            self._write(message, answer)
            return
        # One batch at a time on a connection; what the client sends meanwhile stays in its socket.
        self._working = steps
        self._transport.pause_reading()
        self._node.loop.call_soon(self._work, message)

    def _work(self, message: RawRequest) -> None:
        if self._working is None:
            return
        answer = next(self._working)
        if answer is None:
            self._node.loop.call_soon(self._work, message)
            return
        self._working = None
        self._write(message, answer)
        if not self._closing:
            if not self._blocked:
                self._transport.resume_reading()
            while self._waiting and self._working is None and not self._closing:
                self._begin(self._waiting.popleft())
            if self._eof and self._working is None:
                self._transport.close()

    def _write(self, message: RawRequest, answer: Answer) -> None:
        node = self._node
        node.answered(message, answer)
        keep = message.keep_alive and not self._closing
        self._transport.write(node.response(message, answer, keep=keep))
        if not keep:
            self._closing = True
            self._transport.close()

    def _close_after_answer(self) -> None:
        if not self._closing:
            self._closing = True
            if self._working is None:
                self._transport.close()

    def _refuse(self, answer: Answer) -> None:
        """Say what is wrong, and read no more of this client: what follows a broken request cannot be told apart."""
        self._closing = True
        self._node.counters.values["bad_requests"] += 1
        self._waiting.clear()
        self._working = None
        if self._transport.is_closing():
            return
        self._transport.write(response(answer, self._node.date, (), close=True))
        self.idle = False
        self._lingering = _LINGER_BYTES
        self.deadline = self._node.clock + _LINGER_TIME
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()

    def eof_received(self) -> bool:
        """Answer what was asked before the client closed its side, then close ours."""
        self._eof = True
        return self._working is not None

    def _discard(self, data: bytes) -> None:
        self._lingering -= len(data)
        if self._lingering <= 0:
            self._transport.abort()


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
