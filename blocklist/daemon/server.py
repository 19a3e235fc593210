"""The server: the control plane, the workers of the lookup node and the scheduler, until a signal ends them."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import signal
import ssl
import threading
from collections.abc import Callable

import structlog
from filelock import FileLock, Timeout
from flask import Flask

from blocklist.config.settings import ServeSettings, Settings
from blocklist.daemon.control_server import ControlServer
from blocklist.daemon.scheduler import Scheduler
from blocklist.daemon.tls import tls
from blocklist.domain.errors import BlocklistError, ConflictError, UsageError
from blocklist.node.options import NodeOptions
from blocklist.node.supervisor import Supervisor
from blocklist.refresh.lifecycle import lock_file
from blocklist.service import Service
from blocklist.snapshot.follower import Follower
from blocklist.web.app import create_app

_LOG = structlog.get_logger("blocklist.daemon")


def serve(settings: Settings, started: Callable[[str | None], None] = lambda _: None) -> None:
    """Run the whole service until SIGTERM or SIGINT; ``started`` is called when both addresses answer.

    Its argument is the key of the link that makes the first admin, None where there are people already.

    :raises UsageError: the control plane would be reachable from other machines without encryption.
    :raises ConflictError: another service runs on the data folder.
    :raises BlocklistError: a port is in use, or the data folder cannot be used.
    """
    check_reach(settings.serve)
    if settings.serve.behind_proxy and not settings.serve.trusted_proxies:
        _LOG.warning("everybody will seem to come from the proxy", mend="name it in serve.trusted_proxies")
    context = tls(settings.serve.tls_certificate, settings.serve.tls_key)
    service = Service(settings)
    only = _only_service(settings)
    service.recover()
    follower = Follower(
        service.snapshots.folder, settings.snapshot.max_age, lambda why: _LOG.error("snapshot refused", reason=why)
    )
    scheduler = Scheduler(service)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with contextlib.ExitStack() as stack:
        stack.callback(only.release)
        node = _node(settings)
        stack.callback(node.stop)
        service.read_scoreboard = node.scoreboard.read_all
        app = create_app(follower, service, gate_unknown=settings.gate.unknown, metrics=node.metrics)
        server = _bind(settings, app, context)
        # Its threads run from here on: they must end even if a later step fails.
        stack.callback(server.stop)
        server.start()
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


def _only_service(settings: Settings) -> FileLock:
    """Return the lock, held, of the service of a data folder. It ends with the process, however that ends.

    :raises ConflictError: another service has it.
    """
    lock = lock_file(settings.data_dir, "service")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ConflictError(
            f"another service runs on the data folder {settings.data_dir}: stop it, or choose another with --data-dir"
        ) from None
    return lock


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


def _bind(settings: Settings, app: Flask, context: ssl.SSLContext | None) -> ControlServer:
    address = settings.serve.control
    host, _, port = address.rpartition(":")
    try:
        return ControlServer(
            (host.strip("[]"), int(port)),
            app,
            threads=settings.serve.control_threads,
            max_upload=settings.fetch.max_bytes,
            tls=context,
        )
    except OSError as error:
        raise _cannot_listen(address, error, "--control") from None


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
