"""Plain connections, answered from one epoll of our own: see docs/adr for what asyncio's transports cost beside it."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable

from blocklist.node.connection import Connection
from blocklist.node.link import READABLE, Link
from blocklist.node.node import Node
from blocklist.node.quick import MAX_REQUEST

#: Whether there is epoll here: Linux. Elsewhere asyncio's transports carry plain connections too.
AVAILABLE = hasattr(select, "epoll")
#: How many looks at the sockets, events a look and bytes an event one wake-up takes: then timers, TLS and the snapshot
#: have their turn, after a millisecond or so at full load.
_LOOKS, _EVENTS, _BYTES = 8, 64, 65_536
#: Connections taken in one event, and seconds without taking any when no more can be had.
_ACCEPTED, _PAUSE = 64, 1.0


class Sockets:
    """The listening and connected sockets of one worker that need no TLS."""

    def __init__(self, node: Node, tell: Callable[..., None]) -> None:
        self.loop = node.loop
        self._node = node
        self._tell = tell
        self._links: dict[int, Link] = {}
        self._listening: dict[int, socket.socket] = {}
        self._epoll = select.epoll()
        self.watch = self._epoll.modify
        # The descriptor of an epoll is readable while any of its sockets is ready (epoll(7)).
        self.loop.add_reader(self._epoll.fileno(), self._serve)

    def listen(self, listening: socket.socket) -> None:
        """Take connections from a socket that listens."""
        listening.setblocking(False)
        self._listening[listening.fileno()] = listening
        self._epoll.register(listening.fileno(), READABLE)

    def close(self) -> None:
        """Take no more connections."""
        for number, listening in self._listening.items():
            self._epoll.unregister(number)
            listening.close()
        self._listening.clear()

    def forget(self, number: int) -> None:
        """Hear no more of a socket."""
        if self._links.pop(number, None) is not None:
            self._epoll.unregister(number)

    def _serve(self) -> None:
        """Answer whoever has asked.

        The way of nearly all requests is written out here: at these rates every call is one in a hundred requests less.
        """
        node, quick, links, poll = self._node, self._node.quick, self._links, self._epoll.poll
        for _ in range(_LOOKS):
            events = poll(0, _EVENTS)
            if not events:
                return
            for number, event in events:
                link = links.get(number)
                if link is None or event != READABLE:
                    self._other(number, event, link)
                    continue
                try:
                    data = link.receive(_BYTES)
                except BlockingIOError:
                    continue
                except OSError as error:
                    link.lost(error)
                    continue
                connection = link.connection
                known = quick.answers.young.get(data) if len(data) <= MAX_REQUEST else None
                if known is None or not connection.idle or node.sampling:
                    self._received(link, data)
                    continue
                end, counted, verdict = known
                counted[verdict] += 1
                connection.deadline = node.idle_deadline
                answer = quick.begin + end
                try:
                    sent = link.send(answer)
                except BlockingIOError:
                    sent = 0
                except OSError as error:
                    link.lost(error)
                    continue
                if sent != len(answer):
                    link.took(answer, sent)

    def _received(self, link: Link, data: bytes) -> None:
        try:
            if data:
                link.connection.data_received(data)
            else:
                link.ended()
        except Exception as error:  # a fault of ours in one connection must not cost the others theirs
            self.loop.call_exception_handler({"message": "a connection failed", "exception": error, "transport": link})
            link.abort()

    def _other(self, number: int, event: int, link: Link | None) -> None:
        if link is None:
            if number in self._listening:
                self._accept(self._listening[number])
            return
        link.ready(event)
        if event & READABLE and not link.is_closing():
            try:
                data = link.receive(_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                link.lost(error)
                return
            self._received(link, data)

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
            self._take(connected)

    def _accept_again(self, listening: socket.socket) -> None:
        if listening.fileno() in self._listening:
            self._epoll.modify(listening.fileno(), READABLE)

    def _take(self, connected: socket.socket) -> None:
        connected.setblocking(False)
        if connected.family != socket.AF_UNIX:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(self._node)
        link = self._links[connected.fileno()] = Link(self, connected, connection)
        self._epoll.register(connected.fileno(), READABLE)
        connection.connection_made(link)
