"""The bytes of a snapshot file: names, records and keys. All numbers are little-endian.

::

    header    magic, format, number of sections, version, CRC-32 of the section table
    table     a row for each section: name, offset, length, CRC-32
    sections  each aligned to 8 bytes
    trailer   SHA-256 of everything before it

================  ====================================================================================================
section           bytes
================  ====================================================================================================
``meta``          JSON in UTF-8: version, policies, sources, overrides, counts (written by :mod:`..compile.compiler`)
``sieve``         the bits of the prefilter, see :mod:`.prefilter`
``trie``          marisa-trie of all keys, which numbers them
``group_of``      for each key number its group number, packed in as few bits as possible, see :mod:`.bit_packing`
``groups``        four 64-bit numbers for each group, see :class:`GroupField`
``starts``        for each group and once more at the end: where its members begin, 32 bits
``members``       the details and overrides of all groups, 32 bits each, see :data:`OVERRIDE_MEMBER`
``details``       one :data:`DETAIL` record for each distinct wording of a listing
``strings``       the texts of details: length in 32 bits, then UTF-8
================  ====================================================================================================

In a snapshot that was compiled as a delta, the sections from ``trie`` on stand there twice: those of the base as they
were, and those of the keys that changed since, with ``+`` before their names. Such a key is read in the second alone.

Keys are bytes. A host is its UTF-8, reversed, with a closing dot: one walk through the trie finds every listed host at
or above it. The keys of other rules are a control character, which no host holds, and the value.

Any change of this layout raises :data:`FORMAT`; a test pins the bytes of a small snapshot.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from enum import IntEnum, IntFlag

from blocklist.domain.listing import RuleKind, Scope
from blocklist.normalize.url_rules import url_value_with_single_slashes

MAGIC = b"BLKLSNAP"
#: Readers of one format refuse every other one.
FORMAT = 3
#: How rules become keys, in ``meta``. To be raised when the same rule gives another key: then the control plane
#: compiles everything again, instead of adding changes to keys that no lookup finds. Readers read every one.
KEYS = 2
HEADER = struct.Struct("<8sIIQI4x")
SECTION = struct.Struct("<16sQQI4x")
TRAILER_BYTES = 32
ALIGNMENT = 8
META = "meta"
#: The section keeps the name that format 3 gave it.
PREFILTER = "sieve"
#: The most ``;parameters`` in a segment of a URL rule, unless ``meta`` has ``parameters``.
USUAL_PARAMETERS = 2
#: A policy is a bit in 64-bit masks.
MAX_POLICIES = 64

#: Source number, index in :data:`SCOPES`, and the offsets in ``strings`` of raw, reference, legal basis, published at
#: and listed from; the offset 0 stands for None.
DETAIL = struct.Struct("<IIIIIII")
#: A member with this bit is the number of an override in ``meta``, without it the number of a detail.
OVERRIDE_MEMBER = 1 << 31

#: First byte of the keys of each kind of rule; keys of hosts have none of them.
KEY_PREFIXES = {RuleKind.URL: b"\x01", RuleKind.IP: b"\x02", RuleKind.APP: b"\x03"}
_LOWEST_IN_HOST = 0x20

SCOPES = (Scope.SUBTREE, Scope.EXACT, Scope.PREFIX)


class GroupField(IntEnum):
    """The four 64-bit numbers of a group. The first three are masks of policies, the last is a :class:`Flag`."""

    #: Policies that list what the key names.
    SELF = 0
    #: Policies that list what is below the key's host.
    BELOW = 1
    #: Policies that list a URL on the key's host.
    URLS = 2
    FLAGS = 3


GROUP_FIELDS = len(GroupField)


class Flag(IntFlag):
    """What a group has besides listings: overrides, URL rules on its host, and overrides that block such a URL."""

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
    """Return the key of a rule's value. Paths in keys have single slashes, as those of targets have."""
    prefix = KEY_PREFIXES.get(kind)
    if kind is RuleKind.URL:
        value = url_value_with_single_slashes(value)
    return host_key(value) if prefix is None else prefix + value.encode("utf-8", "surrogatepass")


def value_of(key: bytes) -> str:
    """Return the rule value of a key.

    >>> value_of(host_key("www.pirate.example"))
    'www.pirate.example'
    """
    value = key[-2::-1] if key[0] >= _LOWEST_IN_HOST else key[1:]
    return value.decode("utf-8", "surrogatepass")


def host_keys(keys: Iterable[bytes]) -> list[bytes]:
    """Return the keys that are keys of hosts."""
    return [key for key in keys if key[0] >= _LOWEST_IN_HOST]
