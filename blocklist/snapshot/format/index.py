"""The index of a snapshot: a trie of keys, and for each key the group of listings and overrides that it has.

It reads the seven sections of :data:`INDEX_SECTIONS`; :mod:`.section_writer` writes them. Keys with the same contents
share a group, so a list of a million hosts from one feed has one group.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import marisa_trie

from blocklist.domain.errors import SnapshotError
from blocklist.domain.listing import Scope
from blocklist.snapshot.format.bit_packing import number_reader
from blocklist.snapshot.format.layout import DETAIL, GROUP_FIELDS, OVERRIDE_MEMBER, SCOPES, GroupField

#: The sections of one index.
INDEX_SECTIONS = ("trie", "group_of", "groups", "starts", "members", "details", "strings")
#: Put before the names of the sections that hold the keys that changed since the base was compiled.
DELTA_PREFIX = "+"
#: Groups that a reader keeps decoded.
_CACHED_GROUPS = 65_536


class DetailTexts(NamedTuple):
    """The texts of a listing; None where nothing is stated. ``raw`` None: published as its canonical value."""

    raw: str | None
    reference: str | None
    legal_basis: str | None
    published_at: str | None
    listed_from: str | None


class Detail(NamedTuple):
    """A listing: the number of its source in ``meta``, its scope, and the offsets of its texts in ``strings``."""

    source: int
    scope: Scope
    offsets: tuple[int, ...]
    strings: memoryview

    def texts(self) -> DetailTexts:
        """Return the texts, read from the file."""
        return DetailTexts(*(_string(self.strings, offset) if offset else None for offset in self.offsets))


class Group(NamedTuple):
    """What a key has. The first three are bit masks of policies, the fourth is a :class:`.layout.Flag`.

    ``own``: policies that list the key's host (or URL, address, app) itself. ``below``: those that list what is below
    it. ``urls``: those that list a URL on it. ``overrides`` are numbers of overrides in ``meta``.
    """

    own: int
    below: int
    urls: int
    flags: int
    details: tuple[Detail, ...]
    overrides: tuple[int, ...]


class Index:
    """A trie of keys, and the group of each key. Groups have numbers from 0."""

    def __init__(self, path: Path, sections: Mapping[str, memoryview], group_bits: int) -> None:
        """Map the sections of an index; ``group_bits`` is how many bits a group number takes in ``group_of``.

        :raises SnapshotError: the trie cannot be read.
        """
        self.trie = marisa_trie.BinaryTrie()
        # The same bytes mapped once more as text keys: only this class yields keys and their ids in one walk.
        text = marisa_trie.Trie()
        try:
            self.trie.map(sections["trie"])
            text.map(sections["trie"])
        except Exception as error:  # marisa throws C++ exceptions of several kinds at bytes that are not a trie
            raise SnapshotError(f"{path}: damaged: its index cannot be read: {error}") from None
        #: Return the stored keys that are a prefix of a key, the shortest first.
        self.prefixes: Callable[[bytes], list[bytes]] = self.trie.prefixes
        #: Yield the stored keys that begin with some bytes, in no order.
        self.keys_with_prefix: Callable[[bytes], Iterator[bytes]] = self.trie.iterkeys
        self._prefixes_with_ids: Callable[[str], Iterator[tuple[str, int]]] = text.iter_prefixes_with_ids
        #: False if every key has group 0: then group numbers need not be looked up.
        self.many_groups = group_bits > 0
        self._group_of = number_reader(sections["group_of"], group_bits)
        starts = sections["starts"].cast("I")
        self.group_count = len(starts) - 1
        #: Return the group of a number. The cached function has no reference back to the index: when a snapshot is
        #: replaced, its memory and its file are released at once and not by the garbage collector.
        self.group: Callable[[int], Group] = lru_cache(maxsize=_CACHED_GROUPS)(_group_reader(sections, starts))

    def covering(self, key: str) -> list[tuple[int, int]]:
        """Return (length, group number) of the stored keys that are a prefix of an ASCII key, the shortest first."""
        group_of = self._group_of
        return [(len(found), group_of(id_)) for found, id_ in self._prefixes_with_ids(key)]

    def has_prefix(self, prefix: bytes) -> bool:
        """Return whether a stored key begins with some bytes."""
        return any(True for _ in self.keys_with_prefix(prefix))

    def group_number(self, key: bytes) -> int:
        """Return the group number of a stored key."""
        return self._group_of(self.trie.key_id(key)) if self.many_groups else 0

    def get(self, key: bytes) -> Group | None:
        """Return the group of a key, or None if the key is not stored."""
        id_ = self.trie.get(key)
        return None if id_ is None else self.group(self._group_of(id_))


def _group_reader(sections: Mapping[str, memoryview], starts: memoryview) -> Callable[[int], Group]:
    fields, members = sections["groups"].cast("Q"), sections["members"].cast("I")
    records, strings = sections["details"], sections["strings"]

    def read(number: int) -> Group:
        details, overrides = [], []
        for member in members[starts[number] : starts[number + 1]]:
            if member & OVERRIDE_MEMBER:
                overrides.append(member ^ OVERRIDE_MEMBER)
            else:
                source, scope, *offsets = DETAIL.unpack_from(records, member * DETAIL.size)
                details.append(Detail(source, SCOPES[scope], tuple(offsets), strings))
        own, below, urls, flags = (fields[number * GROUP_FIELDS + field] for field in GroupField)
        return Group(own, below, urls, flags, tuple(details), tuple(overrides))

    return read


def _string(strings: memoryview, offset: int) -> str:
    begin = offset + 4
    length = int.from_bytes(strings[offset:begin], "little")
    return bytes(strings[begin : begin + length]).decode("utf-8", "surrogatepass")
