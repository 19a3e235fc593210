"""A cache of bounded size for what is asked again and again."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", str, bytes)
Value = TypeVar("Value")

#: Bytes that Python needs for an item besides the text of its key: the object's header, and its entry in a dict.
OVERHEAD = 90
#: When the cache is full, one sixteenth is evicted at a time: rarely enough, and not so much that a request waits.
_EVICTED_SHARE = 16
#: Size of the table of keys seen once (a power of two), and how many it holds before it is cleared.
_TABLE_SIZE, _MAX_SEEN = 1 << 16, 1 << 15


class SecondHitCache(Generic[Key, Value]):
    """Caches an item the second time it is offered, and evicts the oldest items when it is full.

    A key offered for the first time is only marked as seen: to store and evict an item that never returns would cost as
    much as to judge it, and would evict items that do return. Keys share marks by their hash, so a few are stored at
    once. An evicted key keeps its mark and is stored again at its next use, so no statistics of use are needed.

    Rejected: ``functools.lru_cache``, whose call costs twice as much; and two generations of which the older is dropped
    when the newer is full, which lose keys that return in a cycle larger than one generation.

    Where speed counts, callers read :attr:`items` directly. Values are never None. :attr:`taken` is the number of bytes
    of all items, with :data:`OVERHEAD` for each.
    """

    __slots__ = ("_copy_key", "_lock", "_max_key", "_max_size", "_seen", "_seen_count", "_size_of", "items", "taken")

    def __init__(self, max_size: int, max_key: int, size_of: Callable[[Value], int] = lambda _: 0,
                 copy_key: Callable[[Key], Key] = lambda key: key) -> None:  # fmt: skip
        """``max_size`` is in bytes for all items; keys longer than ``max_key`` are not cached.

        ``size_of`` returns the bytes of a value, 0 for one that items share. ``copy_key`` returns the key to store.
        """
        self._max_size = max_size
        self._max_key = max_key
        self._size_of = size_of
        self._copy_key: Callable[[Key], Key] = copy_key
        self._seen = bytearray(_TABLE_SIZE)
        self._seen_count = 0
        self._lock = Lock()
        self.clear()

    def clear(self) -> None:
        """Remove all items; keys stay marked as seen."""
        with self._lock:
            self.items: dict[Key, Value] = {}
            self.taken = 0

    def offer(self, key: Key, value: Value) -> None:
        """Store an item if its key was seen before."""
        slot = hash(key) & _TABLE_SIZE - 1
        if not self._seen[slot]:
            if self._seen_count == _MAX_SEEN:
                self._seen, self._seen_count = bytearray(_TABLE_SIZE), 0
            self._seen[slot] = 1
            self._seen_count += 1
        elif len(key) <= self._max_key:
            with self._lock:  # threads of the control plane share a cache
                if key not in self.items:
                    self.items[self._copy_key(key)] = value
                    self.taken += self._bytes(key, value)
                    if self.taken > self._max_size:
                        self._evict()

    def _evict(self) -> None:
        """Remove the oldest items: a dict keeps them in the order of insertion."""
        items = self.items
        for key in list(islice(items, len(items) // _EVICTED_SHARE + 1)):
            self.taken -= self._bytes(key, items.pop(key))

    def _bytes(self, key: Key, value: Value) -> int:
        return len(key) + self._size_of(value) + OVERHEAD
