"""The program of one worker: ``python -m blocklist.node.worker``, started by the supervisor and by nobody else.

It inherits listening sockets and the scoreboard, and hears of its parent by a pipe on standard input: when that ends,
the parent is gone, and the worker ends too. What it has to say goes to standard output, one JSON object a line.
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
from blocklist.node.http.connection import Connection
from blocklist.node.node import Node
from blocklist.node.options import NodeOptions
from blocklist.node.scoreboard import Scoreboard

#: Seconds that clients get for one more request on a connection before it is closed, and that answers get to go out.
_LAST_CALL, _DRAIN = 0.3, 5.0
_BACKLOG = 4_096


def main() -> None:
    """Serve until told to stop, or until the parent is gone."""
    parser = argparse.ArgumentParser(prog="blocklist.node.worker")
    parser.add_argument("--options", required=True)
    parser.add_argument("--sockets", required=True, help="descriptors of listening sockets")
    parser.add_argument("--scoreboard", required=True, type=int)
    parser.add_argument("--slots", required=True, type=int)
    parser.add_argument("--slot", required=True, type=int)
    given = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to every process of a terminal: the parent decides
    _raise_limit()
    options = NodeOptions.from_json(given.options)
    plain = EpollServer(tell) if AVAILABLE and not options.lookup.tls_certificate else None
    loop = asyncio.SelectorEventLoop(plain) if plain else _loop_with_transports()
    try:
        loop.run_until_complete(_serve(given, options, loop, plain))
    except BlocklistError as error:
        tell("failed", level="error", reason=str(error))
        sys.exit(1)
    finally:
        loop.close()


def tell(event: str, **fields: Any) -> None:
    """Pass an event to the parent, which writes the log."""
    try:
        os.write(1, (json.dumps({"event": event, **fields}) + "\n").encode())
    except OSError:
        return


def _loop_with_transports() -> asyncio.AbstractEventLoop:
    """Return the loop that carries TLS, and everything where there is no epoll."""
    try:
        import uvloop  # noqa: PLC0415 - 13 MB that a worker without TLS does not need
    except ImportError:  # no wheel for this platform: slower, and the same
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


async def _serve(
    given: argparse.Namespace, options: NodeOptions, loop: asyncio.AbstractEventLoop, plain: EpollServer | None
) -> None:
    # Modules stay: the garbage collector need not look through them again. A snapshot does not: it is loaded after.
    gc.freeze()
    node = Node(options, loop, Scoreboard(given.scoreboard, given.slots), given.slot, tell)
    stops = await _listen([socket.socket(fileno=int(number)) for number in given.sockets.split(",")], node, plain)
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    os.set_blocking(0, False)
    loop.add_reader(0, _hear, loop, ended)
    tell("ready", slot=given.slot)
    await ended.wait()
    node.drain()
    for stop in stops:
        stop()
    await asyncio.sleep(_LAST_CALL)
    end = loop.time() + _DRAIN
    while node.close_idle() and loop.time() < end:
        await asyncio.sleep(0.02)
    node.tell_last()


async def _listen(listening: list[socket.socket], node: Node, plain: EpollServer | None) -> list[Callable[[], None]]:
    """Take connections from sockets, and return what ends that."""
    if plain:
        plain.begin(node)
        for each in listening:
            plain.listen(each)
        return [plain.stop_listening]
    context = _context(node.options)
    servers = [
        await node.loop.create_server(
            lambda: Connection(node),
            sock=each,
            backlog=_BACKLOG,
            ssl=None if each.family == socket.AF_UNIX else context,
        )
        for each in listening
    ]
    return [server.close for server in servers]


def _hear(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    """End when the parent has: its end of the pipe is closed, and stays readable for as long as anybody listens."""
    with contextlib.suppress(BlockingIOError):
        if not os.read(0, 4_096):
            loop.remove_reader(0)
            ended.set()


def _context(options: NodeOptions) -> ssl.SSLContext | None:
    if not options.lookup.tls_certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(options.lookup.tls_certificate, options.lookup.tls_key or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"lookup.tls_certificate: {options.lookup.tls_certificate} and its key cannot be used: {error}"
        ) from None
    context.set_alpn_protocols(["http/1.1"])
    return context


def _raise_limit() -> None:
    """Let the worker have as many descriptors as it may."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main()
