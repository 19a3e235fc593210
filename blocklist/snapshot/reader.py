"""Answering from a snapshot file: the reader an ad server embeds. It knows a snapshot only by its bytes."""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import marisa_trie

from blocklist.errors import NotFoundError, SnapshotError
from blocklist.normalize.hosts import parse_app, parse_target
from blocklist.normalize.plain import MAX_HOST, match_target, plain_host
from blocklist.snapshot.layout import (
    APP_KEY,
    DETAIL,
    IP_KEY,
    OVERRIDE_MEMBER,
    SCOPES,
    TRAILER_BYTES,
    URL_KEY,
    WORDS,
    Flag,
    Word,
    host_key,
)
from blocklist.snapshot.sections import numbers, sections_of
from blocklist.vocabulary import OverrideAction, Policy, Scope, Target, Verdict, VerdictKind

#: A module's name is found in half the time of an enumeration's member.
_LISTED = VerdictKind.LISTED
#: Bytes read at a time while a file is verified: a node answers requests in between.
_VERIFIED_BLOCK = 1 << 16


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
        sections = sections_of(path, self._data)
        meta = json.loads(bytes(sections["meta"]))
        self.version: int = meta["version"]
        self.built_at: str = meta["built_at"]
        self.contents: int = meta["contents"]
        self.rules: int = meta["rules"]
        self.listings: int = meta["listings"]
        self.policies: tuple[dict[str, Any], ...] = tuple(meta["policies"])
        self._bits = {policy["name"]: bit for bit, policy in enumerate(self.policies)}
        self._least: tuple[int, ...] = tuple(policy["min_authorities"] for policy in self.policies)
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
        self._group_of = numbers(sections["group_of"], width) if width else None
        self._words = sections["groups"].cast("Q")
        self._starts = sections["starts"].cast("I")
        self._members = sections["members"].cast("I")
        self._details = sections["details"]
        self._strings = sections["strings"]
        self._members_of = lru_cache(maxsize=65_536)(self._read_members)
        self._said = lru_cache(maxsize=65_536)(self._say)
        self._prefixes, self._key_id = self._trie.prefixes, self._trie.key_id
        #: The verdict on everything that no key covers: one object, so that a caller may compare by identity.
        self.not_listed = Verdict(VerdictKind.NOT_LISTED, self.version)

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
            # What is_plain asks, and judge_plain does: two calls are a tenth of the time.
            if len(host) <= MAX_HOST and "xn--" not in host:
                key = host[::-1] + "."
                found = self._prefixes(key)
                if not found and policy in self._bits:
                    return self.not_listed
                if not explain and (verdict := self._judge(key, found, policy)):
                    return verdict
        return self.decide(parse_target(target), policy, explain=explain)

    def lookup_host(self, target: str, policy: str = "default", *, explain: bool = False) -> Verdict:
        """Return the verdict for a host alone, whatever its path; ``partial`` says that URLs on it are listed.

        :raises ValueError: why no browser could open the target.
        :raises NotFoundError: the snapshot has no such policy.
        """
        if not explain and (host := plain_host(target)) and (verdict := self.judge_plain(host, policy)):
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

    def judge_plain(self, host: str, policy: str) -> Verdict | None:
        """Return the verdict for a host that is canonical as written, whatever the path behind it.

        None where the path, an override or a count of authorities could have a say, or where there is no such policy:
        :meth:`decide` knows. The way of most requests, and the shortest.
        """
        key = host[::-1] + "."
        found = self._prefixes(key)
        if not found and policy in self._bits:
            return self.not_listed
        return self._judge(key, found, policy)

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
        if any(self._word(hit.group, Word.FLAGS) & Flag.OVERRIDES for hit in hits):
            overridden = self._overridden(hits, explain)
            if overridden:
                blocked_below = own is not None and bool(self._word(own, Word.FLAGS) & Flag.URL_BLOCKS)
                partial = target.path is None and not overridden.listed and blocked_below
                return overridden._replace(partial=partial)
        counting = [hit for hit in hits if self._word(hit.group, Word.BELOW if hit.above else Word.SELF) >> bit & 1]
        if counting:
            verdict = self._listed(counting, bit, explain)
            if verdict:
                return verdict
        partial = target.path is None and own is not None and bool(self._word(own, Word.URLS) >> bit & 1)
        return self.not_listed._replace(partial=True) if partial else self.not_listed

    def _judge(self, key: str, found: list[str], policy: str) -> Verdict | None:
        """Return what the keys of a host alone decide; see :meth:`judge_plain`. ``found`` begins with the shortest."""
        bit = self._bits.get(policy)
        if bit is None or self._least[bit] > 1:
            return None
        rule, scope, length = None, None, len(key)
        feeds: tuple[str, ...] = ()
        for text in found:
            said = self._said(
                0 if self._group_of is None else self._group_of[self._key_id(text)], len(text) < length, bit
            )
            if said is None:
                return None
            if said:
                rule, (scope, named) = text, said
                feeds = tuple(sorted({*feeds, *named})) if feeds else named
        if rule is None:
            return self.not_listed
        return Verdict(_LISTED, self.version, rule[-2::-1], scope, feeds)

    def _say(self, group: int, above: bool, bit: int) -> tuple[Scope, tuple[str, ...]] | tuple[()] | None:
        """Return the scope and the feeds of the listings of a group that count, () if none does.

        None where its key has more to say than that: an override, or URLs on the very host.
        """
        flags = self._word(group, Word.FLAGS)
        if flags and (not above or flags & Flag.OVERRIDES):
            return None
        counting = list(self._counting(_Hit(group, "", above), bit))
        if not counting:
            return ()
        return SCOPES[counting[0][1]], tuple(sorted({self._sources[detail[0]]["feed"] for detail in counting}))

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
        least = self._least[bit]
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
