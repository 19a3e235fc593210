"""What led to what lately: a memory of bounded size for what comes again."""

from __future__ import annotations

from typing import Generic, TypeVar

Key = TypeVar("Key", str, bytes)
Value = TypeVar("Value")

#: What Python needs to keep one item besides its bytes.
_OVERHEAD = 150


class Memory(Generic[Key, Value]):
    """Keeps items in two generations: when the young one is full, it becomes the old one and the one before is dropped.

    What is found in the old one moves up, so what is asked again stays. Not ``functools.lru_cache``: its calls cost
    twice as much, and whoever must be quicker still looks into :attr:`young` itself. Values are never None.
    """

    __slots__ = ("_longest", "_old", "_room", "_size", "young")

    def __init__(self, size: int, longest: int) -> None:
        """``size`` is about how many bytes a generation may take; keys above ``longest`` are not kept."""
        self._size, self._longest = size, longest
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.young: dict[Key, Value] = {}
        self._old: dict[Key, Value] = {}
        self._room = self._size

    def recall(self, key: Key) -> Value | None:
        """Return what belongs to a key that :attr:`young` does not have, if it is known all the same."""
        found = self._old.get(key)
        if found is not None:
            self.keep(key, found)
        return found

    def keep(self, key: Key, value: Value, size: int = 0) -> None:
        """Keep an item; ``size`` is what its value takes, if no other item shares it."""
        if len(key) > self._longest:
            return
        taken = len(key) + size + _OVERHEAD
        if taken > self._room:
            self.young, self._old, self._room = {}, self.young, self._size
        self._room -= taken
        self.young[key] = value

    def __len__(self) -> int:
        return len(self.young) + len(self._old)
