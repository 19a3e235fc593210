"""What changed since a snapshot was compiled whole, compiled beside it: the rest is copied byte for byte.

A key is *touched* if anything that makes up its group may have changed: a listing or an override of it, or of a URL
that its host tells of. All that there is of a touched key now is compiled anew, into a layer above the base, and
nothing of it is read in the base any more. The sieve gets the sites of those keys too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, BinaryIO

from blocklist.domain.errors import SnapshotError
from blocklist.domain.listing import RuleKind
from blocklist.domain.verdict import Override, Policy
from blocklist.snapshot.compile.compiler import Compiler, FeedSource, as_json, marked_by
from blocklist.snapshot.format.index import CHANGED, SECTIONS, Group
from blocklist.snapshot.format.layout import Flag, hosts_among, key_of, value_of
from blocklist.snapshot.format.prefilter import OPEN, with_hosts
from blocklist.snapshot.format.section_writer import GroupBuilder, IndexWriter, write_sections
from blocklist.snapshot.reader import Snapshot, same_policies

#: Rules of a base from which on copying it is worth the while, and the share of them that may change: one in so many.
MIN_RULES, _SHARE = 50_000, 10


class DeltaCompiler(Compiler):
    """Collects what there is now of the keys that changed, then writes a snapshot that has the rest from another."""

    def __init__(self, feeds: dict[int, FeedSource], policies: Iterable[Policy], previous: Snapshot) -> None:
        """Begin with nothing changed; ``previous`` may have changed keys itself: they count from its base."""
        super().__init__(feeds, policies)
        self._previous, self._base = previous, previous.meta["base"]
        for key in previous.meta["source_keys"]:
            self._source(*key)
        #: What the base has of each key that was touched, None for nothing.
        self._touched: dict[bytes, Group | None] = {}
        #: Of which rules but URLs, and of URLs on which hosts, all listings are to be added; the bytes depend on their
        #: order.
        self.values: list[str] = []
        self.hosts: list[str] = []
        self._layer: tuple[dict[bytes, int], dict[bytes, GroupBuilder]] = ({}, {})

    def begins_as(self, previous: Snapshot) -> bool:
        """Return whether the sources of a snapshot are called, and count, as they did when it was compiled."""
        sources: list[dict[str, Any]] = previous.meta["sources"]
        return self._source_table == sources

    def touch(self, rules: Iterable[tuple[str, str]], overrides: Iterable[Override]) -> None:
        """Take note of the rules (kind and value) of which a listing changed, and of the overrides there are."""
        in_force = [(override.rule.kind.value, override.rule.value) for override in overrides]
        telling: set[bytes] = set()
        touched: set[bytes] = set()
        values, urls_on = set(), set()
        for kind, value in [*rules, *in_force, *self._base["overrides"]]:
            touched.add(key_of(RuleKind(kind), value))
            if kind != RuleKind.URL.value:
                values.add(value)
            else:
                hosts, path = marked_by(value)
                telling.update(hosts)
                touched.update(hosts if path is None else [*hosts, path])
        for key in sorted(touched):
            known = self._touched[key] = self._previous.base.get(key)
            if key in telling or (known is not None and known.flags & Flag.URLS):
                host = value_of(key)
                values.add(host)
                # The three hosts whose URLs a host tells of; an IPv6 address stands in brackets in URLs.
                urls_on |= {f"[{host}]"} if ":" in host else {host, "www." + host, host.removeprefix("www.")}
        self.values, self.hosts = sorted(values), sorted(urls_on)

    def complete(self, listings: int) -> bool:
        """Return whether the base with what was collected is everything that counts: so many listings.

        Not if a key reaches further than its site, by which the sieve knows it.
        """
        self._sort_details()
        plain = {key: self._plain[key] for key in self._touched if key in self._plain}
        special = {key: self._groups[key] for key in self._touched if key in self._groups}
        hosts = [value_of(key) for key in hosts_among((*plain, *special))]
        wide = set(self._previous.meta["wide"])
        if any("." not in host or host in wide for host in hosts) and self._previous.sections["sieve"] != OPEN:
            return False
        for key, known in self._touched.items():
            if known is not None and key not in plain and key not in special:
                special[key] = GroupBuilder()
        self._layer = plain, special
        return self._figures()["listings"] == listings

    def write(self, out: BinaryIO, version: int, built_at: str, contents: int) -> tuple[str, int]:
        """Write the snapshot; return its SHA-256 and the number of rules in it."""
        layer = IndexWriter(*self._layer, self._detail_masks)
        meta = self._meta(version, built_at, contents) | self._figures()
        meta |= {name: self._previous.meta[name] for name in ("base", "group_bits", "wide")}
        meta["slashes"] = max(self._slashes, self._previous.meta["slashes"])
        meta["changed"] = {"group_bits": layer.group_bits, "keys": len(layer.keys)}
        hosts = map(value_of, hosts_among(layer.keys))
        sieve = with_hosts(bytes(self._previous.sections["sieve"]), hosts, meta["wide"])
        sections = {
            "meta": as_json(meta),
            "sieve": sieve,
            **{name: self._previous.sections[name] for name in SECTIONS},
            **{CHANGED + name: data for name, data in {**layer.sections(), **self._texts()}.items()},
        }
        return write_sections(out, version, sections), meta["rules"]

    def _figures(self) -> dict[str, int]:
        """Return the number of rules and of listings: the base's, without what its touched keys had, and theirs now."""
        plain, special = self._layer
        before = [known for known in self._touched.values() if known]
        return {
            "rules": self._base["rules"]
            - sum(bool(known.details) for known in before)
            + len(plain)
            + sum(bool(group.details) for group in special.values()),
            "listings": self._base["listings"]
            - sum(len(known.details) for known in before)
            + len(plain)
            + sum(len(group.details) for group in special.values()),
        }


def start_delta(previous: Snapshot, feeds: dict[int, FeedSource], policies: tuple[Policy, ...]) -> DeltaCompiler | None:
    """Return an overlay on the base of a snapshot; None where that is not worth the while, or would not be the same.

    It would not be if the base was compiled under other policies or other names of feeds, or has been damaged since.
    """
    if previous.meta["base"]["rules"] < MIN_RULES or previous.meta["base"]["mark"] is None:
        return None
    if not same_policies(previous, policies):
        return None
    try:
        previous.verify()
        delta = DeltaCompiler(feeds, policies, previous)
    except (SnapshotError, KeyError):
        return None
    return delta if delta.begins_as(previous) else None


def max_changed_rules(previous: Snapshot) -> int:
    """Return how many rules of a snapshot's base may change before it is compiled whole."""
    rules: int = previous.meta["base"]["rules"]
    return rules // _SHARE
