"""Sockets in the selector of an event loop: an error in one connection must not affect the others."""

from __future__ import annotations

import asyncio
import errno
import os
import selectors
import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from blocklist.node.epoll.epoll_server import EpollServer
from blocklist.node.epoll.selector import AVAILABLE
from blocklist.node.epoll.transport import HIGH_WATER
from blocklist.node.http.connection import Connection

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="this system has no epoll")


class Stub:
    """The part of a request handler that connections without requests use, and a server for it."""

    def __init__(self) -> None:
        self.server = EpollServer(lambda *_, **__: None)
        self.loop = asyncio.SelectorEventLoop(self.server)
        handler: Any = self
        self.server.begin(self.loop, handler, lambda: Connection(handler, self.opened, self.closed))
        self.clock = self.idle_deadline = 0.0
        self.sampling = 0
        self.response_cache: Any = SimpleNamespace(responses=SimpleNamespace(items={}))
        self.counters: Any = SimpleNamespace(values={"timeouts": 0})
        self.fault: Exception | None = None
        self.closings = 0

    def opened(self, _: Connection) -> bool:
        if self.fault:
            raise self.fault
        return True

    def closed(self, _: Connection) -> None:
        self.closings += 1


@pytest.fixture
def handler() -> Iterator[Stub]:
    made = Stub()
    yield made
    made.loop.close()


@pytest.fixture
def server(handler: Stub) -> EpollServer:
    return handler.server


def _turns(handler: Stub, count: int = 5) -> None:
    async def turns() -> None:
        for _ in range(count):
            await asyncio.sleep(0.005)

    handler.loop.run_until_complete(turns())


def test_an_error_while_accepting_ends_only_that_connection(server: EpollServer, handler: Stub) -> None:
    contexts: list[dict[str, Any]] = []
    handler.loop.set_exception_handler(lambda _, context: contexts.append(context))
    handler.fault = OSError(errno.ENOSPC, "no more watches")
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as client:
        server.listen(listening)
        client.connect(listening.getsockname())
        client.settimeout(5)
        _turns(handler)
        assert client.recv(1) == b""
    assert [str(context["exception"]) for context in contexts] == ["[Errno 28] no more watches"]
    assert not server.transports


def test_an_error_while_answering_ends_only_that_connection(
    server: EpollServer, handler: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ValueError("a fault of ours")

    contexts: list[dict[str, Any]] = []
    handler.loop.set_exception_handler(lambda _, context: contexts.append(context))
    monkeypatch.setattr(Connection, "data_received", fails)
    monkeypatch.setattr(Connection, "eof_received", fails)
    for sent in (b"x", b""):
        ours, theirs = socket.socketpair()
        with theirs:
            server.add(ours)
            theirs.send(sent)
            theirs.shutdown(socket.SHUT_WR)
            _turns(handler)
            theirs.settimeout(5)
            assert theirs.recv(1) == b""
    assert [str(context["exception"]) for context in contexts] == ["a fault of ours"] * 2
    assert handler.closings == 2


def test_an_event_for_asyncio_is_returned_once(server: EpollServer, handler: Stub) -> None:
    ours, theirs = socket.socketpair()
    read, write = os.pipe()
    with theirs:
        server.add(ours)
        server.register(read, selectors.EVENT_READ)
        os.write(write, b"x")
        assert len(server.select(1)) == 1
        server.unregister(read)
    os.close(read)
    os.close(write)
    _turns(handler)


def test_a_client_that_never_reads_its_last_responses_is_disconnected(server: EpollServer, handler: Stub) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        server.add(ours)
        (transport,) = server.transports.values()
        while not transport.get_write_buffer_size():
            transport.write(b"x" * 10_000)
        assert transport.get_write_buffer_size() <= HIGH_WATER, "it is not slowed down"
        for _ in range(2):
            transport.connection.check_deadline()
            _turns(handler, 1)
        assert not server.transports
    assert handler.closings == 1
