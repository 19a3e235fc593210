"""Two layers asked as one: a base, and above it the keys that changed since the base was compiled."""

from __future__ import annotations

from collections.abc import Iterator

from blocklist.snapshot.format.index import Group, Index


class StackedIndex:
    """What :class:`.layer.Index` answers, of two: what the upper one has of a key is all there is of it, or nothing.

    Groups are numbered through: first those of the base, then those above it.
    """

    #: Keys differ in their groups.
    grouped = True

    def __init__(self, base: Index, above: Index) -> None:
        self._base, self._above = base, above
        self._first = base.groups

    def prefixes(self, key: bytes) -> list[bytes]:
        """Return the keys that a key begins with, the shortest first."""
        found = self._base.prefixes(key)
        above = self._above.prefixes(key)
        return sorted({*found, *above}, key=len) if above else found

    def covering(self, key: str) -> list[tuple[int, int]]:
        """Return length and group of the keys that a key of ASCII begins with, the shortest first."""
        found = self._base.covering(key)
        above = self._above.covering(key)
        if not above:
            return found
        return sorted((dict(found) | {size: self._first + number for size, number in above}).items())

    def number(self, key: bytes) -> int:
        """Return the group of a key that is there."""
        if key in self._above.trie:
            return self._first + self._above.number(key)
        return self._base.number(key)

    def get(self, key: bytes) -> Group | None:
        """Return what a key has, or None where there is no such key."""
        return self._above.get(key) or self._base.get(key)

    def group(self, number: int) -> Group:
        """Return what the keys of a group have."""
        return self._base.group(number) if number < self._first else self._above.group(number - self._first)

    def beginning(self, prefix: bytes) -> Iterator[bytes]:
        """Yield the keys that begin so, in no order."""
        yield from {*self._base.beginning(prefix), *self._above.beginning(prefix)}
