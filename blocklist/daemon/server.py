"""The server: the control plane, the workers of the lookup node and the scheduler, until a signal ends them."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import signal
import threading
from collections.abc import Callable

import structlog
from cheroot.server import HTTPConnection, HTTPRequest
from cheroot.wsgi import Server as _WsgiServer
from flask import Flask

from blocklist.config.settings import ServeSettings, Settings
from blocklist.daemon.scheduler import Scheduler
from blocklist.daemon.tls import tls
from blocklist.domain.errors import BlocklistError, UsageError
from blocklist.lookup.limits import MAX_BYTES
from blocklist.node.options import NodeOptions
from blocklist.node.supervisor import Supervisor
from blocklist.service import Service
from blocklist.snapshot.follower import Follower
from blocklist.web.app import create_app

_LOG = structlog.get_logger("blocklist.daemon")


class _Request(HTTPRequest):
    """A request whose body the application may leave unread, for example because it refuses the request."""

    def read_request_headers(self) -> bool:
        if not super().read_request_headers():  # type: ignore[no-untyped-call]  # cheroot has no type here
            return False
        length = self.inheaders.get(b"Content-Length")
        # Two lengths, or one that others parse differently: a proxy in front could see another request than we do.
        if length is not None and (self.chunked_read or not length.isdigit()):
            self.simple_response("400 Bad Request", "The length of the body is not clear.")
            return False
        return True

    def send_headers(self) -> None:
        if self.chunked_read:
            # The rest of such a body would be read as the next request (RFC 9112, 9.3).
            self.close_connection = True
        elif not self.close_connection:
            # cheroot would keep the whole rest in memory, whoever sends it.
            while getattr(self.rfile, "remaining", 0) > 0 and self.rfile.read(65_536):
                pass
        super().send_headers()


class _Connection(HTTPConnection):
    RequestHandlerClass = _Request


class Server(_WsgiServer):
    """cheroot's threaded server, with its errors in our log."""

    ConnectionClass = _Connection

    def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:
        """Write one event, as a warning at most: a client that disconnects is no error of the service."""
        _LOG.log(min(level, 30), "http", detail=str(msg).strip(), exc_info=traceback)


def serve(settings: Settings, started: Callable[[str | None], None] = lambda _: None) -> None:
    """Run the whole service until SIGTERM or SIGINT; ``started`` is called when both addresses answer.

    Its argument is the key of the link that makes the first admin, None where there are people already.

    :raises UsageError: the control plane would be reachable from other machines without encryption.
    :raises BlocklistError: a port is in use, or the data folder cannot be used.
    """
    check_reach(settings.serve)
    if settings.serve.behind_proxy and not settings.serve.trusted_proxies:
        _LOG.warning("everybody will seem to come from the proxy", mend="name it in serve.trusted_proxies")
    adapter = tls(settings.serve.tls_certificate, settings.serve.tls_key)
    service = Service(settings)
    service.recover()
    follower = Follower(
        service.snapshots.folder, settings.snapshot.max_age, lambda why: _LOG.error("snapshot refused", reason=why)
    )
    scheduler = Scheduler(service)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with contextlib.ExitStack() as stack:
        node = _node(settings)
        stack.callback(node.stop)
        service.read_scoreboard = node.scoreboard.read_all
        app = create_app(follower, service, gate_unknown=settings.gate.unknown, metrics=node.metrics)
        server = _bind(settings, app)
        server.ssl_adapter = adapter
        # Its threads run from here on: they must end even if a later step fails.
        stack.callback(server.stop)
        threading.Thread(target=server.serve, daemon=True).start()
        node.start()
        follower.start()
        stack.callback(follower.stop)
        scheduler.start()
        stack.callback(scheduler.stop)
        _LOG.info("serving", control=settings.serve.control, lookup=settings.serve.lookup, workers=node.workers)
        _log_end_of_audit(service)
        started(service.people.first_link())
        ended.wait()
        _log_end_of_audit(service)
        _LOG.info("stopping")


def _log_end_of_audit(service: Service) -> None:
    """Write the last event of the audit log into the log: a copy of it reveals a forged audit log."""
    id_, hash_ = service.audit.last()
    _LOG.info("audit log", last=f"{id_}:{hash_}")


def _node(settings: Settings) -> Supervisor:
    workers = settings.serve.workers or len(os.sched_getaffinity(0))
    try:
        return Supervisor(settings.serve.lookup, workers, NodeOptions.from_settings(settings))
    except OSError as error:
        raise _cannot_listen(settings.serve.lookup, error, "--lookup") from None


def _bind(settings: Settings, app: Flask) -> Server:
    address = settings.serve.control
    host, _, port = address.rpartition(":")
    server = Server(
        (host.strip("[]"), int(port)),
        app,
        numthreads=settings.serve.control_threads,
        # Connections that may wait to be accepted while all threads are busy.
        request_queue_size=512,
        shutdown_timeout=5,
        # Seconds that a client may send nothing in the middle of a request.
        timeout=10,
    )
    # The URL of a page may be long.
    server.max_request_header_size = 262_144
    # An uploaded list may be as large as a fetched one; the application limits every other body itself.
    server.max_request_body_size = 2 * MAX_BYTES + settings.fetch.max_bytes
    try:
        server.prepare()
    except OSError as error:
        raise _cannot_listen(address, error, "--control") from None
    return server


def _cannot_listen(address: str, error: OSError, option: str) -> BlocklistError:
    why = "the address is already in use" if "Address already in use" in str(error) else str(error)
    return BlocklistError(
        f"cannot listen on {address}: {why}; stop what listens there, or choose another with {option} HOST:PORT"
    )


def check_reach(settings: ServeSettings) -> None:
    """Check that the control plane is not reachable from other machines without encryption.

    :raises UsageError: it would be, and neither TLS nor a proxy is configured.
    """
    host = settings.control.rpartition(":")[0].strip("[]")
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not (loopback or settings.tls_certificate or settings.behind_proxy):
        raise UsageError(
            f"the control plane does not listen on {settings.control} in the clear: passwords and tokens would be read "
            "on the way; set serve.tls_certificate and serve.tls_key, or serve.behind_proxy = true where a proxy "
            "in front speaks HTTPS, or listen on 127.0.0.1"
        )
