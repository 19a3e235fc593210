"""What led to what lately: a memory of bounded size for what comes again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key", str, bytes)
Value = TypeVar("Value")

#: What Python needs to keep one item besides its bytes.
_OVERHEAD = 150
#: Places for marks of what came once, a power of two, and how many are taken before all are wiped off.
_MARKS, _MARKED = 1 << 16, 1 << 15


class Memory(Generic[Key, Value]):
    """Keeps items in two generations: when the young one is full, it becomes the old one and the one before is dropped.

    What is found in the old one moves up, so what is asked again stays. What comes for the first time leaves a mark and
    is kept when it comes again: to keep what never returns takes as long as to judge it, and pushes out what does. Two
    items may share a mark: then one is kept at once. Not ``functools.lru_cache``: its calls cost twice as much, and
    whoever must be quicker still looks into :attr:`young` itself. Values are never None.
    """

    __slots__ = ("_longest", "_marked", "_marks", "_old", "_room", "_size", "_size_of", "young")

    def __init__(self, size: int, longest: int, size_of: Callable[[Value], int] = lambda _: 0) -> None:
        """``size`` is about how many bytes a generation may take; keys above ``longest`` are not kept.

        ``size_of`` tells the bytes that a value takes, if no other item shares it.
        """
        self._size = size
        self._longest = longest
        self._size_of = size_of
        self._marks = bytearray(_MARKS)
        self._marked = 0
        self.clear()

    def clear(self) -> None:
        """Forget everything but the marks."""
        self.young: dict[Key, Value] = {}
        self._old: dict[Key, Value] = {}
        self._room = self._size

    def recall(self, key: Key) -> Value | None:
        """Return what belongs to a key that :attr:`young` does not have, if it is known all the same."""
        found = self._old.get(key)
        if found is not None:
            self._put(key, found)
        return found

    def keep(self, key: Key, value: Value) -> None:
        """Keep an item if it came before."""
        place = hash(key) & _MARKS - 1
        if not self._marks[place]:
            if self._marked == _MARKED:
                self._marks, self._marked = bytearray(_MARKS), 0
            self._marks[place] = 1
            self._marked += 1
        elif len(key) <= self._longest:
            self._put(key, value)

    def _put(self, key: Key, value: Value) -> None:
        taken = len(key) + self._size_of(value) + _OVERHEAD
        if taken > self._room:
            self.young, self._old, self._room = {}, self.young, self._size
        self._room -= taken
        self.young[key] = value

    def __len__(self) -> int:
        return len(self.young) + len(self._old)
