"""From the asynchronous HTTP server to the Flask application (ASGI 3.0 to WSGI, PEP 3333).

A thread is taken when a request is complete, and is free again when its response is handed over. A client that sends or
reads slowly keeps a connection busy, and no thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import sys
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from blocklist.daemon.incoming_body import IncomingBody
from blocklist.daemon.outgoing_body import Message, OutgoingBody, Send
from blocklist.lookup.http import Answer, problem
from blocklist.node.http.http1 import RawRequest

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

Receive = Callable[[], Awaitable[Message]]
_ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

#: Seconds in which the body of a request must arrive.
BODY_TIME = 60.0
#: The answer to a request of which a part did not arrive in time.
TOO_LATE = problem(408, "the request did not arrive in time")
#: Bytes of target and headers. A URL alone may have 65,535, which is what the parser takes.
MAX_HEAD = 262_144
#: Requests with a large body, such as an uploaded list, that are handled at the same time.
_UPLOADS = 4
#: Bytes of incomplete bodies, of all clients together.
_MAX_WAITING = 256 << 20


class _RefusedError(Exception):
    """The server refuses the request; ``answer`` is the response."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class WsgiBridge:
    """An ASGI application that runs a WSGI application in threads."""

    def __init__(self, app: WSGIApplication, threads: int, small_body: int, max_body: int) -> None:
        """``threads`` is how many requests are handled at the same time; sizes are in bytes.

        A body of up to ``small_body`` is received whole before the application runs. A larger one is handed over while
        it arrives, in a few threads of its own, so that the application can refuse at once who may not send it.
        Nothing over ``max_body`` is kept.
        """
        self._app = app
        self._small_body, self._max_body = small_body, max_body
        self._threads = ThreadPoolExecutor(threads, "control")
        self._upload_threads = ThreadPoolExecutor(_UPLOADS, "upload")
        self._waiting = 0

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Handle one request."""
        with IncomingBody(self._max_body) as body, contextlib.suppress(ConnectionResetError):
            try:
                environ = _environ(scope, body)
                if int(environ.get("CONTENT_LENGTH") or 0) > self._small_body or not await self._receive(body, receive):
                    await self._handle_upload(environ, body, receive, send)
                else:
                    await self._handle(environ, send, self._threads)
            except _RefusedError as refused:
                await _send_answer(refused.answer, send)

    def close(self) -> None:
        """Start no further request."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._upload_threads.shutdown(wait=False, cancel_futures=True)

    async def _receive(self, body: IncomingBody, receive: Receive) -> bool:
        """Receive a body; return False as soon as it is larger than a small one.

        :raises ConnectionResetError: the client left.
        """
        counted = 0
        try:
            async with asyncio.timeout(BODY_TIME):
                while more := await _receive_part(body, receive):
                    self._waiting += body.size - counted
                    counted = body.size
                    if self._waiting > _MAX_WAITING:
                        raise _RefusedError(problem(503, "too many requests with a body arrive: try again"))
                    if counted > self._small_body:
                        break
        except TimeoutError:
            raise _RefusedError(TOO_LATE) from None
        finally:
            self._waiting -= counted
        return not more

    async def _handle_upload(self, environ: WSGIEnvironment, body: IncomingBody, receive: Receive, send: Send) -> None:
        async def receive_rest() -> None:
            try:
                while await _receive_part(body, receive):
                    pass
            except (ConnectionResetError, _RefusedError):
                body.end(lost=True)

        receiving = asyncio.create_task(receive_rest())
        try:
            await self._handle(environ, send, self._upload_threads)
        finally:
            receiving.cancel()

    async def _handle(self, environ: WSGIEnvironment, send: Send, threads: ThreadPoolExecutor) -> None:
        outgoing = OutgoingBody()
        sending = asyncio.create_task(outgoing.send_all(send))
        try:
            await asyncio.get_running_loop().run_in_executor(threads, self._call, environ, outgoing)
            await sending
        finally:
            sending.cancel()

    def _call(self, environ: WSGIEnvironment, outgoing: OutgoingBody) -> None:
        start: Message = {}

        def start_response(
            status: str, headers: list[tuple[str, str]], exc_info: _ExcInfo | None = None, /
        ) -> Callable[[bytes], object]:
            if start and exc_info and exc_info[1]:
                raise exc_info[1]
            encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
            start.update(type="http.response.start", status=int(status[:3]), headers=encoded)
            return _no_write

        parts = self._app(environ, start_response)
        try:
            chunks: Iterator[bytes] = filter(None, parts)
            if environ["SERVER_PROTOCOL"] == "HTTP/1.0":
                # Such a client cannot read a body in chunks (RFC 9112, 7.1).
                chunks = _with_length(start, chunks)
            first = next(chunks, b"")
            outgoing.put(start)
            outgoing.put(_body(first, more=True))
            for chunk in chunks:
                outgoing.put(_body(chunk, more=True))
            outgoing.put(_body(b"", more=False))
        finally:
            if close := getattr(parts, "close", None):
                close()


async def _receive_part(body: IncomingBody, receive: Receive) -> bool:
    """Receive the next part of a body and return whether there is more.

    :raises ConnectionResetError: the client left.
    """
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ConnectionResetError
    try:
        body.append(message.get("body", b""))
    except OSError as error:
        raise _RefusedError(problem(503, f"the body of the request cannot be stored: {error}")) from None
    if message.get("more_body"):
        return True
    body.end()
    return False


def _environ(scope: dict[str, Any], body: IncomingBody) -> WSGIEnvironment:
    """Return the environment of a request, if its head keeps the rules of HTTP (RFC 9112).

    A header whose name has an underscore is left out: in an environment, ``X_Forwarded_For`` would be the same as
    ``X-Forwarded-For``, which only a proxy may set.
    """
    raw = RawRequest()
    raw.target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
    for name, value in scope["headers"]:
        raw.add_header(name, value)
    raw.complete_head(scope["method"].encode(), scope["http_version"])
    # The application limits the size of bodies by its routes.
    if violation := raw.violation(max_body=sys.maxsize, max_head=MAX_HEAD):
        raise _RefusedError(violation)
    server, client = scope["server"] or ("", 0), scope["client"] or ("", 0)
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BufferedReader(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in raw.headers.items():
        key = name.upper().replace("-", "_")
        if "_" not in name:
            environ[key if name in ("content-type", "content-length") else f"HTTP_{key}"] = value
    return environ


def _with_length(start: Message, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Return a body in one piece, and add its length to the headers if they lack it."""
    whole = b"".join(chunks)
    if not any(name == b"content-length" for name, _ in start["headers"]):
        start["headers"].append((b"content-length", b"%d" % len(whole)))
    return iter([whole])


def _body(data: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


def _no_write(_: bytes) -> object:
    raise NotImplementedError("the write function of PEP 3333 is for old programs: return the body instead")


async def _send_answer(answer: Answer, send: Send) -> None:
    """Send an error of the server itself, and close the connection: where the next request begins is not certain."""
    body = answer.encoded()
    headers = [
        (b"content-type", (answer.content_type or "text/plain").encode()),
        (b"content-length", b"%d" % len(body)),
    ]
    headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send(_body(body, more=False))
