"""Look targets up in a snapshot file. An ad server can embed this: it needs no database and no network.

:mod:`.host_fast_path` decides most lookups; :meth:`Snapshot.decide` decides any, and both agree.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from blocklist.domain.errors import SnapshotError, UnknownPolicyError
from blocklist.domain.listing import RuleKind, Scope
from blocklist.domain.verdict import OverrideAction, Policy, Target, Verdict, VerdictKind
from blocklist.normalize.candidates import Candidates, app_candidates, domain_candidates, page_candidates
from blocklist.normalize.canonical_host import MAX_HOST, canonical_host_in, match_target
from blocklist.normalize.no_site import NoSiteError, why_no_site
from blocklist.snapshot.format.container import read_sections
from blocklist.snapshot.format.index import DELTA_PREFIX, INDEX_SECTIONS, Detail, Group, Index
from blocklist.snapshot.format.layout import (
    META,
    PREFILTER,
    TRAILER_BYTES,
    USUAL_PARAMETERS,
    Flag,
    host_key,
    key_of,
    value_of,
)
from blocklist.snapshot.format.prefilter import Prefilter
from blocklist.snapshot.format.stacked_index import StackedIndex
from blocklist.snapshot.host_fast_path import GroupTails, HostDecider, SourceTable, host_decider
from blocklist.snapshot.judging import judge
from blocklist.snapshot.url_search import Hit, UrlSearch

#: Bytes verified in one step; a node answers requests between two steps.
_VERIFY_BYTES = 1 << 16


class Snapshot:
    """One immutable snapshot, mapped into memory. Any number of threads may use it at once.

    It pickles as its path, so that a pool of processes shares one mapping of the file.
    """

    def __init__(self, path: Path, data: mmap.mmap | bytes) -> None:
        """Read a snapshot from its bytes; use :meth:`open` for a file.

        :raises SnapshotError: the bytes are damaged, cut off, or have another format.
        """
        self.path = path
        self._data = memoryview(data)
        #: The sections of the file by name, and the decoded section ``meta``: a delta copies from both.
        self.sections = sections = read_sections(path, self._data)
        self.meta: dict[str, Any] = json.loads(bytes(sections[META]))
        meta = self.meta
        self.version: int = meta["version"]
        self.built_at: str = meta["built_at"]
        self.contents: int = meta["contents"]
        self.rules: int = meta["rules"]
        self.listings: int = meta["listings"]
        #: The version of the base, and how many keys the delta has: 0 if this snapshot was compiled whole.
        self.base_version: int = meta["base"]["version"]
        self.changed_keys: int = meta["changed"]["keys"] if meta["changed"] else 0
        self.policies: tuple[dict[str, Any], ...] = tuple(meta["policies"])
        self._bits = {policy["name"]: bit for bit, policy in enumerate(self.policies)}
        self._min_authorities: tuple[int, ...] = tuple(policy["min_authorities"] for policy in self.policies)
        self._sources = SourceTable(meta["sources"])
        self._overrides: list[dict[str, Any]] = meta["overrides"]
        self._expiries = [_epoch(override["until"]) for override in self._overrides]
        #: The most ``;parameters`` that a segment of a URL rule has.
        self.max_parameters: int = meta.get("parameters", USUAL_PARAMETERS)
        self.prefilter = Prefilter(sections[PREFILTER], frozenset(suffix.encode() for suffix in meta["wide"]))
        self.base = Index(path, sections, meta["group_bits"])
        self._index: Index | StackedIndex = self.base
        if meta["changed"]:
            delta = {name: sections[DELTA_PREFIX + name] for name in INDEX_SECTIONS}
            self._index = StackedIndex(self.base, Index(path, delta, meta["changed"]["group_bits"]))
        self._prefixes = self._index.prefixes
        self._url_search = UrlSearch(self._index, meta["slashes"], self.max_parameters)
        #: The verdict for every target that no key covers. It is one object, so that callers can compare with ``is``.
        self.not_listed = Verdict(VerdictKind.NOT_LISTED, self.version)
        one_authority = [policy["name"] for policy in self.policies if policy["min_authorities"] == 1]
        tails = GroupTails(self._index, self._sources, self._bits, one_authority, self.not_listed)
        self._decide_host: HostDecider = host_decider(tails, self._index, self.prefilter, self._bits, self.not_listed)

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, verify: bool = True) -> Snapshot:
        """Map a snapshot file, read it once and compare it with its checksum.

        ``verify=False`` leaves the comparison out, for a caller that has just done it or does it next, with
        :meth:`verify_steps`. A damaged file that is not verified can answer ``not_listed`` for a listed site.

        :raises SnapshotError: the file is missing, damaged, cut off, or has another format.
        """
        path = Path(path)
        try:
            with path.open("rb") as file:
                data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise SnapshotError(f"{path}: not a snapshot, or it cannot be opened: {error}") from None
        snapshot = cls(path, data)
        if verify:
            snapshot.verify()
        return snapshot

    @property
    def sha256(self) -> str:
        """The SHA-256 that the file states of its content, in hexadecimal; :meth:`verify` compares it."""
        return bytes(self._data[-TRAILER_BYTES:]).hex()

    def __reduce__(self) -> tuple[Any, ...]:
        return (Snapshot.open, (str(self.path),))

    def verify(self) -> None:
        """Read the whole file and compare it with its checksum.

        :raises SnapshotError: it does not match.
        """
        for _ in self.verify_steps():
            pass

    def verify_steps(self) -> Iterator[None]:
        """Do the work of :meth:`verify` in steps of well under a millisecond.

        :raises SnapshotError: in the last step, if the checksum does not match.
        """
        end = len(self._data) - TRAILER_BYTES
        digest = hashlib.sha256()
        for start in range(0, end, _VERIFY_BYTES):
            digest.update(self._data[start : min(start + _VERIFY_BYTES, end)])
            yield
        if digest.digest() != bytes(self._data[end:]):
            raise SnapshotError(f"{self.path}: damaged: its checksum does not match")

    def lookup(self, target: str, policy: str = "default", *, explain: bool = False) -> Verdict:
        """Return the verdict for a host or a URL; ``explain`` adds every listing that counts under the policy.

        What names no site of the internet (``null``, a macro that was not replaced, ``localhost``) is ``unknown``; the
        verdict has the reason.

        :raises ValueError: no browser could open the target; the message says why.
        :raises UnknownPolicyError: the snapshot has no such policy.
        """
        match = match_target(target)
        if match is not None:
            host = match[1]
            # The check of is_canonical, inlined: it saves a call.
            if len(host) <= MAX_HOST and "xn--" not in host:
                host_bytes = host.encode()
                verdict = self._decide_host(host, host_bytes, host_bytes[match.start(2) - match.end(1) :], policy)
                if verdict is not None and (not explain or verdict is self.not_listed):
                    return verdict
        return self._judge_text(page_candidates, target, policy, explain=explain)

    def lookup_host(self, target: str, policy: str = "default", *, explain: bool = False) -> Verdict:
        """Return the verdict for the host of a target, its path ignored. ``partial``: URLs on the host are listed.

        What names no site of the internet is ``unknown``, as in :meth:`lookup`.

        :raises ValueError: no browser could open the target; the message says why.
        :raises UnknownPolicyError: the snapshot has no such policy.
        """
        if not explain and (host := canonical_host_in(target)) and (verdict := self.decide_host(host, policy)):
            return verdict
        return self._judge_text(domain_candidates, target, policy, explain=explain)

    def lookup_batch(self, targets: Iterable[str], policy: str = "default") -> list[Verdict]:
        """Return the verdicts for hosts or URLs, in order; ``unknown`` for a target that no browser could open.

        :raises UnknownPolicyError: the snapshot has no such policy.
        """
        self.bit_of(policy)
        verdicts = []
        for target in targets:
            try:
                verdicts.append(self.lookup(target, policy))
            except ValueError as error:
                verdicts.append(self._unknown(error))
        return verdicts

    def lookup_app(self, app: str, policy: str = "default", *, explain: bool = False) -> Verdict:
        """Return the verdict for an app: its bundle or store id, or the URL of its page in a store.

        What stands for no id, such as ``null``, is ``unknown``.

        :raises ValueError: the text is no app id; the message says why.
        :raises UnknownPolicyError: the snapshot has no such policy.
        """
        return self._judge_text(app_candidates, app, policy, explain=explain)

    def judge(self, candidates: Candidates, policy: str = "default", *, explain: bool = False) -> Verdict:
        """Return the verdict for what a text names, see :func:`.judging.judge`.

        :raises UnknownPolicyError: the snapshot has no such policy.
        """
        return judge(candidates, partial(self.decide, policy=policy, explain=explain))

    def decide_host(self, host: str, policy: str) -> Verdict | None:
        """Return the verdict for a host that is canonical as written, for any path on it.

        None if the path, an override or a number of authorities could matter, or if there is no such policy: then ask
        :meth:`judge`. Most lookups end here; see :mod:`.host_fast_path`.
        """
        host_bytes = host.encode()
        return self._decide_host(host, host_bytes, host_bytes[host.rfind(".", 0, host.rfind(".")) + 1 :], policy)

    def overrides_expired(self, moment: float) -> int:
        """Return how many overrides have expired at a Unix time; when it grows, cached verdicts are outdated."""
        return sum(expiry <= moment for expiry in self._expiries)

    def bit_of(self, policy: str) -> int:
        """Return the bit of a policy in masks, from 0.

        :raises UnknownPolicyError: the snapshot has no such policy.
        """
        bit = self._bits.get(policy)
        if bit is None:
            known = ", ".join(self._bits)
            raise UnknownPolicyError(f"there is no policy {policy!r}; the configuration names {known}")
        return bit

    def decide(self, target: Target, policy: str = "default", *, explain: bool = False) -> Verdict:
        """Return the verdict for a parsed target: overrides first, then listings, then "not listed".

        A host that no rule covers and that names no site of the internet is ``unknown``.

        :raises UnknownPolicyError: the snapshot has no such policy.
        """
        bit = self.bit_of(policy)
        hits, own = self._hits(target)
        if any(hit.group.flags & Flag.OVERRIDES for hit in hits):
            overridden = self._overridden(hits, explain)
            if overridden:
                blocked_below = own is not None and bool(own.flags & Flag.URL_BLOCKS)
                some_blocked = target.path is None and not overridden.listed and blocked_below
                return overridden._replace(partial=some_blocked)
        counting = [hit for hit in hits if (hit.group.below if hit.above else hit.group.own) >> bit & 1]
        if counting:
            verdict = self._listed(counting, bit, explain)
            if verdict:
                return verdict
        some_listed = target.path is None and own is not None and bool(own.urls >> bit & 1)
        if some_listed:
            return self.not_listed._replace(partial=True)
        if own is None and target.host and (no_site := why_no_site(target.host)):
            return Verdict(VerdictKind.UNKNOWN, self.version, reason=no_site.reason)
        return self.not_listed

    def _judge_text(self, read: Callable[[str], Candidates], text: str, policy: str, *, explain: bool) -> Verdict:
        """Return the verdict for a text; ``read`` returns what it names.

        :raises ValueError: no browser could open the target; the message says why.
        :raises UnknownPolicyError: the snapshot has no such policy.
        """
        try:
            candidates = read(text)
        except NoSiteError as error:
            self.bit_of(policy)
            return self._unknown(error)
        return self.judge(candidates, policy, explain=explain)

    def _unknown(self, error: ValueError) -> Verdict:
        return Verdict(VerdictKind.UNKNOWN, self.version, reason=str(error))

    def _hits(self, target: Target) -> tuple[list[Hit], Group | None]:
        """Return the keys that cover a target, the most specific first, and the group of the target's own host."""
        if target.app is not None:
            return self._exact(key_of(RuleKind.APP, target.app)), None
        hits: list[Hit] = []
        own: Group | None = None
        if target.ip is not None:
            hits = self._exact(key_of(RuleKind.IP, target.ip))
            own = hits[0].group if hits else None
        else:
            key = host_key(target.host)
            if self.prefilter.may_cover(target.host):
                for found in self._prefixes(key):
                    above = len(found) < len(key)
                    group = self._index.group(self._index.group_number(found))
                    hits.insert(0, Hit(group, value_of(found), above))
                    if not above:
                        own = group
        if own is not None and target.path is not None and own.flags & Flag.URLS:
            hits = [*self._url_search.hits(target, target.path), *hits]
        return hits, own

    def _exact(self, key: bytes) -> list[Hit]:
        group = self._index.get(key)
        return [] if group is None else [Hit(group, value_of(key), False)]

    def _overridden(self, hits: list[Hit], explain: bool) -> Verdict | None:
        for hit in hits:
            index = self._override_in(hit)
            if index is None:
                continue
            override = self._overrides[index]
            action = OverrideAction(override["action"])
            kind = VerdictKind.LISTED if action is OverrideAction.BLOCK else VerdictKind.NOT_LISTED
            listings = ({"override": override},) if explain else ()
            return Verdict(kind, self.version, hit.value, Scope(override["scope"]), override=action, listings=listings)
        return None

    def _override_in(self, hit: Hit) -> int | None:
        """Return the number of the newest override of a key that is in force and reaches the target."""
        now, found = time.time(), None
        for index in hit.group.overrides:
            if self._expiries[index] > now and (not hit.above or self._overrides[index]["scope"] == Scope.SUBTREE):
                found = index
        return found

    def _listed(self, hits: list[Hit], bit: int, explain: bool) -> Verdict | None:
        """Return "listed" with all feeds that count; None if the policy requires more independent authorities."""
        counting = [(hit, detail) for hit in hits for detail in self._sources.counting(hit.group, bit, above=hit.above)]
        required = self._min_authorities[bit]
        if required > 1 and len({self._sources[detail.source]["authority"] for _, detail in counting}) < required:
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
        source, texts = self._sources[detail.source], detail.texts()
        return {
            **{name: source[name] for name in ("feed", "authority", "kind", "country")},
            "rule": value,
            "scope": detail.scope.value,
            "reference": texts.reference,
            "legal_basis": texts.legal_basis or source["legal_basis"],
            "published_at": texts.published_at,
            "listed_from": texts.listed_from,
            "appeal_contact": source["contact"],
            "entry": texts.raw or value,
        }


def same_policies(snapshot: Snapshot, policies: Iterable[Policy]) -> bool:
    """Return whether a snapshot was compiled for exactly these policies, in this order."""
    wanted = [(p.name, list(p.kinds), list(p.countries), list(p.feeds), p.min_authorities) for p in policies]
    names = ("name", "kinds", "countries", "feeds", "min_authorities")
    return wanted == [tuple(policy[name] for name in names) for policy in snapshot.policies]


def _epoch(moment: str | None) -> float:
    return datetime.fromisoformat(moment).timestamp() if moment else float("inf")
