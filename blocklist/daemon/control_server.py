"""The HTTP server of the control plane: uvicorn in a thread, with a limit on everything that a client chooses."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import structlog
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from blocklist.daemon.wsgi_bridge import MAX_HEAD, TOO_LATE, WsgiBridge
from blocklist.lookup.http import Answer, problem
from blocklist.lookup.limits import MAX_BYTES
from blocklist.node.http.http1 import response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_LOG = structlog.get_logger("blocklist.daemon")

#: Seconds for the head of a request, for a client to read what waits for it, and between two requests.
HEAD_TIME, WRITE_TIME, _IDLE_TIME = 10.0, 30.0, 75
#: The longest URL that the parser of httptools takes, in bytes.
_MAX_URL = 65_535
#: Connections that may be open at the same time. None of them costs a thread.
_MAX_CONNECTIONS = 1_024
#: Connections that may wait to be accepted.
_BACKLOG = 512
#: Seconds for requests under way when the server stops.
_STOP_TIME = 5


class _Protocol(HttpToolsProtocol):
    """One connection. What uvicorn does not limit is limited here: head, its time, slow readers, connections."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._head_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        #: Bytes of the head that is being received.
        self._head_bytes = 0
        self._in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        # asyncio sets it only on sockets that were made with the number of TCP. Without it, each response on an open
        # connection waits 40 ms for an acknowledgement, because head and body are written one after the other.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._start_head_timer()
        if len(self.connections) > _MAX_CONNECTIONS:
            self._refuse(problem(503, "too many connections: try again"))

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop(self._head_timer)
        self._stop(self._write_timer)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self._in_head:
            self._head_bytes += len(data)
            self._start_head_timer()
        super().data_received(data)
        if self._in_head and self._head_bytes > MAX_HEAD and not self.transport.is_closing():
            self._refuse(problem(431, f"the head of the request is larger than {MAX_HEAD:,} bytes"))

    def on_message_begin(self) -> None:
        self._start_head_timer()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._stop(self._head_timer)
        self._head_timer, self._head_bytes, self._in_head = None, 0, False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_head = True
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._write_timer = self.loop.call_later(WRITE_TIME, self._disconnect)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop(self._write_timer)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's sentence says no more
        """Answer bytes that are no HTTP request."""
        if self.scope is not None and len(self.url) > _MAX_URL:
            self._refuse(problem(400, f"the URL is longer than {_MAX_URL:,} bytes: POST it to /v1/lookup"))
        else:
            self._refuse(problem(400, "not a valid HTTP/1.1 request"))

    def _start_head_timer(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_TIME, self._head_is_late)

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self._head_bytes or self.scope is not None:
            self._refuse(TOO_LATE)
        else:
            self.transport.close()

    def _disconnect(self) -> None:
        # Without this, uvicorn would write to the transport once more, which raises.
        self.cycle.disconnected = True
        self.transport.abort()

    def _refuse(self, answer: Answer) -> None:
        self.transport.write(response(answer, formatdate(usegmt=True), (), close=True))
        self.transport.close()

    @staticmethod
    def _stop(timer: asyncio.TimerHandle | None) -> None:
        if timer is not None:
            timer.cancel()


class _LogHandler(logging.Handler):
    """Writes uvicorn's errors into our log, as warnings: a client that disconnects is no error of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        _LOG.warning("http", detail=record.getMessage().strip(), exc_info=record.exc_info or False)


class ControlServer:
    """Serves a WSGI application over HTTP/1.1, with TLS if a context is given, in a thread of its own."""

    def __init__(
        self,
        address: tuple[str, int],
        app: WSGIApplication,
        *,
        threads: int = 8,
        max_upload: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Listen on an address; port 0 takes a free one.

        ``threads`` is how many requests are handled at the same time; ``max_upload`` is the size of the largest
        uploaded list in bytes.

        :raises OSError: the address cannot be used.
        """
        self._bridge = WsgiBridge(app, threads, MAX_BYTES + 1, 2 * MAX_BYTES + max_upload)
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._socket = socket.create_server(address, family=family, backlog=_BACKLOG)
        config = uvicorn.Config(
            self._bridge,
            http=_Protocol,
            interface="asgi3",
            # uvloop raises when a response is written to a connection that was just aborted.
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=_BACKLOG,
            timeout_keep_alive=_IDLE_TIME,
            timeout_graceful_shutdown=_STOP_TIME,
        )
        config.load()
        config.ssl = tls
        logger = logging.getLogger("uvicorn.error")
        logger.handlers, logger.propagate = [_LogHandler(logging.ERROR)], False
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="control", daemon=True)

    @property
    def port(self) -> int:
        """The port that the server listens on."""
        return int(self._socket.getsockname()[1])

    def start(self) -> None:
        """Accept connections."""
        self._thread.start()

    def stop(self) -> None:
        """Answer the requests under way, for some seconds at most, and stop."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(2 * _STOP_TIME)
        self._bridge.close()
        self._socket.close()
