"""Two indexes read as one: a base, and the delta of keys that changed since the base was compiled."""

from __future__ import annotations

from collections.abc import Iterator

from blocklist.snapshot.format.index import Group, Index


class StackedIndex:
    """Has the methods of :class:`.index.Index`. A key in the delta hides the same key of the base.

    Group numbers are the base's, then the delta's: the delta's group 0 has the number ``base.group_count``.
    """

    #: The delta has groups of its own.
    many_groups = True

    def __init__(self, base: Index, delta: Index) -> None:
        self._base, self._delta = base, delta
        self._first = base.group_count

    def prefixes(self, key: bytes) -> list[bytes]:
        base, delta = self._base.prefixes(key), self._delta.prefixes(key)
        return sorted({*base, *delta}, key=len) if delta else base

    def keys_with_prefix(self, prefix: bytes) -> Iterator[bytes]:
        yield from {*self._base.keys_with_prefix(prefix), *self._delta.keys_with_prefix(prefix)}

    def has_prefix(self, prefix: bytes) -> bool:
        return self._base.has_prefix(prefix) or self._delta.has_prefix(prefix)

    def covering(self, key: str) -> list[tuple[int, int]]:
        base, delta = self._base.covering(key), self._delta.covering(key)
        if not delta:
            return base
        return sorted((dict(base) | {length: self._first + number for length, number in delta}).items())

    def group_number(self, key: bytes) -> int:
        if key in self._delta.trie:
            return self._first + self._delta.group_number(key)
        return self._base.group_number(key)

    def get(self, key: bytes) -> Group | None:
        return self._delta.get(key) or self._base.get(key)

    def group(self, number: int) -> Group:
        return self._base.group(number) if number < self._first else self._delta.group(number - self._first)
