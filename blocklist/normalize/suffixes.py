"""Public suffixes: hosts under which anybody can register names, and which therefore must never be blocked.

tldextract decides, with the list in its package and without network. It takes about five microseconds for a host, so
sets of the names on the list are checked first, and tldextract only for a host that is on it or under a wildcard.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import chain

import tldextract

from blocklist.normalize.hosts import normalize_host

#: Top-level domains that never exist, for documentation and tests (RFC 2606, RFC 6761).
_RESERVED = frozenset({"example", "invalid", "test"})


def is_public_suffix(host: str) -> bool:
    """Return whether a canonical host is a public suffix, private ones (``blogspot.com``) included.

    A single label is one (the default rule ``*`` of the list). So is a name whose children are all suffixes
    (``kobe.jp``, because of the wildcard ``*.kobe.jp``): blocking it would block them all.

    >>> [is_public_suffix(host) for host in ("co.uk", "blogspot.com", "pirate.co.uk", "foo.ck", "www.ck")]
    [True, True, False, True, False]
    """
    parent = host.partition(".")[2]
    if not parent:
        return True
    names, wildcards = _names_and_wildcards()
    if host in wildcards:
        return True
    if host not in names and parent not in wildcards:
        return False
    extracted = _extract()(host)
    return bool(extracted.suffix) and not extracted.domain


def is_ordinary(host: str) -> bool:
    """Return True only for a canonical host that is no public suffix and has a known top-level domain: the quick check.

    >>> [is_ordinary(host) for host in ("pirate.com", "a.pirate.com", "co.uk", "pirate.exmaple")]
    [True, True, False, False]
    """
    names, wildcards = _names_and_wildcards()
    parent = host.partition(".")[2]
    if host in names or host in wildcards or parent in wildcards:
        return False
    return parent in names or host[host.rfind(".") + 1 :] in known_endings()


def hosts_to_check(hosts: Sequence[str]) -> list[int]:
    """Return the indexes of hosts that may be public suffixes or have an unknown top-level domain.

    The hosts are canonical and have a dot. :func:`is_public_suffix` is False and :func:`has_known_ending` True for all
    others.
    """
    names, wildcards = _names_and_wildcards()
    # Usually there are none: a few set operations find that for ten thousand hosts in a millisecond. Most parents are
    # on the list themselves, so they have a known top-level domain.
    parents = {host.partition(".")[2] for host in hosts}
    endings = known_endings()
    unknown = [parent for parent in parents if parent not in names and parent[parent.rfind(".") + 1 :] not in endings]
    if not unknown and names.isdisjoint(hosts) and wildcards.isdisjoint(hosts) and wildcards.isdisjoint(parents):
        return []
    return [
        index
        for index, host in enumerate(hosts)
        if host in names
        or host in wildcards
        or host.partition(".")[2] in wildcards
        or (unknown and not has_known_ending(host))
    ]


def has_known_ending(host: str) -> bool:
    """Return whether the last label of a canonical host is a top-level domain, or reserved for documentation and tests.

    >>> [has_known_ending(host) for host in ("pirate.com", "pirate.za", "pirate.example", "pirate.exmaple")]
    [True, True, True, False]
    """
    return host[host.rfind(".") + 1 :] in known_endings()


def is_top_level_domain(label: str) -> bool:
    """Return whether a single label is a top-level domain, as far as the list knows a suffix below it.

    >>> is_top_level_domain("com"), is_top_level_domain("localhost")
    (True, False)
    """
    return label in known_endings() and label not in _RESERVED


@cache
def known_endings() -> frozenset[str]:
    """Return the last labels of all suffixes on the list (``za`` is only in ``co.za``), and the reserved ones."""
    return frozenset(suffix.rpartition(".")[2] for suffix in chain(*_names_and_wildcards())) | _RESERVED


@cache
def _extract() -> tldextract.TLDExtract:
    return tldextract.TLDExtract(suffix_list_urls=(), include_psl_private_domains=True, cache_dir=None)


@cache
def _names_and_wildcards() -> tuple[frozenset[str], frozenset[str]]:
    """Return the names on the list and the parents of its wildcards, as canonical hosts."""
    names, wildcards = set(), set()
    for suffix in _extract().tlds:
        if suffix.startswith("*."):
            wildcards.add(normalize_host(suffix[2:]))
        elif not suffix.startswith("!"):
            names.add(normalize_host(suffix))
    return frozenset(names), frozenset(wildcards)
