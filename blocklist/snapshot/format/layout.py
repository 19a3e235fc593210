"""The bytes of a snapshot file.

::

    header    magic, format, number of sections, version, CRC-32 of the section table
    table     a row per section: name, offset, length, CRC-32
    sections  each aligned to 8 bytes
    trailer   SHA-256 of everything before it

Sections: ``meta`` (JSON), ``sieve`` (which hosts a key may cover, see :mod:`.sieve`), ``trie`` (marisa-trie of all
keys), ``group_of`` (key id to group, in as few bits as tell them apart, see :mod:`.packing`), ``groups`` (four 64-bit
words a group, see :class:`Word`), ``starts`` and ``members`` (which details each group has), ``details`` (fixed
records, :data:`DETAIL`), ``strings``.

Where keys changed since the rest was compiled, the sections from ``trie`` on are there once more for those keys, with a
plus before their names: all that there is of such a key is in them.

Keys are bytes: a host in UTF-8, reversed, with a closing dot, so that ``prefixes`` gives every listed ancestor in one
call; for the other kinds a control character (no host holds one) and the value.

A change of anything here raises :data:`FORMAT`; a test pins the bytes of a small snapshot.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from enum import IntEnum, IntFlag

from blocklist.domain.listing import RuleKind, Scope

MAGIC = b"BLKLSNAP"
FORMAT = 3
HEADER = struct.Struct("<8sIIQI4x")
SECTION = struct.Struct("<16sQQI4x")
TRAILER_BYTES = 32
ALIGNMENT = 8
#: Policies are bits of a 64-bit word.
MAX_POLICIES = 64

#: source, scope, raw, reference, legal basis, published at, listed from: the last five are offsets of strings, 0: none.
DETAIL = struct.Struct("<IIIIIII")
#: A member with this bit is the index of an override in ``meta``, without it the index of a detail.
OVERRIDE_MEMBER = 1 << 31

#: What the keys of a kind begin with; those of hosts with none of these.
KEY_MARKS = {RuleKind.URL: b"\x01", RuleKind.IP: b"\x02", RuleKind.APP: b"\x03"}
_FIRST_OF_HOST = 0x20

SCOPES = (Scope.SUBTREE, Scope.EXACT, Scope.PREFIX)


class Word(IntEnum):
    """The four words of a group: policies under which it lists its key, what is below it, URLs on it; and flags."""

    SELF = 0
    BELOW = 1
    URLS = 2
    FLAGS = 3


WORDS = len(Word)


class Flag(IntFlag):
    """What else a group says."""

    OVERRIDES = 1
    URLS = 2
    URL_BLOCKS = 4


def host_key(host: str) -> bytes:
    """Return the key of a host.

    >>> host_key("www.pirate.example")
    b'elpmaxe.etarip.www.'
    """
    return host.encode("utf-8", "surrogatepass")[::-1] + b"."


def key_of(kind: RuleKind, value: str) -> bytes:
    """Return the key of a rule's value."""
    mark = KEY_MARKS.get(kind)
    return host_key(value) if mark is None else mark + value.encode("utf-8", "surrogatepass")


def value_of(key: bytes) -> str:
    """Return the value of a rule whose key this is.

    >>> value_of(host_key("www.pirate.example"))
    'www.pirate.example'
    """
    value = key[-2::-1] if key[0] >= _FIRST_OF_HOST else key[1:]
    return value.decode("utf-8", "surrogatepass")


def hosts_among(keys: Iterable[bytes]) -> list[bytes]:
    """Return those of the keys that are of hosts."""
    return [key for key in keys if key[0] >= _FIRST_OF_HOST]
