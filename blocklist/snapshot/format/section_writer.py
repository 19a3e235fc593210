"""Keys and what each has, assembled into the sections of a layer; and sections into a file."""

from __future__ import annotations

import hashlib
import zlib
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import marisa_trie

from blocklist.snapshot.format.bit_packing import bits_for, packed, unpacked
from blocklist.snapshot.format.layout import (
    ALIGNMENT,
    FORMAT,
    HEADER,
    MAGIC,
    OVERRIDE_MEMBER,
    SECTION,
    WORDS,
    Flag,
    Word,
)

NO_FLAG = Flag(0)


@dataclass
class GroupBuilder:
    """What one key has, while it is being collected: indexes of details and of overrides, and of URLs below it."""

    details: tuple[int, ...] = ()
    overrides: tuple[int, ...] = ()
    urls: int = 0
    flags: Flag = NO_FLAG

    def key(self) -> tuple[object, ...]:
        """Return what makes two groups the same."""
        return (self.details, self.overrides, self.urls, self.flags)


class IndexWriter:
    """Keys with their groups, in the form that :class:`blocklist.snapshot.format.index.IndexWriter` reads."""

    def __init__(
        self, plain: Mapping[bytes, int], special: Mapping[bytes, GroupBuilder], masks: Sequence[tuple[int, int]]
    ) -> None:
        """Assemble keys that have one plain listing each, and others with all they have.

        ``masks`` has for each detail the policies that count it: for its key, and for what is below.
        """
        self._plain, self._special, self._masks = plain, special, masks
        self.keys = [*plain, *special]
        self.trie = marisa_trie.BinaryTrie(self.keys, cache_size=marisa_trie.HUGE_CACHE)
        self._numbers: dict[tuple[object, ...], int] = {}
        self._groups: list[GroupBuilder] = []
        self._plain_groups = {detail: self._number(GroupBuilder((detail,))) for detail in dict.fromkeys(plain.values())}
        self._special_groups = {key: self._number(group) for key, group in special.items()}
        self.group_bits = bits_for(len(self._groups))

    def sections(self) -> dict[str, bytes]:
        """Return the sections of the keys; those of details and their texts are of whoever collected them."""
        words, starts, members = self._group_sections()
        return {
            "trie": self.trie.tobytes(),
            "group_of": self._group_of(),
            "groups": words.tobytes(),
            "starts": starts.tobytes(),
            "members": members.tobytes(),
        }

    def _number(self, group: GroupBuilder) -> int:
        number = self._numbers.setdefault(group.key(), len(self._groups))
        if number == len(self._groups):
            self._groups.append(group)
        return number

    def _group_of(self) -> bytes:
        """Return the group of each key id. Asking the trie for an id costs a microsecond: the commonest go unasked."""
        counts = Counter(self._plain.values())
        commonest = self._plain_groups[counts.most_common(1)[0][0]] if counts else 0
        group_of = unpacked(len(self.keys), self.group_bits, commonest)
        key_id = self.trie.key_id
        if len(counts) > 1:
            for key, detail in self._plain.items():
                group = self._plain_groups[detail]
                if group != commonest:
                    group_of[key_id(key)] = group
        for key, group in self._special_groups.items():
            group_of[key_id(key)] = group
        return packed(group_of, self.group_bits)

    def _group_sections(self) -> tuple[array[int], array[int], array[int]]:
        words = array("Q", bytes(8 * WORDS * len(self._groups)))
        starts, members = array("I", [0]), array("I")
        for index, group in enumerate(self._groups):
            for detail in group.details:
                own, below = self._masks[detail]
                words[index * WORDS + Word.SELF] |= own
                words[index * WORDS + Word.BELOW] |= below
            words[index * WORDS + Word.URLS] = group.urls
            words[index * WORDS + Word.FLAGS] = int(group.flags)
            members.extend(group.details)
            members.extend(OVERRIDE_MEMBER | override for override in group.overrides)
            starts.append(len(members))
        return words, starts, members


def write_sections(out: BinaryIO, version: int, sections: Mapping[str, bytes | memoryview]) -> str:
    """Write a snapshot file of these sections; return its SHA-256."""
    digest = hashlib.sha256()
    offset = HEADER.size + SECTION.size * len(sections)
    table = bytearray()
    for name, data in sections.items():
        offset += -offset % ALIGNMENT
        table += SECTION.pack(name.encode(), offset, len(data), zlib.crc32(data))
        offset += len(data)
    written = 0
    header = HEADER.pack(MAGIC, FORMAT, len(sections), version, zlib.crc32(bytes(table)))
    for data in (header, bytes(table), *sections.values()):
        padded = bytes(-written % ALIGNMENT)
        for part in (padded, data):
            out.write(part)
            digest.update(part)
            written += len(part)
    out.write(digest.digest())
    return digest.hexdigest()
