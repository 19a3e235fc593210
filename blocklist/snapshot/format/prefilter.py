"""Asked before the trie: nine in ten hosts that ad servers ask for are on no site that any key is on.

A sieve is a row of bits. Each key of a host sets the one that the CRC-32 of its *site* chooses, so a host whose bit is
not set is covered by no key. One that passes by chance (a seventh of them) costs a walk through the trie, no more.

The site of a host is its last two labels. Where many keys share these (``co.uk``, a hosting platform), every host there
would pass: such suffixes are *wide*, and a host below one must pass with its last three labels too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Container, Iterable, Iterator
from itertools import islice
from zlib import crc32

#: Keys below a suffix that make it wide, and how many may be: readers keep them in a set.
WIDE_FROM, _MAX_WIDE = 32, 1_024
#: Bits a key: at this density a seventh of the other hosts pass by chance.
_BITS = 6
#: Suffixes counted at a time, and keys joined into one text: what these take of memory stays small.
MAX_COUNTED, MAX_JOINED = 200_000, 50_000
#: What lets every host pass.
OPEN = b"\xff"

#: Of keys, which are reversed, in a text with a space before each and one at the end.
_SITE = re.compile(rb" ([^.]++\.[^. ]++)\.").findall
_TWO_LABELS = re.compile(rb" ([^.]++\.[^. ]++)\.(?= )").findall
_THREE_LABELS = re.compile(rb" ([^.]++\.[^. ]++\.[^. ]++)\.").findall
_SUFFIX = re.compile(rb" ([^.]++\.[^. ]++\.)[^ ]").findall


def passes(sieve: memoryview | bytes, host: str, wide: Container[bytes]) -> bool:
    """Return whether a key may cover a host; if not, none does."""
    dot = host.rfind(".", 0, max(host.rfind("."), 0))
    site = host[dot + 1 :].encode("utf-8", "surrogatepass")
    return is_set(sieve, site) and (site not in wide or is_set(sieve, three_labels(host, dot)))


def three_labels(host: str, dot: int) -> bytes:
    """Return the last three labels of a host whose last two begin behind the dot at this place (-1: no dot)."""
    return host[host.rfind(".", 0, max(dot, 0)) + 1 :].encode("utf-8", "surrogatepass")


def is_set(sieve: memoryview | bytes, site: bytes) -> bool:
    """Return whether a site has its bit in a sieve."""
    hashed = crc32(site)
    return bool(sieve[hashed % len(sieve)] >> (hashed & 7) & 1)


def sieve_of(keys: Collection[bytes], known: Container[bytes]) -> tuple[bytes, list[str]]:
    """Return the sieve of the keys of hosts, and the wide suffixes; ``known`` has those keys too.

    >>> keys = {b"elpmaxe.etarip."}
    >>> sieve, wide = sieve_of(keys, keys)
    >>> passes(sieve, "www.pirate.example", wide), passes(sieve, "www.other.example", wide)
    (True, False)
    """
    wide = _wide_suffixes(keys, known)
    # Odd, since the byte and the bit are chosen by the same number.
    sieve = bytearray(len(keys) * _BITS // 8 | 1)
    _let_pass(sieve, (suffix[-2::-1] for suffix in wide))
    found = 0
    for sites in _sites(keys, frozenset(wide)):
        found += len(sites)
        _let_pass(sieve, b" ".join(sites)[::-1].split(b" ") if sites else ())
    if found < len(keys):  # a key of one label covers sites that no key names
        return OPEN, []
    return bytes(sieve), sorted(suffix[-2::-1].decode("utf-8", "surrogatepass") for suffix in wide)


def with_hosts(sieve: bytes, hosts: Iterable[str], wide: Container[str]) -> bytes:
    """Return a sieve that lets these hosts pass too, and what is below them."""
    bits = bytearray(sieve)
    sites = []
    for host in hosts:
        dot = host.rfind(".", 0, max(host.rfind("."), 0))
        site = host[dot + 1 :]
        sites.append(three_labels(host, dot) if site in wide else site.encode("utf-8", "surrogatepass"))
    _let_pass(bits, sites)
    return bytes(bits)


def _let_pass(sieve: bytearray, sites: Iterable[bytes]) -> None:
    size = len(sieve)
    for hashed in map(crc32, sites):
        sieve[hashed % size] |= 1 << (hashed & 7)


def _wide_suffixes(keys: Iterable[bytes], known: Container[bytes]) -> list[bytes]:
    counts: Counter[bytes] = Counter()
    for text in _joined(keys):
        counts.update(_SUFFIX(text))
        if len(counts) > MAX_COUNTED:
            counts = Counter({suffix: count for suffix, count in counts.items() if count > 1})
    wide = [suffix for suffix, count in counts.items() if count >= WIDE_FROM and suffix not in known]
    return sorted(wide, key=lambda suffix: (-counts[suffix], suffix))[:_MAX_WIDE]


def _sites(keys: Iterable[bytes], wide: Container[bytes]) -> Iterator[list[bytes]]:
    """Yield the reversed sites of keys, many at a time."""
    for text in _joined(keys):
        if not wide:
            yield _SITE(text)
            continue
        yield _TWO_LABELS(text)
        yield [
            long if long[: long.rindex(b".") + 1] in wide else long[: long.rindex(b".")] for long in _THREE_LABELS(text)
        ]


def _joined(keys: Iterable[bytes]) -> Iterator[bytes]:
    remaining = iter(keys)
    while some := list(islice(remaining, MAX_JOINED)):
        yield b" ".join((b"", *some, b""))
