"""A bit filter in front of the trie: nine in ten hosts that ad servers ask for have no listed host at or above them.

It owns two parts of a snapshot file: the bytes of the section ``sieve`` (the filter's bits) and ``wide`` in ``meta``.
It works like a Bloom filter with one hash function. Each key of a host sets the bit that the CRC-32 of the key's last
two labels chooses. A host whose bit is not set is covered by no key, and the lookup ends. A host that passes by chance
(one in seven) costs a walk through the trie and nothing else.

Where many keys share their last two labels (``co.uk``, a hosting platform), every host below these would pass. Such
suffixes are *wide*: below them, the last three labels choose the bit, and a host must pass with both.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Container, Iterable, Iterator
from itertools import islice
from typing import NamedTuple
from zlib import crc32

#: A suffix is wide from this many keys below it; at most so many suffixes are, since readers keep them in a set.
WIDE_FROM, _MAX_WIDE = 32, 1_024
#: Bits for each key: at this density one in seven of the hosts that no key covers passes by chance.
_BITS_PER_KEY = 6
#: Bits for each host that a reader lets pass besides: one in a hundred of the other hosts passes because of them.
_BITS_OF_PASSING = 100
#: Suffixes counted at a time, and keys joined into one text: both bound the memory that building takes.
MAX_COUNTED, MAX_JOINED = 200_000, 50_000

#: These search keys, which are reversed hosts, in a text with a space before each key and one at the end.
_LAST_TWO = re.compile(rb" ([^.]++\.[^. ]++)\.").findall
_EXACTLY_TWO = re.compile(rb" ([^.]++\.[^. ]++)\.(?= )").findall
_LAST_THREE = re.compile(rb" ([^.]++\.[^. ]++\.[^. ]++)\.").findall
_SUFFIX = re.compile(rb" ([^.]++\.[^. ]++\.)[^ ]").findall


class Prefilter(NamedTuple):
    """The filter: ``bits``, eight to a byte, and ``wide``, the suffixes below which three labels choose the bit."""

    bits: bytes | memoryview
    wide: frozenset[bytes]

    def may_cover(self, host: str) -> bool:
        """Return False if no key covers a host; True if one may."""
        last_two, dot = _last_two_labels(host)
        if not has_bit(self.bits, last_two):
            return False
        return last_two not in self.wide or has_bit(self.bits, last_three_labels(host, dot))

    def wide_names(self) -> list[str]:
        """Return the wide suffixes as text, sorted."""
        return sorted(suffix.decode("utf-8", "surrogatepass") for suffix in self.wide)

    def with_hosts(self, hosts: Iterable[str]) -> Prefilter:
        """Return a filter that also lets these hosts pass, and every host below them."""
        bits = bytearray(self.bits)
        for host in hosts:
            last_two, dot = _last_two_labels(host)
            _set_bits(bits, [last_three_labels(host, dot) if last_two in self.wide else last_two])
        return Prefilter(bytes(bits), self.wide)

    def with_passing(self, hosts: Collection[PassingHost]) -> Prefilter:
        """Return a filter in memory that also lets these hosts pass; it costs as little where it lets none pass.

        The bits of a small snapshot are repeated until the added ones fill a hundredth of them at most. Suffixes that
        are among the hosts are no longer wide: below them, the third label can be any.
        """
        if self.bits == PASS_ALL.bits:
            return self
        times = max(1, len(hosts) * _BITS_OF_PASSING // 8 // len(self.bits))
        # An odd number of times an odd size is odd, and every hash finds the bit that it found before.
        bits = bytearray(bytes(self.bits) * (times | 1))
        wide = self.wide - {host.last_two for host in hosts if host.three is None}
        size = len(bits)
        for last_two, two, three in hosts:
            hashed = two if three is None or last_two not in wide else three
            bits[hashed % size] |= 1 << (hashed & 7)
        return Prefilter(bytes(bits), wide)


class PassingHost(NamedTuple):
    """A host that a filter shall let pass with all below it: its last two labels, and the CRC-32 of its labels.

    ``three`` is that of its last three labels; None if it has only two.
    """

    last_two: bytes
    two: int
    three: int | None


def passing_host(host: str) -> PassingHost:
    """Return a host for :meth:`Prefilter.with_passing`."""
    labels = host.encode().split(b".")
    last_two = b".".join(labels[-2:])
    three = crc32(b".".join(labels[-3:])) if len(labels) > 2 else None
    return PassingHost(last_two, crc32(last_two), three)


#: The filter that lets every host pass.
PASS_ALL = Prefilter(b"\xff", frozenset())


def has_bit(bits: bytes | memoryview, labels: bytes) -> bool:
    """Return whether the bit that these last labels of a host choose is set."""
    hashed = crc32(labels)
    return bool(bits[hashed % len(bits)] >> (hashed & 7) & 1)


def last_three_labels(host: str, dot: int) -> bytes:
    """Return the last three labels of a host; ``dot`` is the index of the dot before the last two (-1: none)."""
    return host[host.rfind(".", 0, max(dot, 0)) + 1 :].encode("utf-8", "surrogatepass")


def build_prefilter(keys: Collection[bytes], known: Container[bytes]) -> Prefilter:
    """Return the filter for keys of hosts. ``known`` holds at least these keys: a suffix in it is never wide.

    >>> keys = {b"elpmaxe.etarip."}
    >>> prefilter = build_prefilter(keys, keys)
    >>> prefilter.may_cover("www.pirate.example"), prefilter.may_cover("www.other.example")
    (True, False)
    """
    wide = _wide_suffixes(keys, known)
    # An odd size: the same hash chooses the byte (modulo the size) and the bit (modulo 8).
    bits = bytearray(len(keys) * _BITS_PER_KEY // 8 | 1)
    suffixes = [suffix[-2::-1] for suffix in wide]
    _set_bits(bits, suffixes)
    covered = 0
    for labels in _labels_of_keys(keys, frozenset(wide)):
        covered += len(labels)
        _set_bits(bits, b" ".join(labels)[::-1].split(b" ") if labels else ())
    if covered < len(keys):
        # A key of one label, such as a top-level domain, covers hosts whose last two labels are in no key.
        return PASS_ALL
    return Prefilter(bytes(bits), frozenset(suffixes))


def _last_two_labels(host: str) -> tuple[bytes, int]:
    """Return the last two labels of a host, and the index of the dot before them (-1: none)."""
    dot = host.rfind(".", 0, max(host.rfind("."), 0))
    return host[dot + 1 :].encode("utf-8", "surrogatepass"), dot


def _set_bits(bits: bytearray, all_labels: Iterable[bytes]) -> None:
    size = len(bits)
    for hashed in map(crc32, all_labels):
        bits[hashed % size] |= 1 << (hashed & 7)


def _wide_suffixes(keys: Iterable[bytes], known: Container[bytes]) -> list[bytes]:
    """Return the wide suffixes, reversed as keys are, those with the most keys first."""
    counts: Counter[bytes] = Counter()
    for text in _joined(keys):
        counts.update(_SUFFIX(text))
        if len(counts) > MAX_COUNTED:
            counts = Counter({suffix: count for suffix, count in counts.items() if count > 1})
    wide = [suffix for suffix, count in counts.items() if count >= WIDE_FROM and suffix not in known]
    return sorted(wide, key=lambda suffix: (-counts[suffix], suffix))[:_MAX_WIDE]


def _labels_of_keys(keys: Iterable[bytes], wide: Container[bytes]) -> Iterator[list[bytes]]:
    """Yield the labels that choose the bit of each key, reversed as keys are, many at a time."""
    for text in _joined(keys):
        if not wide:
            yield _LAST_TWO(text)
            continue
        yield _EXACTLY_TWO(text)
        yield [
            three if three[: three.rindex(b".") + 1] in wide else three[: three.rindex(b".")]
            for three in _LAST_THREE(text)
        ]


def _joined(keys: Iterable[bytes]) -> Iterator[bytes]:
    remaining = iter(keys)
    while some := list(islice(remaining, MAX_JOINED)):
        yield b" ".join((b"", *some, b""))
