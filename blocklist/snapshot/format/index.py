"""Keys and what is said of each: the part of a snapshot that a lookup walks through."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import marisa_trie

from blocklist.domain.errors import SnapshotError
from blocklist.domain.listing import Scope
from blocklist.snapshot.format.bit_packing import reading
from blocklist.snapshot.format.layout import DETAIL, OVERRIDE_MEMBER, SCOPES, WORDS, Word

#: The sections of a layer; those of the keys that changed since the base have a plus before their names.
SECTIONS = ("trie", "group_of", "groups", "starts", "members", "details", "strings")
CHANGED = "+"
#: Groups of which a reader remembers what they say.
_REMEMBERED = 65_536


class Detail(NamedTuple):
    """A listing: the index of its source, its scope, and where its texts are."""

    source: int
    scope: Scope
    places: tuple[int, ...]
    strings: memoryview

    def texts(self) -> tuple[str | None, ...]:
        """Return the texts: raw, reference, legal basis, published at, listed from."""
        return tuple(_string(self.strings, place) if place else None for place in self.places)


class Group(NamedTuple):
    """What a key has: policies that list it, what is below it, URLs on it; flags; listings and overrides."""

    own: int
    below: int
    urls: int
    flags: int
    details: tuple[Detail, ...]
    overrides: tuple[int, ...]


class Index:
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
        starts = sections["starts"].cast("I")
        self.groups = len(starts) - 1
        read = _group_reader(sections, starts)
        #: What the keys of a group have. Nothing of it refers back to the layer, so a snapshot that is replaced is gone
        #: at once, and its file with it, rather than when garbage is collected.
        self.group: Callable[[int], Group] = lru_cache(maxsize=_REMEMBERED)(read)

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


def _group_reader(sections: Mapping[str, memoryview], starts: memoryview) -> Callable[[int], Group]:
    words, members = sections["groups"].cast("Q"), sections["members"].cast("I")
    listings, strings = sections["details"], sections["strings"]

    def read(number: int) -> Group:
        details, overrides = [], []
        for member in members[starts[number] : starts[number + 1]]:
            if member & OVERRIDE_MEMBER:
                overrides.append(member ^ OVERRIDE_MEMBER)
            else:
                source, scope, *places = DETAIL.unpack_from(listings, member * DETAIL.size)
                details.append(Detail(source, SCOPES[scope], tuple(places), strings))
        own, below, urls, flags = (words[number * WORDS + word] for word in Word)
        return Group(own, below, urls, flags, tuple(details), tuple(overrides))

    return read


def _string(strings: memoryview, place: int) -> str:
    begins = place + 4
    length = int.from_bytes(strings[place:begins], "little")
    return bytes(strings[begins : begins + length]).decode("utf-8", "surrogatepass")
