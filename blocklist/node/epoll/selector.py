"""The epoll that an event loop of asyncio waits on, open to sockets of which asyncio knows nothing."""

from __future__ import annotations

import contextlib
import select
import selectors
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

#: Whether there is epoll here: Linux.
AVAILABLE = hasattr(select, "epoll")
#: What epoll says of a descriptor that can be read, and of one that takes more.
READABLE, WRITABLE = (select.EPOLLIN, select.EPOLLOUT) if AVAILABLE else (1, 4)
#: Events that one look takes.
EVENTS = 64

Ready = list[tuple[selectors.SelectorKey, int]]


class Selector(selectors.BaseSelector):
    """A selector for :class:`asyncio.SelectorEventLoop`, as :class:`selectors.EpollSelector` is one.

    The one of the standard library keeps its epoll to itself. An epoll within that of a loop would be woken twice for
    every request, and that the client pays for: its send is what wakes.
    """

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._keys: dict[int, selectors.SelectorKey] = {}

    def register(self, fileobj: FileDescriptorLike, events: int, data: object = None) -> selectors.SelectorKey:
        """Watch a descriptor; see :meth:`selectors.BaseSelector.register`."""
        number = _number(fileobj)
        wanted = (READABLE if events & selectors.EVENT_READ else 0) | (
            WRITABLE if events & selectors.EVENT_WRITE else 0
        )
        self._epoll.register(number, wanted)
        key = self._keys[number] = selectors.SelectorKey(fileobj, number, events, data)
        return key

    def unregister(self, fileobj: FileDescriptorLike) -> selectors.SelectorKey:
        """Watch a descriptor no more.

        :raises KeyError: it was not watched.
        """
        key = self._keys.pop(_number(fileobj))
        with contextlib.suppress(OSError):  # closed before: the kernel has forgotten it already
            self._epoll.unregister(key.fd)
        return key

    def select(self, timeout: float | None = None) -> Ready:
        """Wait, at most so many seconds, and return what is ready."""
        ready: Ready = []
        for number, event in self._epoll.poll(timeout, EVENTS):
            self._add(ready, number, event)
        return ready

    def get_map(self) -> Mapping[FileDescriptorLike, selectors.SelectorKey]:
        """Return what is watched, by the number of the descriptor."""
        return self._keys  # type: ignore[return-value]  # asyncio asks with numbers alone

    def close(self) -> None:
        """Watch nothing any more."""
        self._epoll.close()
        self._keys.clear()

    def _add(self, ready: Ready, number: int, event: int) -> None:
        """Add a descriptor that asyncio watches to those that are ready."""
        key = self._keys.get(number)
        if key is None:
            return
        # Errors and ends are for whoever reads or writes to find.
        said = (selectors.EVENT_WRITE if event & ~READABLE else 0) | (selectors.EVENT_READ if event & ~WRITABLE else 0)
        if said & key.events:
            ready.append((key, said & key.events))


def _number(fileobj: FileDescriptorLike) -> int:
    return fileobj if isinstance(fileobj, int) else fileobj.fileno()
