"""Plain connections, answered where the event loop waits for events. docs/adr compares this to asyncio's transports."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from time import monotonic

from blocklist.node.epoll.selector import EVENTS, READABLE, Ready, Selector
from blocklist.node.epoll.transport import INITIAL_EVENTS, READ_SIZE, Transport
from blocklist.node.http.connection import Connection
from blocklist.node.http.request_handler import RequestHandler
from blocklist.node.http.response_cache import MAX_REQUEST

#: The most polls in one turn of the event loop. Then timers, batches and snapshots get theirs: after about a
#: millisecond at full load.
_POLLS = 8
#: A wait shorter than this (in seconds) was not worth it, since the client's send pays for waking the worker. Before
#: the next wait come this many polls without waiting, which take about as long. Only from 20,000 requests a second on.
_SHORT_WAIT, _POLLS_BEFORE_WAIT = 50e-6, 96
#: The most connections accepted at one event, and seconds without accepting when the system has no descriptors left.
_ACCEPTED, _ACCEPT_PAUSE = 64, 1.0


class EpollServer(Selector):
    """The listening and connected sockets of one worker without TLS, and the selector of its event loop."""

    _loop: asyncio.AbstractEventLoop
    _handler: RequestHandler
    _new_connection: Callable[[], Connection]

    def __init__(self, log_event: Callable[..., None]) -> None:
        """``log_event`` gets the name of an event, its level and fields."""
        super().__init__()
        self._log_event = log_event
        #: The open connections by the number of their descriptor.
        self.transports: dict[int, Transport] = {}
        self._listening: dict[int, socket.socket] = {}
        self._waited_briefly = False

    def begin(
        self, loop: asyncio.AbstractEventLoop, handler: RequestHandler, new_connection: Callable[[], Connection]
    ) -> None:
        """Set the loop whose selector this is, what answers requests, and what makes a connection."""
        self._loop, self._handler, self._new_connection = loop, handler, new_connection

    def listen(self, listening: socket.socket) -> None:
        """Accept connections from a listening socket."""
        listening.setblocking(False)
        self._listening[listening.fileno()] = listening
        self._epoll.register(listening.fileno(), READABLE)

    def add(self, connected: socket.socket) -> None:
        """Serve a connected socket, and close it at its end."""
        connected.setblocking(False)
        if connected.family != socket.AF_UNIX:
            with contextlib.suppress(OSError):  # already reset: reading will report it
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = self._new_connection()
        transport = Transport(connected, connection, self._loop, self._epoll.modify, self._forget)
        try:
            self._epoll.register(connected.fileno(), INITIAL_EVENTS)
        except OSError as error:
            # The system's limit of watched descriptors (ENOSPC, epoll_ctl(2)).
            self._log_event("cannot watch a connection", level="error", reason=str(error))
            connected.close()
            return
        self.transports[connected.fileno()] = transport
        try:
            connection.connection_made(transport)
        except Exception as error:
            transport.fail(error)

    def stop_listening(self) -> None:
        """Accept no more connections."""
        for number, listening in self._listening.items():
            self._epoll.unregister(number)
            listening.close()
        self._listening.clear()

    def select(self, timeout: float | None = None) -> Ready:
        """Wait at most ``timeout`` seconds, answer requests, and return what asyncio has to handle.

        Requests in the response cache are answered inline: at these rates, every call costs one percent of them.
        """
        ready: Ready = []
        events = self._wait(timeout)
        if not self.transports:
            # Before begin() there is no handler, and all events are those of asyncio.
            for number, event in events:
                self._handle_other(ready, number, event)
            return ready
        handler, cache, transports, poll = (
            self._handler, self._handler.response_cache, self.transports, self._epoll.poll,
        )  # fmt: skip
        polls = 1
        while events:
            for number, event in events:
                transport = transports.get(number)
                if transport is None or event != READABLE:
                    self._handle_other(ready, number, event)
                    continue
                try:
                    data = transport.receive(READ_SIZE)
                except BlockingIOError:
                    continue
                except (OSError, MemoryError) as error:
                    transport.lose(error)
                    continue
                connection = transport.connection
                cached = cache.responses.items.get(data) if len(data) <= MAX_REQUEST else None
                if cached is None or not connection.idle or handler.sampling:
                    transport.handle_data(data)
                    continue
                tail, counts, verdict = cached
                counts[verdict] += 1
                connection.deadline = handler.idle_deadline
                response = cache.head + tail
                try:
                    sent = transport.send(response)
                except BlockingIOError:
                    sent = 0
                except OSError as error:
                    transport.lose(error)
                    continue
                if sent != len(response):
                    transport.handle_partial_send(response, sent)
            # Another poll would return the events of asyncio again.
            if polls == _POLLS or ready:
                break
            polls += 1
            events = poll(0, EVENTS)
        return ready

    def _wait(self, timeout: float | None) -> list[tuple[int, int]]:
        """Return descriptors and their events; wait for the first, at most ``timeout`` seconds."""
        poll = self._epoll.poll
        if timeout == 0:
            return poll(0, EVENTS)
        if self._waited_briefly:
            for _ in range(_POLLS_BEFORE_WAIT):
                events = poll(0, EVENTS)
                if events:
                    return events
        started = monotonic()
        events = poll(timeout, EVENTS)
        self._waited_briefly = monotonic() - started < _SHORT_WAIT
        return events

    def _handle_other(self, ready: Ready, number: int, event: int) -> None:
        transport = self.transports.get(number)
        if transport is not None:
            try:
                transport.handle_event(event)
            except Exception as error:  # an exception here would end the event loop
                transport.fail(error)
        elif number in self._listening:
            self._accept(self._listening[number])
        else:
            self._add_ready(ready, number, event)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(_ACCEPTED):
            try:
                connected, _ = listening.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return  # another worker accepted it from a shared socket, or the client gave up
            except OSError as error:
                # No descriptors or no memory: open connections continue, and some will end.
                self._log_event("cannot accept", level="error", reason=str(error))
                self._epoll.modify(listening.fileno(), 0)
                self._loop.call_later(_ACCEPT_PAUSE, self._resume_accepting, listening)
                return
            self.add(connected)

    def _resume_accepting(self, listening: socket.socket) -> None:
        if listening.fileno() in self._listening:
            self._epoll.modify(listening.fileno(), READABLE)

    def _forget(self, number: int) -> None:
        if self.transports.pop(number, None) is not None:
            self._epoll.unregister(number)
