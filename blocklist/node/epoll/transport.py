"""The transport of one plain connection: the part of asyncio's interface that :class:`.Connection` uses."""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Callable

from blocklist.node.epoll.selector import AVAILABLE, READABLE, WRITABLE
from blocklist.node.http.connection import Connection

#: Unsent bytes above which no further requests of the client are read, and below which reading resumes.
HIGH_WATER, LOW_WATER = 65_536, 16_384
#: The events of a transport that reads: bytes, and the end of the stream. Edge-triggered (EPOLLET, epoll(7)): with
#: level-triggered events the kernel checks each socket again at every poll.
READING, _EDGE = (select.EPOLLIN | select.EPOLLRDHUP, select.EPOLLET) if AVAILABLE else (1, 0)
INITIAL_EVENTS = READING | _EDGE
_ENDED = select.EPOLLRDHUP | select.EPOLLHUP if AVAILABLE else 0
#: The most bytes of one read.
READ_SIZE = 65_536


class Transport(asyncio.Transport):
    """One connected socket, which does not block.

    :attr:`receive` and :attr:`send` are for :class:`.EpollServer`, which answers most requests without any other call.
    ``send`` is the socket's own while nothing is unsent; otherwise it appends to the unsent bytes.
    """

    __slots__ = ("_closing", "_ending", "_events", "_forget", "_gone", "_loop", "_paused", "_set_events", "_socket",
                 "_unsent", "connection", "receive", "send")  # fmt: skip

    def __init__(
        self,
        connected: socket.socket,
        connection: Connection,
        loop: asyncio.AbstractEventLoop,
        set_events: Callable[[int, int], None],
        forget: Callable[[int], None],
    ) -> None:
        """``set_events`` gets descriptor and events and has epoll watch for those; ``forget`` removes a descriptor."""
        self._socket = connected
        self.connection = connection
        self._loop = loop
        self._set_events = set_events
        self._forget = forget
        self.receive = connected.recv
        self.send: Callable[[bytes | bytearray | memoryview], int] = connected.send
        self._unsent = bytearray()
        self._events = INITIAL_EVENTS
        #: Writing is paused; the sending side ends after the unsent bytes; the connection does; it has ended.
        self._paused = self._ending = self._closing = self._gone = False

    def handle_event(self, event: int) -> None:
        """Write and read as an epoll event allows."""
        if event & WRITABLE and self._unsent:
            self._flush()
        if event & READABLE:
            self._read(event)
        elif not event & WRITABLE:
            # Reset (RST): nobody can read a response any more, even if we are not reading.
            self.lose(ConnectionResetError("the client is gone"))

    def handle_data(self, data: bytes, event: int = READABLE) -> None:
        """Give the connection what was read, and request another event if there may be more to read."""
        try:
            if data:
                self.connection.data_received(data)
            else:
                self._handle_end()
            # A short read has read everything (epoll(7)), except an end of the stream behind the data, and data behind
            # urgent bytes or passed descriptors, where a read stops: so the rest of an incomplete request is read too.
            if len(data) == READ_SIZE or (data and (event & _ENDED or not self.connection.idle)):
                self._read_again()
        except Exception as error:  # a bug that shows in one connection must not affect the others
            self.fail(error)

    def handle_partial_send(self, data: bytes, sent: int) -> None:
        """Keep the rest of a response of which only ``sent`` bytes were sent, and send it when the client reads."""
        self._unsent += memoryview(data)[sent:]
        self.send = self._append
        self._watch(self._events | WRITABLE)
        self._pause_if_full()

    def lose(self, error: Exception | None) -> None:
        """Close at once; unsent bytes are dropped."""
        if self._gone:
            return
        self._gone = self._closing = True
        self._unsent.clear()
        self._forget(self._socket.fileno())
        # Not now: a new socket could get the closed one's number while events of the old one are still to be handled.
        self._loop.call_soon(self._finish, error)

    def fail(self, error: Exception) -> None:
        """Report a bug to the event loop's exception handler and close at once."""
        self._loop.call_exception_handler({"message": "a connection failed", "exception": error, "transport": self})
        self.lose(None)

    # The part of asyncio's interface that Connection uses.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._gone:
            return
        try:
            sent = self.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self.lose(error)
            return
        if sent < len(data):
            self.handle_partial_send(bytes(data), sent)

    def write_eof(self) -> None:
        self._ending = True
        if not self._unsent and not self._gone:
            self._shutdown()

    def get_write_buffer_size(self) -> int:
        return len(self._unsent)

    def can_write_eof(self) -> bool:
        return True

    def pause_reading(self) -> None:
        self._watch(self._events & ~READING)

    def resume_reading(self) -> None:
        if not self._closing:
            self._watch(self._events | READING)

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        self._watch(self._events & ~READING)
        if not self._unsent:
            self.lose(None)

    def abort(self) -> None:
        self.lose(None)

    def _read(self, event: int) -> None:
        if self._closing:
            return
        try:
            data = self.receive(READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            self.lose(error)
            return
        self.handle_data(data, event)

    def _handle_end(self) -> None:
        if self.connection.eof_received():
            self._watch(self._events & ~READING)
        else:
            self.close()

    def _append(self, data: bytes | bytearray | memoryview) -> int:
        self._unsent += data
        self._pause_if_full()
        return len(data)

    def _pause_if_full(self) -> None:
        if len(self._unsent) > HIGH_WATER and not self._paused:
            self._paused = True
            self.connection.pause_writing()

    def _flush(self) -> None:
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            return
        except OSError as error:
            self.lose(error)
            return
        del self._unsent[:sent]
        if not self._unsent:
            self.send = self._socket.send
            self._watch(self._events & ~WRITABLE)
            if self._closing:
                self.lose(None)
            elif self._ending:
                self._shutdown()
        if self._paused and len(self._unsent) <= LOW_WATER and not self._gone:
            self._paused = False
            self.connection.resume_writing()

    def _watch(self, events: int) -> None:
        if events != self._events and not self._gone:
            self._events = events
            self._set_events(self._socket.fileno(), events)

    def _read_again(self) -> None:
        """Have epoll report data that is there already (EPOLL_CTL_MOD checks the socket again)."""
        if self._events & READABLE and not self._gone:
            self._set_events(self._socket.fileno(), self._events)

    def _shutdown(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError as error:
            self.lose(error)

    def _finish(self, error: Exception | None) -> None:
        self._socket.close()
        self.connection.connection_lost(error)
