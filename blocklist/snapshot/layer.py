"""Keys and what is said of each: the part of a snapshot that a lookup walks through."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import marisa_trie

from blocklist.errors import SnapshotError
from blocklist.snapshot.layout import DETAIL, OVERRIDE_MEMBER, SCOPES, WORDS, Word
from blocklist.snapshot.packing import reading
from blocklist.vocabulary import Scope

#: The sections of a layer; those of the keys that changed since the base have a plus before their names.
SECTIONS = ("trie", "group_of", "groups", "starts", "members", "details", "strings")
CHANGED = "+"
#: Groups of which a reader remembers what they say.
_REMEMBERED = 65_536


class Detail(NamedTuple):
    """A listing: the index of its source, its scope, and where its texts are (see :meth:`Layer.texts`)."""

    source: int
    scope: Scope
    texts: tuple[int, ...]
    layer: Layer


class Group(NamedTuple):
    """What a key has: policies that list it, what is below it, URLs on it; flags; listings and overrides."""

    own: int
    below: int
    urls: int
    flags: int
    details: tuple[Detail, ...]
    overrides: tuple[int, ...]


class Layer:
    """A trie of keys, and the group of each."""

    def __init__(self, path: Path, sections: Mapping[str, memoryview], group_bits: int) -> None:
        """Take the sections of a layer.

        :raises SnapshotError: its index cannot be read.
        """
        self.trie = marisa_trie.BinaryTrie()
        # The same bytes read as text: only this class gives the ids with the keys, in one walk.
        text = marisa_trie.Trie()
        try:
            self.trie.map(sections["trie"])
            text.map(sections["trie"])
        except Exception as error:  # marisa throws C++ exceptions of several kinds at bytes that are not a trie
            raise SnapshotError(f"{path}: damaged: its index cannot be read: {error}") from None
        #: The keys that a key begins with, the shortest first; and those that begin with one, in no order.
        self.prefixes: Callable[[bytes], list[bytes]] = self.trie.prefixes
        self.beginning: Callable[[bytes], Iterator[bytes]] = self.trie.iterkeys
        self._with_ids: Callable[[str], Iterator[tuple[str, int]]] = text.iter_prefixes_with_ids
        #: Whether keys differ in their groups; if not, all have the group 0.
        self.grouped = group_bits > 0
        self._group_of = reading(sections["group_of"], group_bits)
        self._words = sections["groups"].cast("Q")
        self._starts = sections["starts"].cast("I")
        self._members = sections["members"].cast("I")
        self.groups = len(self._starts) - 1
        self._details, self._strings = sections["details"], sections["strings"]
        #: What the keys of a group have.
        self.group: Callable[[int], Group] = lru_cache(maxsize=_REMEMBERED)(self._read)

    def covering(self, key: str) -> list[tuple[int, int]]:
        """Return length and group of the keys that a key of ASCII begins with, the shortest first."""
        group_of = self._group_of
        return [(len(found), group_of(id_)) for found, id_ in self._with_ids(key)]

    def number(self, key: bytes) -> int:
        """Return the group of a key that is there."""
        return self._group_of(self.trie.key_id(key)) if self.grouped else 0

    def get(self, key: bytes) -> Group | None:
        """Return what a key has, or None where there is no such key."""
        id_ = self.trie.get(key)
        return None if id_ is None else self.group(self._group_of(id_))

    def texts(self, detail: Detail) -> tuple[str | None, ...]:
        """Return the texts of a listing: raw, reference, legal basis, published at, listed from."""
        return tuple(self._string(offset) if offset else None for offset in detail.texts)

    def _read(self, number: int) -> Group:
        details, overrides = [], []
        for member in self._members[self._starts[number] : self._starts[number + 1]]:
            if member & OVERRIDE_MEMBER:
                overrides.append(member ^ OVERRIDE_MEMBER)
            else:
                source, scope, *texts = DETAIL.unpack_from(self._details, member * DETAIL.size)
                details.append(Detail(source, SCOPES[scope], tuple(texts), self))
        words = self._words[number * WORDS : (number + 1) * WORDS]
        own, below, urls, flags = (words[word] for word in Word)
        return Group(own, below, urls, flags, tuple(details), tuple(overrides))

    def _string(self, offset: int) -> str:
        begins = offset + 4
        length = int.from_bytes(self._strings[offset:begins], "little")
        return bytes(self._strings[begins : begins + length]).decode("utf-8", "surrogatepass")
