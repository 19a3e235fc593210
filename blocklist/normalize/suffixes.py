"""Public suffixes: hosts under which anybody can register names, and which therefore must never be blocked.

tldextract decides, with the list in its package and without network. It takes about five microseconds for a host, so
sets of the names on the list are checked first, and tldextract only for a host that is on it or under a wildcard.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import tldextract

from blocklist.normalize.hosts import normalize_host


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


def possible_public_suffixes(hosts: Sequence[str]) -> list[int]:
    """Return the indexes of hosts that may be public suffixes: check these with :func:`is_public_suffix`.

    The hosts are canonical and have a dot. None of the other hosts is a public suffix.
    """
    names, wildcards = _names_and_wildcards()
    # Usually none is: three set operations find that for ten thousand hosts in a millisecond.
    parents = {host.partition(".")[2] for host in hosts}
    if names.isdisjoint(hosts) and wildcards.isdisjoint(hosts) and wildcards.isdisjoint(parents):
        return []
    return [
        index
        for index, host in enumerate(hosts)
        if host in names or host in wildcards or host.partition(".")[2] in wildcards
    ]


def is_top_level_domain(label: str) -> bool:
    """Return whether a single label is a top-level domain on the list.

    >>> is_top_level_domain("com"), is_top_level_domain("localhost")
    (True, False)
    """
    names, wildcards = _names_and_wildcards()
    return label in names or label in wildcards


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
