"""Write the sections of an index from keys and their contents, and a snapshot file from sections."""

from __future__ import annotations

import hashlib
import zlib
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

import marisa_trie

from blocklist.snapshot.format import layout
from blocklist.snapshot.format.bit_packing import bits_for, filled, pack
from blocklist.snapshot.format.layout import Flag, GroupField

NO_FLAGS = Flag(0)


class DetailMasks(NamedTuple):
    """Bit masks of the policies that count a listing: for what its rule names, and for what is below it."""

    own: int
    below: int


@dataclass
class GroupBuilder:
    """A group while it is collected: numbers of its details and overrides, the mask of policies for URLs, flags."""

    details: tuple[int, ...] = ()
    overrides: tuple[int, ...] = ()
    urls: int = 0
    flags: Flag = NO_FLAGS

    def identity(self) -> tuple[object, ...]:
        """Return the fields: keys with equal ones share a group."""
        return (self.details, self.overrides, self.urls, self.flags)


class IndexWriter:
    """Keys with their groups, in the form that :class:`.index.Index` reads."""

    def __init__(
        self, single: Mapping[bytes, int], groups: Mapping[bytes, GroupBuilder], masks: Sequence[DetailMasks]
    ) -> None:
        """Number keys and groups.

        ``single`` has keys with one listing and nothing else, each with the number of its detail; ``groups`` has the
        other keys. ``masks`` has the policies that count each detail.
        """
        self._single, self._masks = single, masks
        self.keys = [*single, *groups]
        self.trie = marisa_trie.BinaryTrie(self.keys, cache_size=marisa_trie.HUGE_CACHE)
        self._numbers: dict[tuple[object, ...], int] = {}
        self._groups: list[GroupBuilder] = []
        self._group_of_detail = {
            detail: self._number(GroupBuilder((detail,))) for detail in dict.fromkeys(single.values())
        }
        self._group_of_key = {key: self._number(group) for key, group in groups.items()}
        self.group_bits = bits_for(len(self._groups))

    def sections(self) -> dict[str, bytes]:
        """Return the sections of keys and groups; ``details`` and ``strings`` come from the compiler."""
        fields, starts, members = self._group_sections()
        return {
            "trie": self.trie.tobytes(),
            "group_of": self._group_of(),
            "groups": fields.tobytes(),
            "starts": starts.tobytes(),
            "members": members.tobytes(),
        }

    def _number(self, group: GroupBuilder) -> int:
        number = self._numbers.setdefault(group.identity(), len(self._groups))
        if number == len(self._groups):
            self._groups.append(group)
        return number

    def _group_of(self) -> bytes:
        """Return the packed group number of each key id.

        The trie takes a microsecond to return an id, so keys of the commonest group are not looked up.
        """
        counts = Counter(self._single.values())
        commonest = self._group_of_detail[counts.most_common(1)[0][0]] if counts else 0
        group_of = filled(len(self.keys), self.group_bits, commonest)
        key_id = self.trie.key_id
        if len(counts) > 1:
            for key, detail in self._single.items():
                group = self._group_of_detail[detail]
                if group != commonest:
                    group_of[key_id(key)] = group
        for key, group in self._group_of_key.items():
            group_of[key_id(key)] = group
        return pack(group_of, self.group_bits)

    def _group_sections(self) -> tuple[array[int], array[int], array[int]]:
        fields = array("Q", bytes(8 * layout.GROUP_FIELDS * len(self._groups)))
        starts, members = array("I", [0]), array("I")
        for index, group in enumerate(self._groups):
            for detail in group.details:
                fields[index * layout.GROUP_FIELDS + GroupField.SELF] |= self._masks[detail].own
                fields[index * layout.GROUP_FIELDS + GroupField.BELOW] |= self._masks[detail].below
            fields[index * layout.GROUP_FIELDS + GroupField.URLS] = group.urls
            fields[index * layout.GROUP_FIELDS + GroupField.FLAGS] = int(group.flags)
            members.extend(group.details)
            members.extend(layout.OVERRIDE_MEMBER | override for override in group.overrides)
            starts.append(len(members))
        return fields, starts, members


def write_sections(out: BinaryIO, version: int, sections: Mapping[str, bytes | memoryview]) -> str:
    """Write a snapshot file of these sections; return its SHA-256 in hexadecimal, which is also its trailer."""
    digest = hashlib.sha256()
    offset = layout.HEADER.size + layout.SECTION.size * len(sections)
    table = bytearray()
    for name, data in sections.items():
        offset += -offset % layout.ALIGNMENT
        table += layout.SECTION.pack(name.encode(), offset, len(data), zlib.crc32(data))
        offset += len(data)
    written = 0
    header = layout.HEADER.pack(layout.MAGIC, layout.FORMAT, len(sections), version, zlib.crc32(bytes(table)))
    for data in (header, bytes(table), *sections.values()):
        padding = bytes(-written % layout.ALIGNMENT)
        for part in (padding, data):
            out.write(part)
            digest.update(part)
            written += len(part)
    out.write(digest.digest())
    return digest.hexdigest()
