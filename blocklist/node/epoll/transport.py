"""The transport of a plain connection: what a :class:`.Connection` asks of one, over a socket that never blocks."""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from blocklist.node.epoll.selector import AVAILABLE, READABLE, WRITABLE
from blocklist.node.http.connection import Connection

if TYPE_CHECKING:
    from blocklist.node.epoll.epoll_server import EpollServer

#: Bytes that wait to be taken by a client when no more of its requests are read, and when reading goes on.
HIGH_WATER, LOW_WATER = 65_536, 16_384
#: What a transport waits for while it reads: bytes, and the end of them. Every event comes once (EPOLLET, epoll(7)): what
#: is always told again, the kernel asks each socket for again.
READING, _ONCE = (select.EPOLLIN | select.EPOLLRDHUP, select.EPOLLET) if AVAILABLE else (1, 0)
FIRST = READING | _ONCE
_ENDED = select.EPOLLRDHUP | select.EPOLLHUP if AVAILABLE else 0
#: Bytes that are read at once.
BYTES = 65_536


class Transport(asyncio.Transport):
    """One connected socket.

    :attr:`receive` and :attr:`send` are for :class:`.EpollServer`, which answers most requests without any other call.
    ``send`` is the socket's own while nothing waits to go out; what is sent while something does goes behind it.
    """

    __slots__ = ("_closing", "_ending", "_full", "_gone", "_mask", "_socket", "_sockets", "_waiting", "connection",
                 "receive", "send")  # fmt: skip

    def __init__(self, sockets: EpollServer, connected: socket.socket, connection: Connection) -> None:
        self._sockets = sockets
        self._socket = connected
        self.connection = connection
        self.receive = connected.recv
        self.send: Callable[[bytes | bytearray | memoryview], int] = connected.send
        #: What the client did not take yet.
        self._waiting = bytearray()
        self._mask = FIRST
        self._full = self._ending = self._closing = self._gone = False

    def ready(self, event: int) -> None:
        """Do what an event of epoll allows."""
        if event & WRITABLE and self._waiting:
            self._flush()
        if event & READABLE:
            self._read(event)
        elif not event & WRITABLE:
            # Nobody is left to read an answer (RST), whether we read of it or not.
            self.lost(ConnectionResetError("the client is gone"))

    def received(self, data: bytes, event: int = READABLE) -> None:
        """Pass on what was read; see to it that the rest is read too, if there may be one."""
        try:
            if data:
                self.connection.data_received(data)
            else:
                self._ended()
            # Fewer bytes than there was room for are all (epoll(7)), but for an end behind them, and what is behind
            # urgent bytes or descriptors: there a read stops, so the rest of a request is looked for.
            if len(data) == BYTES or (data and (event & _ENDED or not self.connection.idle)):
                self._again()
        except Exception as error:  # a fault of ours in one connection must not cost the others theirs
            self._sockets.failed(self, error)

    def took(self, data: bytes, sent: int) -> None:
        """Keep what a client did not take of an answer, until it does."""
        self._waiting += memoryview(data)[sent:]
        self.send = self._behind
        self._watch(self._mask | WRITABLE)
        self._slow_down()

    def lost(self, error: Exception | None) -> None:
        """End at once; what waits is dropped."""
        if self._gone:
            return
        self._gone = self._closing = True
        self._waiting.clear()
        self._sockets.forget(self._socket.fileno())
        # Not now: the number of a socket that is closed could belong to another one before this turn is over.
        self._sockets.loop.call_soon(self._finish, error)

    # What asyncio's transports offer, as far as a Connection uses it.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send, or keep what cannot be sent yet."""
        if self._gone:
            return
        try:
            sent = self.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self.lost(error)
            return
        if sent < len(data):
            self.took(bytes(data), sent)

    def write_eof(self) -> None:
        """Send no more after what waits."""
        self._ending = True
        if not self._waiting and not self._gone:
            self._shut()

    def get_write_buffer_size(self) -> int:
        """Return how many bytes the client did not take yet."""
        return len(self._waiting)

    def can_write_eof(self) -> bool:
        """A plain socket can."""
        return True

    def pause_reading(self) -> None:
        """Let what arrives wait."""
        self._watch(self._mask & ~READING)

    def resume_reading(self) -> None:
        """Read again."""
        if not self._closing:
            self._watch(self._mask | READING)

    def is_closing(self) -> bool:
        """Whether it is closed, or will be."""
        return self._closing

    def close(self) -> None:
        """End after what waits; nothing more is read."""
        if self._closing:
            return
        self._closing = True
        self._watch(self._mask & ~READING)
        if not self._waiting:
            self.lost(None)

    def abort(self) -> None:
        """End at once."""
        self.lost(None)

    def _read(self, event: int) -> None:
        if self._closing:
            return
        try:
            data = self.receive(BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self.lost(error)
            return
        self.received(data, event)

    def _ended(self) -> None:
        """Take note that the client sends no more."""
        if self.connection.eof_received():
            self._watch(self._mask & ~READING)
        else:
            self.close()

    def _behind(self, data: bytes | bytearray | memoryview) -> int:
        """Put an answer behind those that wait."""
        self._waiting += data
        self._slow_down()
        return len(data)

    def _slow_down(self) -> None:
        if len(self._waiting) > HIGH_WATER and not self._full:
            self._full = True
            self.connection.pause_writing()

    def _flush(self) -> None:
        try:
            sent = self._socket.send(self._waiting)
        except BlockingIOError:
            return
        except OSError as error:
            self.lost(error)
            return
        del self._waiting[:sent]
        if not self._waiting:
            self.send = self._socket.send
            self._watch(self._mask & ~WRITABLE)
            if self._closing:
                self.lost(None)
            elif self._ending:
                self._shut()
        if self._full and len(self._waiting) <= LOW_WATER and not self._gone:
            self._full = False
            self.connection.resume_writing()

    def _watch(self, mask: int) -> None:
        if mask != self._mask and not self._gone:
            self._mask = mask
            self._sockets.watch(self._socket.fileno(), mask)

    def _again(self) -> None:
        """Hear once more of what is there to read (EPOLL_CTL_MOD looks anew)."""
        if self._mask & READABLE and not self._gone:
            self._sockets.watch(self._socket.fileno(), self._mask)

    def _shut(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError as error:
            self.lost(error)

    def _finish(self, error: Exception | None) -> None:
        self._socket.close()
        self.connection.connection_lost(error)
