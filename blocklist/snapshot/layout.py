"""The bytes of a snapshot file.

::

    header    magic, format, number of sections, version, CRC-32 of the section table
    table     a row per section: name, offset, length, CRC-32
    sections  each aligned to 8 bytes
    trailer   SHA-256 of everything before it

Sections: ``meta`` (JSON), ``trie`` (marisa-trie of all keys), ``group_of`` (key id to group, one, two or four bytes
each; empty when all keys share one group), ``groups`` (four 64-bit words a group, see :class:`Word`), ``starts`` and
``members`` (which details each group has), ``details`` (fixed records, :data:`DETAIL`), ``strings``.

Keys: a host reversed with a closing dot, so that ``prefixes`` gives every listed ancestor in one call; for the other
kinds a control character (no host holds one) and the value.

A change of anything here raises :data:`FORMAT`; a test pins the bytes of a small snapshot.
"""

from __future__ import annotations

import struct
from enum import IntEnum, IntFlag

from blocklist.vocabulary import Scope

MAGIC = b"BLKLSNAP"
FORMAT = 1
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

URL_KEY = "\x01"
IP_KEY = "\x02"
APP_KEY = "\x03"

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


def host_key(host: str) -> str:
    """Return the key of a host.

    >>> host_key("www.pirate.example")
    'elpmaxe.etarip.www.'
    """
    return host[::-1] + "."
