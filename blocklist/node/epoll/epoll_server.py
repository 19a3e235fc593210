"""Plain connections, answered where the loop waits for them: docs/adr says what asyncio's transports cost beside it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from time import monotonic

from blocklist.node.epoll.selector import EVENTS, READABLE, Ready, Selector
from blocklist.node.epoll.transport import BYTES, FIRST, Transport
from blocklist.node.http.connection import Connection
from blocklist.node.http.response_cache import MAX_REQUEST
from blocklist.node.node import Node

#: Looks at the sockets that one turn takes: then timers, batches and the snapshot have theirs, after a millisecond or
#: so at full load.
_LOOKS = 8
#: A wait of fewer seconds was not worth it, since a client whose send has to wake a worker is held up by that: before
#: the next one come so many looks without waiting, which take about as long. Only from 20,000 requests a second on.
_BRIEF, _LOOKS_BEFORE = 50e-6, 96
#: Connections taken in one event, and seconds without taking any when no more can be had.
_ACCEPTED, _PAUSE = 64, 1.0


class EpollServer(Selector):
    """The listening and connected sockets of one worker that need no TLS, and the selector of its loop."""

    _node: Node

    def __init__(self, tell: Callable[..., None]) -> None:
        super().__init__()
        self._tell = tell
        #: The open connections by the number of their descriptor.
        self.transports: dict[int, Transport] = {}
        self._listening: dict[int, socket.socket] = {}
        self.watch = self._epoll.modify
        self._waited_briefly = False

    def begin(self, node: Node) -> None:
        """Answer for a node, in the loop of which this is the selector."""
        self._node, self.loop = node, node.loop

    def listen(self, listening: socket.socket) -> None:
        """Take connections from a socket that listens."""
        listening.setblocking(False)
        self._listening[listening.fileno()] = listening
        self._epoll.register(listening.fileno(), READABLE)

    def take(self, connected: socket.socket) -> None:
        """Answer whoever is at the other end of a connected socket, which is closed here when it ends."""
        connected.setblocking(False)
        if connected.family != socket.AF_UNIX:
            with contextlib.suppress(OSError):  # gone already: to be found by reading
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(self._node)
        transport = Transport(self, connected, connection)
        try:
            self._epoll.register(connected.fileno(), FIRST)
        except OSError as error:
            # The system watches no more descriptors (ENOSPC, epoll_ctl(2)).
            self._tell("cannot watch a connection", level="error", reason=str(error))
            connected.close()
            return
        self.transports[connected.fileno()] = transport
        try:
            connection.connection_made(transport)
        except Exception as error:
            self.failed(transport, error)

    def stop_listening(self) -> None:
        """Take no more connections."""
        for number, listening in self._listening.items():
            self._epoll.unregister(number)
            listening.close()
        self._listening.clear()

    def forget(self, number: int) -> None:
        """Hear no more of a socket."""
        if self.transports.pop(number, None) is not None:
            self._epoll.unregister(number)

    def failed(self, transport: Transport, error: Exception) -> None:
        """Tell of a fault in answering one connection, and end it."""
        self.loop.call_exception_handler({"message": "a connection failed", "exception": error, "transport": transport})
        transport.abort()

    def select(self, timeout: float | None = None) -> Ready:
        """Wait, at most so many seconds; answer whoever has asked; return what asyncio is to see to.

        The way of nearly all requests is written out here: at these rates every call is one in a hundred requests less.
        """
        ready: Ready = []
        events = self._look(timeout)
        if not self.transports:
            # Before `begin` there is no node, and connections are of others.
            for number, event in events:
                self._other(ready, number, event)
            return ready
        node, quick, transports, poll = self._node, self._node.quick, self.transports, self._epoll.poll
        looks = 1
        while events:
            for number, event in events:
                transport = transports.get(number)
                if transport is None or event != READABLE:
                    self._other(ready, number, event)
                    continue
                try:
                    data = transport.receive(BYTES)
                except BlockingIOError:
                    continue
                except (OSError, MemoryError) as error:
                    transport.lost(error)
                    continue
                connection = transport.connection
                known = quick.answers.items.get(data) if len(data) <= MAX_REQUEST else None
                if known is None or not connection.idle or node.sampling:
                    transport.received(data)
                    continue
                end, counted, verdict = known
                counted[verdict] += 1
                connection.deadline = node.idle_deadline
                answer = quick.begin + end
                try:
                    sent = transport.send(answer)
                except BlockingIOError:
                    sent = 0
                except OSError as error:
                    transport.lost(error)
                    continue
                if sent != len(answer):
                    transport.took(answer, sent)
            # What asyncio is to see to would be there again at each look.
            if looks == _LOOKS or ready:
                break
            looks += 1
            events = poll(0, EVENTS)
        return ready

    def _look(self, timeout: float | None) -> list[tuple[int, int]]:
        """Return events of epoll; wait for the first, at most so many seconds."""
        poll = self._epoll.poll
        if timeout == 0:
            return poll(0, EVENTS)
        if self._waited_briefly:
            for _ in range(_LOOKS_BEFORE):
                events = poll(0, EVENTS)
                if events:
                    return events
        started = monotonic()
        events = poll(timeout, EVENTS)
        self._waited_briefly = monotonic() - started < _BRIEF
        return events

    def _other(self, ready: Ready, number: int, event: int) -> None:
        transport = self.transports.get(number)
        if transport is not None:
            try:
                transport.ready(event)
            except Exception as error:  # here nobody stands between a fault and the end of the loop
                self.failed(transport, error)
        elif number in self._listening:
            self._accept(self._listening[number])
        else:
            self._add(ready, number, event)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(_ACCEPTED):
            try:
                connected, _ = listening.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return  # another worker took it from a shared socket, or the client thought better of it
            except OSError as error:
                # No descriptors or no memory: the connections that there are go on, and some will end.
                self._tell("cannot accept", level="error", reason=str(error))
                self._epoll.modify(listening.fileno(), 0)
                self.loop.call_later(_PAUSE, self._accept_again, listening)
                return
            self.take(connected)

    def _accept_again(self, listening: socket.socket) -> None:
        if listening.fileno() in self._listening:
            self._epoll.modify(listening.fileno(), READABLE)
