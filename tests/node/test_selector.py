"""The selector of a worker's event loop behaves as the one of the standard library."""

from __future__ import annotations

import asyncio
import os
import selectors
import signal
import socket
import time
from collections.abc import Iterator

import pytest

from blocklist.node.epoll.epoll_server import EpollServer
from blocklist.node.epoll.selector import AVAILABLE, Selector

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="this system has no epoll")


@pytest.fixture(params=[Selector, lambda: EpollServer(print)], ids=["plain", "with sockets"])
def selector(request: pytest.FixtureRequest) -> Iterator[Selector]:
    made: Selector = request.param()
    yield made
    made.close()


def test_asyncio_serves_and_connects_with_it(selector: Selector) -> None:
    async def echoed() -> bytes:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.read())
            writer.close()

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"x" * 3_000_000)
        writer.write_eof()
        got = await reader.read()
        writer.close()
        server.close()
        return got

    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        assert runner.run(echoed()) == b"x" * 3_000_000


def test_timers_signals_and_threads_wake_it(selector: Selector) -> None:
    heard: list[str] = []

    async def waited() -> float:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, heard.append, "signal")
        loop.call_later(0.05, os.kill, os.getpid(), signal.SIGUSR1)
        started = time.monotonic()
        await asyncio.sleep(0.1)
        heard.append(await asyncio.to_thread(lambda: "thread"))
        return time.monotonic() - started

    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        assert 0.1 <= runner.run(waited()) < 5
    assert heard == ["signal", "thread"]


def test_it_returns_the_same_events_as_the_standard_selector(selector: Selector) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, selectors.EpollSelector() as standard:
        for events in (selectors.EVENT_READ, selectors.EVENT_WRITE, selectors.EVENT_READ | selectors.EVENT_WRITE):
            for one in (selector, standard):
                one.register(ours, events, "data")
            assert selector.select(0) == standard.select(0)
            theirs.send(b"x")
            assert selector.select(1) == standard.select(1)
            assert selector.get_key(ours.fileno()).data == "data"
            for one in (selector, standard):
                one.unregister(ours)
        theirs.close()
        for one in (selector, standard):
            one.register(ours, selectors.EVENT_WRITE)
        assert selector.select(1) == standard.select(1) != []
    with pytest.raises(KeyError):
        selector.unregister(99)


def test_a_closed_descriptor_can_be_unregistered(selector: Selector) -> None:
    read, write = os.pipe()
    key = selector.register(read, selectors.EVENT_READ)
    os.close(read)
    assert selector.unregister(read) == key
    assert dict(selector.get_map()) == {}
    os.close(write)
