"""Answering from a snapshot file: the reader an ad server embeds. It knows a snapshot only by its bytes."""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import marisa_trie

from blocklist.errors import NotFoundError, SnapshotError
from blocklist.normalize.hosts import parse_app, parse_target
from blocklist.snapshot.layout import (
    APP_KEY,
    DETAIL,
    FORMAT,
    HEADER,
    IP_KEY,
    MAGIC,
    OVERRIDE_MEMBER,
    SCOPES,
    SECTION,
    TRAILER_BYTES,
    URL_KEY,
    WORDS,
    Flag,
    Word,
    host_key,
)
from blocklist.vocabulary import OverrideAction, Policy, Scope, Target, Verdict, VerdictKind

_SECTIONS = frozenset({"meta", "trie", "group_of", "groups", "starts", "members", "details", "strings"})


class _Hit(NamedTuple):
    """A key that covers the target: its group, its value, and whether it reached the target from above."""

    group: int
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
        sections = _sections(path, self._data)
        meta = json.loads(bytes(sections["meta"]))
        self.version: int = meta["version"]
        self.built_at: str = meta["built_at"]
        self.contents: int = meta["contents"]
        self.rules: int = meta["rules"]
        self.listings: int = meta["listings"]
        self.policies: tuple[dict[str, Any], ...] = tuple(meta["policies"])
        self._bits = {policy["name"]: bit for bit, policy in enumerate(self.policies)}
        self._sources: list[dict[str, Any]] = meta["sources"]
        self._overrides: list[dict[str, Any]] = meta["overrides"]
        self._expiries = [_epoch(override["until"]) for override in self._overrides]
        self._slashes: int = meta["slashes"]
        self._trie = marisa_trie.Trie()
        try:
            self._trie.map(sections["trie"])
        except Exception as error:  # marisa throws C++ exceptions of several kinds at bytes that are not a trie
            raise SnapshotError(f"{path}: damaged: its index cannot be read: {error}") from None
        width = meta["group_bytes"]
        self._group_of = _numbers(sections["group_of"], width) if width else None
        self._words = sections["groups"].cast("Q")
        self._starts = sections["starts"].cast("I")
        self._members = sections["members"].cast("I")
        self._details = sections["details"]
        self._strings = sections["strings"]
        self._members_of = lru_cache(maxsize=65_536)(self._read_members)

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
        if hashlib.sha256(self._data[:-TRAILER_BYTES]).digest() != bytes(self._data[-TRAILER_BYTES:]):
            raise SnapshotError(f"{self.path}: damaged: it does not have the checksum that it ends with")

    def lookup(self, target: str, policy: str = "default", *, explain: bool = False) -> Verdict:
        """Return the verdict for a host or a URL; ``explain`` adds every listing that counts.

        :raises ValueError: why no browser could open the target.
        :raises NotFoundError: the snapshot has no such policy.
        """
        return self.decide(parse_target(target), policy, explain=explain)

    def lookup_app(self, app: str, policy: str = "default", *, explain: bool = False) -> Verdict:
        """Return the verdict for an app bundle or store id.

        :raises ValueError: why it is not one.
        :raises NotFoundError: the snapshot has no such policy.
        """
        return self.decide(parse_app(app), policy, explain=explain)

    def decide(self, target: Target, policy: str = "default", *, explain: bool = False) -> Verdict:
        """Return the verdict for a target that was read already.

        :raises NotFoundError: the snapshot has no such policy.
        """
        bit = self._bits.get(policy)
        if bit is None:
            known = ", ".join(self._bits)
            raise NotFoundError(f"there is no policy {policy!r}; the configuration names {known}")
        hits, own = self._hits(target)
        if any(self._word(hit.group, Word.FLAGS) & Flag.OVERRIDES for hit in hits):
            overridden = self._overridden(hits, explain)
            if overridden:
                blocked_below = own is not None and bool(self._word(own, Word.FLAGS) & Flag.URL_BLOCKS)
                partial = target.path is None and not overridden.listed and blocked_below
                return replace(overridden, partial=partial)
        counting = [hit for hit in hits if self._word(hit.group, Word.BELOW if hit.above else Word.SELF) >> bit & 1]
        if counting:
            verdict = self._listed(counting, bit, explain)
            if verdict:
                return verdict
        partial = target.path is None and own is not None and bool(self._word(own, Word.URLS) >> bit & 1)
        return Verdict(VerdictKind.NOT_LISTED, self.version, partial=partial)

    def _hits(self, target: Target) -> tuple[list[_Hit], int | None]:
        """Return the keys that cover a target, the most specific first, and the group of the target's own host."""
        if target.app is not None:
            return self._exact(APP_KEY + target.app), None
        hits: list[_Hit] = []
        own: int | None = None
        if target.ip is not None:
            hits = self._exact(IP_KEY + target.ip)
            own = hits[0].group if hits else None
        else:
            key = host_key(target.host)
            for found, id_ in self._trie.iter_prefixes_with_ids(key):
                above = len(found) < len(key)
                group = self._group(id_)
                hits.insert(0, _Hit(group, found[-2::-1], above))
                if not above:
                    own = group
        if own is not None and target.path is not None and self._word(own, Word.FLAGS) & Flag.URLS:
            hits = [*self._url_hits(target, target.path), *hits]
        return hits, own

    def _exact(self, key: str) -> list[_Hit]:
        id_ = self._trie.get(key)
        return [] if id_ is None else [_Hit(self._group(id_), key[1:], False)]

    def _url_hits(self, target: Target, path: str) -> list[_Hit]:
        """Return the URL keys that cover a target: its path and each above it, with each query that is part of its."""
        hits: list[_Hit] = []
        for prefix in _paths(path, self._slashes):
            key = f"{URL_KEY}{target.host}{prefix}"
            if target.params and key + "?" in self._trie:
                hits += self._query_hits(key + "?", target.params)
            hits += self._exact(key)
        return hits

    def _query_hits(self, key: str, params: frozenset[str]) -> list[_Hit]:
        hits: list[_Hit] = []
        for param in sorted(params):
            hits += self._exact(key + param)
            for found in self._trie.iterkeys(f"{key}{param}&"):
                if params.issuperset(found[len(key) :].split("&")):
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
        for member in self._members_of(hit.group):
            if not member & OVERRIDE_MEMBER:
                continue
            index = member ^ OVERRIDE_MEMBER
            if self._expiries[index] > now and (not hit.above or self._overrides[index]["scope"] == Scope.SUBTREE):
                found = index
        return found

    def _listed(self, hits: list[_Hit], bit: int, explain: bool) -> Verdict | None:
        """Return "listed" with everything that counts, unless the policy wants more authorities than there are."""
        counting = [(hit, detail) for hit in hits for detail in self._counting(hit, bit)]
        least = self.policies[bit]["min_authorities"]
        if least > 1 and len({self._sources[detail[0]]["authority"] for _, detail in counting}) < least:
            return None
        return Verdict(
            VerdictKind.LISTED,
            self.version,
            hits[0].value,
            SCOPES[counting[0][1][1]],
            tuple(sorted({self._sources[detail[0]]["feed"] for _, detail in counting})),
            listings=tuple(self._explained(hit.value, detail) for hit, detail in counting) if explain else (),
        )

    def _counting(self, hit: _Hit, bit: int) -> Iterator[tuple[int, ...]]:
        for member in self._members_of(hit.group):
            if member & OVERRIDE_MEMBER:
                continue
            detail = DETAIL.unpack_from(self._details, member * DETAIL.size)
            reaches = not hit.above or SCOPES[detail[1]] is Scope.SUBTREE
            if reaches and self._sources[detail[0]]["mask"] >> bit & 1:
                yield detail

    def _explained(self, value: str, detail: tuple[int, ...]) -> dict[str, Any]:
        source = self._sources[detail[0]]
        raw, reference, legal_basis, published_at, listed_from = map(self._string, detail[2:])
        return {
            "feed": source["feed"],
            "authority": source["authority"],
            "kind": source["kind"],
            "country": source["country"],
            "rule": value,
            "scope": SCOPES[detail[1]].value,
            "reference": reference,
            "legal_basis": legal_basis or source["legal_basis"],
            "published_at": published_at,
            "listed_from": listed_from,
            "appeal_contact": source["contact"],
            "entry": raw or value,
        }

    def _string(self, offset: int) -> str | None:
        if not offset:
            return None
        begins = offset + 4
        length = int.from_bytes(self._strings[offset:begins], "little")
        return bytes(self._strings[begins : begins + length]).decode("utf-8", "surrogatepass")

    def _read_members(self, group: int) -> tuple[int, ...]:
        return tuple(self._members[self._starts[group] : self._starts[group + 1]])

    def _group(self, id_: int) -> int:
        return self._group_of[id_] if self._group_of is not None else 0

    def _word(self, group: int, word: Word) -> int:
        return self._words[group * WORDS + word]


