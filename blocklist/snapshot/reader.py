"""Answering from a snapshot file: the reader an ad server embeds. It knows a snapshot only by its bytes."""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from blocklist.domain.errors import NotFoundError, SnapshotError
from blocklist.domain.listing import RuleKind, Scope
from blocklist.domain.verdict import OverrideAction, Policy, Target, Verdict, VerdictKind
from blocklist.normalize.canonical_host import MAX_HOST, canonical_host_in, match_target
from blocklist.normalize.hosts import parse_app, parse_target
from blocklist.snapshot.format.container import sections_of
from blocklist.snapshot.format.index import CHANGED, SECTIONS, Detail, Group, Index
from blocklist.snapshot.format.layout import TRAILER_BYTES, Flag, host_key, key_of, value_of
from blocklist.snapshot.format.prefilter import passes
from blocklist.snapshot.format.stacked_index import StackedIndex
from blocklist.snapshot.host_fast_path import GroupVerdicts, HostDecider, SourceTable, host_decider

#: Bytes read at a time while a file is verified: a node answers requests in between.
_VERIFIED_BLOCK = 1 << 16


class _Hit(NamedTuple):
    """A key that covers the target: what it has, its value, and whether it reached the target from above."""

    group: Group
    value: str
    above: bool


class Snapshot:
    """One immutable snapshot, mapped into memory; any number of threads may ask it at once.

    It pickles to its path, so that a pool of processes can share one mapping.
    """

    def __init__(self, path: Path, data: mmap.mmap | bytes) -> None:
        """Read the bytes of a snapshot; :meth:`open` maps them from a file.

        :raises SnapshotError: they are damaged, cut off, or of another format.
        """
        self.path = path
        self._data = memoryview(data)
        #: What the file is made of, for whoever compiles the next one.
        self.sections = sections = sections_of(path, self._data)
        self.meta: dict[str, Any] = json.loads(bytes(sections["meta"]))
        meta = self.meta
        self.version: int = meta["version"]
        self.built_at: str = meta["built_at"]
        self.contents: int = meta["contents"]
        self.rules: int = meta["rules"]
        self.listings: int = meta["listings"]
        #: The version that was compiled whole, and how many keys changed since: none if it is this one.
        self.base_version: int = meta["base"]["version"]
        self.changed_keys: int = meta["changed"]["keys"] if meta["changed"] else 0
        self.policies: tuple[dict[str, Any], ...] = tuple(meta["policies"])
        self._bits = {policy["name"]: bit for bit, policy in enumerate(self.policies)}
        self._least: tuple[int, ...] = tuple(policy["min_authorities"] for policy in self.policies)
        self._sources = SourceTable(meta["sources"])
        self._overrides: list[dict[str, Any]] = meta["overrides"]
        self._expiries = [_epoch(override["until"]) for override in self._overrides]
        self._slashes: int = meta["slashes"]
        self._sieve = sections["sieve"]
        self._wide = frozenset(suffix.encode() for suffix in meta["wide"])
        self.base = Index(path, sections, meta["group_bits"])
        self._index: Index | StackedIndex = self.base
        if meta["changed"]:
            changed = {name: sections[CHANGED + name] for name in SECTIONS}
            self._index = StackedIndex(self.base, Index(path, changed, meta["changed"]["group_bits"]))
        self._prefixes = self._index.prefixes
        #: The verdict on everything that no key covers: one object, so that a caller may compare by identity.
        self.not_listed = Verdict(VerdictKind.NOT_LISTED, self.version)
        plain = [policy["name"] for policy in self.policies if policy["min_authorities"] == 1]
        keys = GroupVerdicts(self._index, self._sources, self._bits, plain, self.not_listed)
        self._decide_host: HostDecider = host_decider(
            keys, self._index, self._sieve, self._wide, self._bits, self.not_listed
        )

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Snapshot:
        """Map a snapshot file. The whole file is not read: :meth:`verify` does that.

        :raises SnapshotError: it is missing, damaged, cut off, or of another format.
        """
        path = Path(path)
        try:
            with path.open("rb") as file:
                data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise SnapshotError(f"{path}: not a snapshot that can be opened: {error}") from None
        return cls(path, data)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Snapshot.open, (str(self.path),))

    def verify(self) -> None:
        """Read the whole file and compare it with its checksum.

        :raises SnapshotError: it differs.
        """
        for _ in self.verifying():
            pass

    def verifying(self) -> Iterator[None]:
        """Do what :meth:`verify` does, a little at each step.

        :raises SnapshotError: at the last step, the file differs from its checksum.
        """
        end = len(self._data) - TRAILER_BYTES
        digest = hashlib.sha256()
        for start in range(0, end, _VERIFIED_BLOCK):
            digest.update(self._data[start : min(start + _VERIFIED_BLOCK, end)])
            yield
        if digest.digest() != bytes(self._data[end:]):
            raise SnapshotError(f"{self.path}: damaged: it does not have the checksum that it ends with")

    def lookup(self, target: str, policy: str = "default", *, explain: bool = False) -> Verdict:
        """Return the verdict for a host or a URL; ``explain`` adds every listing that counts.

        :raises ValueError: why no browser could open the target.
        :raises NotFoundError: the snapshot has no such policy.
        """
        match = match_target(target)
        if match is not None:
            host = match[1]
            # The check of is_canonical, inlined: it saves a call.
            if len(host) <= MAX_HOST and "xn--" not in host:
                raw = host.encode()
                verdict = self._decide_host(host, raw, raw[match.start(2) - match.end(1) :], policy)
                if verdict is not None and (not explain or verdict is self.not_listed):
                    return verdict
        return self.decide(parse_target(target), policy, explain=explain)

    def lookup_host(self, target: str, policy: str = "default", *, explain: bool = False) -> Verdict:
        """Return the verdict for a host alone, whatever its path; ``partial`` says that URLs on it are listed.

        :raises ValueError: why no browser could open the target.
        :raises NotFoundError: the snapshot has no such policy.
        """
        if not explain and (host := canonical_host_in(target)) and (verdict := self.decide_host(host, policy)):
            return verdict
        return self.decide(parse_target(target).site, policy, explain=explain)

    def lookup_batch(self, targets: Iterable[str], policy: str = "default") -> list[Verdict]:
        """Return the verdict for each host or URL, in order; ``unknown`` for what no browser could open.

        :raises NotFoundError: the snapshot has no such policy.
        """
        self.bit_of(policy)
        verdicts = []
        for target in targets:
            try:
                verdicts.append(self.lookup(target, policy))
            except ValueError:
                verdicts.append(Verdict(VerdictKind.UNKNOWN, self.version))
        return verdicts

    def lookup_app(self, app: str, policy: str = "default", *, explain: bool = False) -> Verdict:
        """Return the verdict for an app bundle or store id.

        :raises ValueError: why it is not one.
        :raises NotFoundError: the snapshot has no such policy.
        """
        return self.decide(parse_app(app), policy, explain=explain)

    def decide_host(self, host: str, policy: str) -> Verdict | None:
        """Return the verdict for a host that is canonical as written, whatever the path behind it.

        None where the path, an override or a count of authorities could have a say, or where there is no such policy:
        :meth:`decide` knows. The way of most requests, and the shortest.
        """
        raw = host.encode()
        return self._decide_host(host, raw, raw[host.rfind(".", 0, host.rfind(".")) + 1 :], policy)

    def overrides_expired(self, moment: float) -> int:
        """Return how many overrides have expired by a moment (Unix time): answers change when the number does."""
        return sum(expiry <= moment for expiry in self._expiries)

    def bit_of(self, policy: str) -> int:
        """Return the number of a policy, its bit in the masks.

        :raises NotFoundError: the snapshot has no such policy.
        """
        bit = self._bits.get(policy)
        if bit is None:
            known = ", ".join(self._bits)
            raise NotFoundError(f"there is no policy {policy!r}; the configuration names {known}")
        return bit

    def decide(self, target: Target, policy: str = "default", *, explain: bool = False) -> Verdict:
        """Return the verdict for a target that was read already.

        :raises NotFoundError: the snapshot has no such policy.
        """
        bit = self.bit_of(policy)
        hits, own = self._hits(target)
        if any(hit.group.flags & Flag.OVERRIDES for hit in hits):
            overridden = self._overridden(hits, explain)
            if overridden:
                blocked_below = own is not None and bool(own.flags & Flag.URL_BLOCKS)
                partial = target.path is None and not overridden.listed and blocked_below
                return overridden._replace(partial=partial)
        counting = [hit for hit in hits if (hit.group.below if hit.above else hit.group.own) >> bit & 1]
        if counting:
            verdict = self._listed(counting, bit, explain)
            if verdict:
                return verdict
        partial = target.path is None and own is not None and bool(own.urls >> bit & 1)
        return self.not_listed._replace(partial=True) if partial else self.not_listed

    def _hits(self, target: Target) -> tuple[list[_Hit], Group | None]:
        """Return the keys that cover a target, the most specific first, and what the target's own host has."""
        if target.app is not None:
            return self._exact(key_of(RuleKind.APP, target.app)), None
        hits: list[_Hit] = []
        own: Group | None = None
        if target.ip is not None:
            hits = self._exact(key_of(RuleKind.IP, target.ip))
            own = hits[0].group if hits else None
        else:
            key = host_key(target.host)
            if passes(self._sieve, target.host, self._wide):
                for found in self._prefixes(key):
                    above = len(found) < len(key)
                    group = self._index.group(self._index.number(found))
                    hits.insert(0, _Hit(group, value_of(found), above))
                    if not above:
                        own = group
        if own is not None and target.path is not None and own.flags & Flag.URLS:
            hits = [*self._url_hits(target, target.path), *hits]
        return hits, own

    def _exact(self, key: bytes) -> list[_Hit]:
        group = self._index.get(key)
        return [] if group is None else [_Hit(group, value_of(key), False)]

    def _url_hits(self, target: Target, path: str) -> list[_Hit]:
        """Return the URL keys that cover a target: its path and each above it, with each query that is part of its."""
        hits: list[_Hit] = []
        for prefix in _paths(path, self._slashes):
            key = key_of(RuleKind.URL, target.host + prefix)
            if target.params and self._index.get(key + b"?") is not None:
                hits += self._query_hits(key + b"?", target.params)
            hits += self._exact(key)
        return hits

    def _query_hits(self, key: bytes, params: frozenset[str]) -> list[_Hit]:
        hits: list[_Hit] = []
        for param in sorted(params):
            hits += self._exact(key + param.encode())
            for found in self._index.beginning(key + param.encode() + b"&"):
                if params.issuperset(found[len(key) :].decode().split("&")):
                    hits += self._exact(found)
        return sorted(hits, key=lambda hit: (-hit.value.count("&"), hit.value))

    def _overridden(self, hits: list[_Hit], explain: bool) -> Verdict | None:
        """Return the word of the most specific override in force, if there is one."""
        for hit in hits:
            index = self._override_in(hit)
            if index is None:
                continue
            override = self._overrides[index]
            action = OverrideAction(override["action"])
            kind = VerdictKind.LISTED if action is OverrideAction.BLOCK else VerdictKind.NOT_LISTED
            said = ({"override": override},) if explain else ()
            return Verdict(kind, self.version, hit.value, Scope(override["scope"]), override=action, listings=said)
        return None

    def _override_in(self, hit: _Hit) -> int | None:
        now, found = time.time(), None
        for index in hit.group.overrides:
            if self._expiries[index] > now and (not hit.above or self._overrides[index]["scope"] == Scope.SUBTREE):
                found = index
        return found

    def _listed(self, hits: list[_Hit], bit: int, explain: bool) -> Verdict | None:
        """Return "listed" with everything that counts, unless the policy wants more authorities than there are."""
        counting = [(hit, detail) for hit in hits for detail in self._sources.counting(hit.group, bit, above=hit.above)]
        least = self._least[bit]
        if least > 1 and len({self._sources[detail.source]["authority"] for _, detail in counting}) < least:
            return None
        return Verdict(
            VerdictKind.LISTED,
            self.version,
            hits[0].value,
            counting[0][1].scope,
            self._sources.feeds(detail for _, detail in counting),
            listings=tuple(self._explained(hit.value, detail) for hit, detail in counting) if explain else (),
        )

    def _explained(self, value: str, detail: Detail) -> dict[str, Any]:
        source = self._sources[detail.source]
        raw, reference, legal_basis, published_at, listed_from = detail.texts()
        return {
            "feed": source["feed"],
            "authority": source["authority"],
            "kind": source["kind"],
            "country": source["country"],
            "rule": value,
            "scope": detail.scope.value,
            "reference": reference,
            "legal_basis": legal_basis or source["legal_basis"],
            "published_at": published_at,
            "listed_from": listed_from,
            "appeal_contact": source["contact"],
            "entry": raw or value,
        }


def same_policies(snapshot: Snapshot, policies: Iterable[Policy]) -> bool:
    """Return whether a snapshot was compiled for exactly these policies."""
    wanted = [(p.name, list(p.kinds), list(p.countries), list(p.feeds), p.min_authorities) for p in policies]
    names = ("name", "kinds", "countries", "feeds", "min_authorities")
    return wanted == [tuple(policy[name] for name in names) for policy in snapshot.policies]


def _paths(path: str, slashes: int) -> Iterator[str]:
    """Yield a path and each path above it, the longest first, of at most so many slashes.

    >>> list(_paths("/a/b", 9))
    ['/a/b', '/a/', '/a', '/']
    """
    if path.count("/") > slashes:
        path = "/" + "/".join(path.split("/")[1 : slashes + 1]) + "/"
    while True:
        yield path
        if path == "/":
            return
        path = path[:-1] if path.endswith("/") else path[: path.rindex("/") + 1]


def _epoch(moment: str | None) -> float:
    return datetime.fromisoformat(moment).timestamp() if moment else float("inf")
