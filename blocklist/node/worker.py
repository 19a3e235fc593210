"""The program of one worker: ``python -m blocklist.node.worker``. Only the supervisor starts it.

A worker inherits listening sockets and the scoreboard. Its standard input is a pipe from its parent: the worker ends
when the pipe does. It writes log events to standard output, one JSON object a line.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import resource
import signal
import socket
import ssl
import sys
from collections.abc import Callable
from typing import Any

from blocklist.domain.errors import BlocklistError, ConfigurationError
from blocklist.node.epoll.epoll_server import EpollServer
from blocklist.node.epoll.selector import AVAILABLE
from blocklist.node.node import Node
from blocklist.node.options import NodeOptions
from blocklist.node.scoreboard import Scoreboard

#: Seconds in which clients may send one more request on a connection before it is closed, and for responses to be sent.
_LAST_REQUEST, _DRAIN = 0.3, 5.0
_BACKLOG = 4_096


def main() -> None:
    """Serve until SIGTERM, or until the parent has ended."""
    parser = argparse.ArgumentParser(prog="blocklist.node.worker")
    parser.add_argument("--options", required=True, help="a NodeOptions as JSON")
    parser.add_argument("--sockets", required=True, help="descriptors of listening sockets")
    parser.add_argument("--scoreboard", required=True, type=int, help="descriptor of the scoreboard")
    parser.add_argument("--slots", required=True, type=int)
    parser.add_argument("--slot", required=True, type=int)
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a terminal: the parent decides
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    options = NodeOptions.from_json(arguments.options)
    epoll_server = EpollServer(log_event) if AVAILABLE and not options.lookup.tls_certificate else None
    loop = asyncio.SelectorEventLoop(epoll_server) if epoll_server else _loop_with_transports()
    try:
        loop.run_until_complete(_serve(arguments, options, epoll_server))
    except BlocklistError as error:
        log_event("failed", level="error", reason=str(error))
        sys.exit(1)
    finally:
        loop.close()


def log_event(event: str, **fields: Any) -> None:
    """Send an event to the parent, which writes the log."""
    try:
        os.write(1, (json.dumps({"event": event, **fields}) + "\n").encode())
    except OSError:
        return


def _loop_with_transports() -> asyncio.AbstractEventLoop:
    """Return the event loop for TLS, and for systems without epoll."""
    try:
        import uvloop  # noqa: PLC0415 - 13 MB that a worker without TLS does not need
    except ImportError:  # no wheel for this platform: asyncio does the same, slower
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


async def _serve(arguments: argparse.Namespace, options: NodeOptions, epoll_server: EpollServer | None) -> None:
    loop = asyncio.get_running_loop()
    # The modules stay for good, so the garbage collector need not search them. The snapshot, loaded next, does not.
    gc.freeze()
    node = Node(options, Scoreboard(arguments.scoreboard, arguments.slots), arguments.slot, log_event)
    listening = [socket.socket(fileno=int(number)) for number in arguments.sockets.split(",")]
    if epoll_server:
        epoll_server.begin(loop, node.handler, node.connections.new)
        for each in listening:
            epoll_server.listen(each)
        stops = [epoll_server.stop_listening]
    else:
        stops = await _listen_with_transports(listening, node, options)
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    os.set_blocking(0, False)
    loop.add_reader(0, _end_with_parent, ended)
    log_event("ready", slot=arguments.slot)
    await ended.wait()
    node.handler.drain()
    for stop in stops:
        stop()
    await asyncio.sleep(_LAST_REQUEST)
    end = loop.time() + _DRAIN
    while node.connections.close_idle() and loop.time() < end:
        await asyncio.sleep(0.02)
    node.report()


async def _listen_with_transports(
    listening: list[socket.socket], node: Node, options: NodeOptions
) -> list[Callable[[], None]]:
    """Accept connections, with TLS if it is configured (never on a Unix socket); return the functions that stop that.

    :raises ConfigurationError: certificate or key cannot be used.
    """
    loop, context = asyncio.get_running_loop(), _tls_context(options.lookup.tls_certificate, options.lookup.tls_key)
    servers = [
        await loop.create_server(
            node.connections.new,
            sock=each,
            backlog=_BACKLOG,
            ssl=None if each.family == socket.AF_UNIX else context,
        )
        for each in listening
    ]
    return [server.close for server in servers]


def _end_with_parent(ended: asyncio.Event) -> None:
    with contextlib.suppress(BlockingIOError):
        if not os.read(0, 4_096):
            # A closed pipe stays readable and would call this again and again.
            asyncio.get_running_loop().remove_reader(0)
            ended.set()


def _tls_context(certificate: str, key: str) -> ssl.SSLContext | None:
    if not certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"lookup.tls_certificate: {certificate} and its key cannot be used: {error}") from None
    context.set_alpn_protocols(["http/1.1"])
    return context


if __name__ == "__main__":
    main()