def _numbers(section: memoryview, width: int) -> memoryview[int]:
    """Return a section as unsigned numbers of so many bytes."""
    if width == 1:
        return section.cast("B")
    return section.cast("H") if width == 2 else section.cast("I")


def same_policies(snapshot: Snapshot, policies: Iterable[Policy]) -> bool:
    """Return whether a snapshot was compiled for exactly these policies."""
    wanted = [(p.name, list(p.kinds), list(p.countries), list(p.feeds), p.min_authorities) for p in policies]
    names = ("name", "kinds", "countries", "feeds", "min_authorities")
    return wanted == [tuple(policy[name] for name in names) for policy in snapshot.policies]


def _sections(path: Path, data: memoryview) -> dict[str, memoryview]:
    """Return the sections of a file after checking its header, its table and that it is whole."""
    if len(data) < HEADER.size + TRAILER_BYTES or bytes(data[:8]) != MAGIC:
        raise SnapshotError(f"{path}: not a snapshot")
    _, format_, count, _, checksum = HEADER.unpack_from(data)
    if format_ != FORMAT:
        raise SnapshotError(f"{path}: of format {format_}; this version reads format {FORMAT}: build it anew")
    table = data[HEADER.size : HEADER.size + count * SECTION.size]
    if len(table) < count * SECTION.size or zlib.crc32(table) != checksum:
        raise SnapshotError(f"{path}: damaged: its table of contents does not have its checksum")
    sections = {}
    for index in range(count):
        name, offset, length, checksum = SECTION.unpack_from(table, index * SECTION.size)
        if offset + length + TRAILER_BYTES > len(data):
            raise SnapshotError(f"{path}: cut off: it has {len(data):,} bytes, its contents say more")
        section = sections[name.rstrip(b"\0").decode()] = data[offset : offset + length]
        # The others are too large to be read whenever a file is opened; verify reads them.
        if name.startswith(b"meta") and zlib.crc32(section) != checksum:
            raise SnapshotError(f"{path}: damaged: its description does not have its checksum")
    if sections.keys() < _SECTIONS:
        raise SnapshotError(f"{path}: damaged: it lacks {', '.join(sorted(_SECTIONS - sections.keys()))}")
    return sections


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
