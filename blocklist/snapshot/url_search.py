"""Find the URL rules of a snapshot that cover a page."""

from __future__ import annotations

from typing import NamedTuple

from blocklist.domain.listing import RuleKind
from blocklist.domain.verdict import Target
from blocklist.normalize.url_rules import covering_paths, same_site_hosts
from blocklist.snapshot.format.index import Group, Index
from blocklist.snapshot.format.layout import key_of, value_of
from blocklist.snapshot.format.stacked_index import StackedIndex


class Hit(NamedTuple):
    """A key that covers the target: its group, its value, and whether the target is below it rather than equal."""

    group: Group
    value: str
    above: bool


class UrlSearch:
    """Searches an index for URL rules. It asks for each path that a covering rule could have."""

    def __init__(self, index: Index | StackedIndex, max_slashes: int, max_parameters: int) -> None:
        """``max_slashes`` and ``max_parameters``: the most that a rule's path, and one of its segments, has."""
        self._index, self._max_slashes, self._max_parameters = index, max_slashes, max_parameters

    def hits(self, target: Target, path: str) -> list[Hit]:
        """Return the URL keys that cover a target: its path and each path above it, with and without a query."""
        hits: list[Hit] = []
        get, has_prefix = self._index.get, self._index.has_prefix
        on_hosts = [key_of(RuleKind.URL, host) for host in same_site_hosts(target.host)]

        def is_beginning(above: str) -> bool:
            return any(has_prefix(on_host + above.encode()) for on_host in on_hosts)

        for above in covering_paths(path, self._max_slashes, self._max_parameters, is_beginning):
            for on_host in on_hosts:
                key = on_host + above.encode()
                if target.params and get(key + b"?") is not None:
                    hits += self._query_hits(key + b"?", target.params)
                hits += self._exact(key)
        return hits

    def _query_hits(self, key: bytes, params: frozenset[str]) -> list[Hit]:
        """Return the keys that are ``key`` and a subset of the parameters, those with most parameters first."""
        hits: list[Hit] = []
        for param in sorted(params):
            hits += self._exact(key + param.encode())
            for found in self._index.keys_with_prefix(key + param.encode() + b"&"):
                if params.issuperset(found[len(key) :].decode().split("&")):
                    hits += self._exact(found)
        return sorted(hits, key=lambda hit: (-hit.value.count("&"), hit.value))

    def _exact(self, key: bytes) -> list[Hit]:
        group = self._index.get(key)
        return [] if group is None else [Hit(group, value_of(key), above=False)]
