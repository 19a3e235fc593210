"""What led to what lately: a memory of bounded size for what comes again."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", str, bytes)
Value = TypeVar("Value")

#: What Python needs to keep one item besides its bytes: the header of a key, and its place in a table.
OVERHEAD = 90
#: How much is dropped at a time, as a share of all: so much that it is seldom, so little that nobody waits.
_SHARE = 16
#: Places for marks of what came once, a power of two, and how many are taken before all are wiped off.
_MARKS, _MARKED = 1 << 16, 1 << 15


class SecondHitCache(Generic[Key, Value]):
    """Keeps items, and drops those that it has had the longest when there is no room for more.

    What comes for the first time leaves a mark and is kept when it comes again: to keep what never returns takes as
    long as to judge it, and pushes out what does. Two items may share a mark: then one is kept at once. What is dropped
    has its mark and is back as soon as it comes again, so nothing has to note what is asked most. Neither
    ``functools.lru_cache``, of which a call costs twice as much, nor two generations, of which one is dropped when the
    other is full: what comes round again and fills more than one of them would be gone every time.

    Whoever must be quick looks into :attr:`items` itself. Values are never None. :attr:`taken` is the number of bytes
    that all items take, :data:`OVERHEAD` of each included.
    """

    __slots__ = ("_lock", "_longest", "_marked", "_marks", "_own", "_size", "_size_of", "items", "taken")

    def __init__(self, size: int, longest: int, size_of: Callable[[Value], int] = lambda _: 0,
                 own: Callable[[Key], Key] = lambda key: key) -> None:  # fmt: skip
        """``size`` is about how many bytes all may take; keys above ``longest`` are not kept.

        ``size_of`` tells the bytes that a value takes, if no other item shares it. ``own`` makes of a key one to keep.
        """
        self._size = size
        self._longest = longest
        self._size_of = size_of
        self._own: Callable[[Key], Key] = own
        self._marks = bytearray(_MARKS)
        self._marked = 0
        self._lock = Lock()
        self.clear()

    def clear(self) -> None:
        """Forget everything but the marks."""
        with self._lock:
            self.items: dict[Key, Value] = {}
            self.taken = 0

    def keep(self, key: Key, value: Value) -> None:
        """Keep an item if it came before."""
        place = hash(key) & _MARKS - 1
        if not self._marks[place]:
            if self._marked == _MARKED:
                self._marks, self._marked = bytearray(_MARKS), 0
            self._marks[place] = 1
            self._marked += 1
        elif len(key) <= self._longest:
            with self._lock:  # the threads of a control plane share one
                if key not in self.items:
                    self.items[self._own(key)] = value
                    self.taken += self._bytes(key, value)
                    if self.taken > self._size:
                        self._drop()

    def _drop(self) -> None:
        """Make room: a dict has its items in the order in which they came."""
        items = self.items
        for key in list(islice(items, len(items) // _SHARE + 1)):
            self.taken -= self._bytes(key, items.pop(key))

    def _bytes(self, key: Key, value: Value) -> int:
        return len(key) + self._size_of(value) + OVERHEAD
