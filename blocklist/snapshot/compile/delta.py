"""Compile only what changed since a base was compiled whole; the base's sections are copied byte for byte.

A key is *touched* if its group may have changed: if a listing or an override of the key began or ended, or one of a URL
rule that marks the key. Everything that a touched key has now is compiled into a second index, the delta, and readers
ignore what the base has of it. The prefilter is the base's with the touched hosts added.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, BinaryIO

from blocklist.domain.errors import SnapshotError
from blocklist.domain.listing import RuleKind
from blocklist.domain.verdict import Override, Policy
from blocklist.normalize.url_rules import same_site_hosts
from blocklist.snapshot.compile.compiler import Compiler, FeedSource, as_json, rule_key, url_markers
from blocklist.snapshot.format.index import DELTA_PREFIX, INDEX_SECTIONS, Group
from blocklist.snapshot.format.layout import KEYS, META, PREFILTER, Flag, host_keys, value_of
from blocklist.snapshot.format.prefilter import PASS_ALL
from blocklist.snapshot.format.section_writer import GroupBuilder, IndexWriter, write_sections
from blocklist.snapshot.reader import Snapshot, same_policies

#: A base of fewer rules is compiled whole: that takes as little time.
MIN_RULES = 50_000
#: One in so many rules of the base may change before everything is compiled whole.
_MAX_CHANGED_SHARE = 10


class DeltaCompiler(Compiler):
    """Collects the touched keys, then writes a snapshot of the base and of them.

    The order of calls: :meth:`touch`, :meth:`add_listings` with the listings of :attr:`values` and :attr:`url_hosts`,
    :meth:`add_overrides`, :meth:`is_complete`, :meth:`write`.
    """

    def __init__(self, feeds: dict[int, FeedSource], policies: Iterable[Policy], previous: Snapshot) -> None:
        """Begin with no key touched. If ``previous`` is a delta itself, its base is the base of this one too.

        :raises KeyError: ``previous`` has a feed that is not in ``feeds``.
        """
        super().__init__(feeds, policies)
        self._previous, self._base = previous, previous.meta["base"]
        for key in previous.meta["source_keys"]:
            self._source(*key)
        #: The base's group of each touched key; None if the base does not have the key.
        self._touched: dict[bytes, Group | None] = {}
        #: All listings of these values, except URL rules, are to be added. Sorted, since the bytes depend on the order.
        self.values: list[str] = []
        #: All listings of URL rules on these hosts are to be added. Sorted as well.
        self.url_hosts: list[str] = []

    def has_same_sources(self) -> bool:
        """Return whether the sources have the names and count under the policies as when the base was compiled."""
        return bool(self._source_table == self._previous.meta["sources"])

    def touch(self, rules: Iterable[tuple[str, str]], overrides: Iterable[Override]) -> None:
        """Touch the keys of rules, given as kind and value, and of overrides; set what listings are to be added.

        ``rules`` are those of which a listing changed since the base; ``overrides`` are all in force. The overrides of
        the base are touched too: one of them may have ended.
        """
        in_force = [(override.rule.kind.value, override.rule.value) for override in overrides]
        touched: set[bytes] = set()
        marked_hosts: set[bytes] = set()
        values, url_hosts = set(), set()
        for kind, value in [*rules, *in_force, *self._base["overrides"]]:
            key = rule_key(RuleKind(kind), value)
            touched.add(key)
            if kind != RuleKind.URL.value:
                # An app's other forms of version 0.2 and before are found by is_complete, which counts.
                values |= {value, value_of(key)}
            else:
                markers = url_markers(value)
                marked_hosts.update(markers.hosts)
                touched.update(markers.hosts if markers.path is None else [*markers.hosts, markers.path])
        for key in sorted(touched):
            in_base = self._touched[key] = self._previous.base.get(key)
            if key in marked_hosts or (in_base is not None and in_base.flags & Flag.URLS):
                host = value_of(key)
                values.add(host)
                # URL rules on these hosts mark this host's key. In a URL, an IPv6 address stands in brackets.
                url_hosts |= {f"[{host}]"} if ":" in host else set(same_site_hosts(host))
        self.values, self.url_hosts = sorted(values), sorted(url_hosts)

    def is_complete(self, listings: int) -> bool:
        """Return whether base and delta together have exactly this number of listings, and the prefilter can be kept.

        A wrong number means that a change was not reported. The prefilter cannot be kept if a touched host covers
        hosts with other last labels than its own: one of a single label, or a wide suffix.
        """
        self._sort_details()
        self._single = {key: self._single[key] for key in self._touched if key in self._single}
        self._groups = {key: self._groups[key] for key in self._touched if key in self._groups}
        prefilter = self._previous.prefilter
        if prefilter.bits != PASS_ALL.bits:
            wide = set(prefilter.wide_names())
            hosts = map(value_of, host_keys((*self._single, *self._groups)))
            if any("." not in host or host in wide for host in hosts):
                return False
        for key, in_base in self._touched.items():
            if in_base is not None and key not in self._single:
                # An empty group hides what the base has.
                self._groups.setdefault(key, GroupBuilder())
        return bool(self._counts()["listings"] == listings)

    def write(self, out: BinaryIO, version: int, built_at: str, contents: int) -> str:
        """Write the snapshot and return its SHA-256 in hexadecimal; see :meth:`.Compiler.write`."""
        index = IndexWriter(self._single, self._groups, self._detail_masks)
        self._parameters = max(self._parameters, self._previous.max_parameters)
        meta = self._meta(version, built_at, contents)
        meta |= {name: self._previous.meta[name] for name in ("base", "group_bits", "wide")}
        meta["slashes"] = max(self._slashes, self._previous.meta["slashes"])
        meta["changed"] = {"group_bits": index.group_bits, "keys": len(index.keys)}
        delta = {**index.sections(), **self._text_sections()}
        sections = {
            META: as_json(meta),
            PREFILTER: self._previous.prefilter.with_hosts(map(value_of, host_keys(index.keys))).bits,
            **{name: self._previous.sections[name] for name in INDEX_SECTIONS},
            **{DELTA_PREFIX + name: data for name, data in delta.items()},
        }
        return write_sections(out, version, sections)

    def _counts(self) -> dict[str, Any]:
        """Return the numbers of rules and listings: the base's, less those of its touched keys, plus the delta's."""
        counts = super()._counts()
        hidden = [len(group.details) for group in self._touched.values() if group]
        counts["rules"] += self._base["rules"] - sum(map(bool, hidden))
        counts["listings"] += self._base["listings"] - sum(hidden)
        return counts


def start_delta(previous: Snapshot, feeds: dict[int, FeedSource], policies: tuple[Policy, ...]) -> DeltaCompiler | None:
    """Return a compiler for what changed since the base of a snapshot; None if everything must be compiled whole.

    That is so if the base is small, was compiled for other policies, sources or keys, does not state how far the store
    was read, or is damaged.
    """
    if previous.meta["base"]["rules"] < MIN_RULES or previous.meta["base"]["mark"] is None:
        return None
    if previous.meta.get("keys") != KEYS or not same_policies(previous, policies):
        return None
    try:
        previous.verify()
        delta = DeltaCompiler(feeds, policies, previous)
    except (SnapshotError, KeyError):
        return None
    return delta if delta.has_same_sources() else None


def max_changed_rules(previous: Snapshot) -> int:
    """Return how many rules of a snapshot's base may change before everything is compiled whole."""
    rules: int = previous.meta["base"]["rules"]
    return rules // _MAX_CHANGED_SHARE
