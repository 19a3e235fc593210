"""The selector of an asyncio event loop, whose epoll also takes sockets that asyncio does not know."""

from __future__ import annotations

import contextlib
import select
import selectors
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

#: Whether this system has epoll (Linux).
AVAILABLE = hasattr(select, "epoll")
#: The epoll events of a descriptor that can be read, and of one that can be written.
READABLE, WRITABLE = (select.EPOLLIN, select.EPOLLOUT) if AVAILABLE else (1, 4)
#: The most events that one poll returns.
EVENTS = 64

Ready = list[tuple[selectors.SelectorKey, int]]


class Selector(selectors.BaseSelector):
    """A selector for :class:`asyncio.SelectorEventLoop`, like :class:`selectors.EpollSelector`.

    The one of the standard library keeps its epoll private. A second epoll inside that of the loop would wake up twice
    for every request, on the time of the client, whose send does the waking.
    """

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._keys: dict[int, selectors.SelectorKey] = {}

    def register(self, fileobj: FileDescriptorLike, events: int, data: object = None) -> selectors.SelectorKey:
        number = _number(fileobj)
        mask = (READABLE if events & selectors.EVENT_READ else 0) | (WRITABLE if events & selectors.EVENT_WRITE else 0)
        self._epoll.register(number, mask)
        key = self._keys[number] = selectors.SelectorKey(fileobj, number, events, data)
        return key

    def unregister(self, fileobj: FileDescriptorLike) -> selectors.SelectorKey:
        """Stop watching a descriptor.

        :raises KeyError: it was not watched.
        """
        key = self._keys.pop(_number(fileobj))
        with contextlib.suppress(OSError):  # already closed: the kernel has removed it
            self._epoll.unregister(key.fd)
        return key

    def select(self, timeout: float | None = None) -> Ready:
        ready: Ready = []
        for number, event in self._epoll.poll(timeout, EVENTS):
            self._add_ready(ready, number, event)
        return ready

    def get_map(self) -> Mapping[FileDescriptorLike, selectors.SelectorKey]:
        """Return the keys of all watched descriptors by their number."""
        return self._keys  # type: ignore[return-value]  # asyncio looks up numbers only

    def close(self) -> None:
        self._epoll.close()
        self._keys.clear()

    def _add_ready(self, ready: Ready, number: int, event: int) -> None:
        key = self._keys.get(number)
        if key is None:
            return
        # Errors and ends of streams count as both: reading or writing then reports them.
        events = (selectors.EVENT_WRITE if event & ~READABLE else 0) | (
            selectors.EVENT_READ if event & ~WRITABLE else 0
        )
        if events & key.events:
            ready.append((key, events & key.events))


def _number(fileobj: FileDescriptorLike) -> int:
    return fileobj if isinstance(fileobj, int) else fileobj.fileno()
