"""Everything that counts, compiled into the bytes of a snapshot."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, BinaryIO

from blocklist.domain.errors import ConfigurationError
from blocklist.domain.listing import Authority, RuleKind
from blocklist.domain.verdict import Override, OverrideAction, Policy
from blocklist.normalize.hosts import with_address
from blocklist.snapshot.format.layout import DETAIL, MAX_POLICIES, SCOPES, Flag, host_key, hosts_among, key_of
from blocklist.snapshot.format.prefilter import sieve_of
from blocklist.snapshot.format.section_writer import NO_FLAG, Gathered, Layer, write_sections

#: value, kind, scope, feed id, raw, reference, legal basis, published at, authority, country, listed from.
ListingRow = tuple[Any, ...]


_HOST, _URL = RuleKind.HOST.value, RuleKind.URL.value


@dataclass(frozen=True, slots=True)
class FeedSource:
    """What a snapshot says of a feed beside its listings."""

    name: str
    title: str
    authority: Authority
    legal_basis: str | None = None


class Compiler:
    """Collects listings and overrides, then writes one snapshot."""

    def __init__(
        self, feeds: dict[int, FeedSource], policies: Iterable[Policy], mark: tuple[int, str] | None = None
    ) -> None:
        """Begin an empty snapshot; ``mark`` is up to where the listings go that it will be given.

        :raises ConfigurationError: there are more policies than a snapshot can tell apart.
        """
        self._feeds, self._mark = feeds, mark
        self._policies = tuple(policies)
        if len(self._policies) > MAX_POLICIES:
            raise ConfigurationError(f"policies: {len(self._policies)} are configured, at most {MAX_POLICIES} can be")
        self._sources: dict[tuple[Any, ...], int] = {}
        self._source_masks: list[int] = []
        self._source_table: list[dict[str, Any]] = []
        self._details: dict[tuple[Any, ...], int] = {}
        self._records = bytearray()
        self._detail_masks: list[tuple[int, int]] = []
        self._strings: dict[str | None, int] = {None: 0}
        self._text = bytearray(b"\0\0\0\0")
        # Nearly every key has one plain listing: an int instead of a Gathered saves 300 MB at a million.
        self._plain: dict[bytes, int] = {}
        self._groups: dict[bytes, Gathered] = {}
        self._overrides: list[dict[str, Any]] = []
        self._overridden: list[tuple[str, str]] = []
        self._slashes = 0

    def add_bare_hosts(self, blocks: Iterable[tuple[str, int, str, str]]) -> None:
        """Add hosts as :meth:`blocklist.store.compile_source.CompileSource.host_blocks` yields them."""
        for hosts, feed_id, scope, listed_from in blocks:
            detail = self._detail((scope, feed_id, *[None] * 6, listed_from))
            # All at once: a million keys cost a third of what they do one by one.
            keys = (hosts.encode()[::-1].replace(b" ", b". ") + b".").split(b" ")
            fresh = dict.fromkeys(keys, detail)
            known = any(not fresh.keys().isdisjoint(there.keys()) for there in (self._plain, self._groups))
            if known or len(fresh) < len(keys):
                for key in keys:
                    self._add(key, detail)
            else:
                self._plain |= fresh

    def add_listings(self, rows: Iterable[ListingRow]) -> None:
        """Add listings as :meth:`blocklist.store.compile_source.CompileSource.other_listings` yields them."""
        for row in rows:
            value, kind = row[:2]
            detail = self._detail(row[2:])
            self._add(host_key(value) if kind == _HOST else key_of(RuleKind(kind), value), detail)
            if kind == _URL:
                self._mark_url(value, self._detail_masks[detail][0])

    def add_overrides(self, overrides: Iterable[Override]) -> None:
        """Add the overrides in force; those that expire carry the time, and stop counting by themselves."""
        for override in overrides:
            rule = override.rule
            self._overrides.append(
                {
                    "id": override.id,
                    "action": override.action.value,
                    "scope": rule.scope.value,
                    "reason": override.reason,
                    "author": override.author,
                    "created_at": override.created_at,
                    "until": override.until,
                }
            )
            self._overridden.append((rule.kind.value, rule.value))
            group = self._group(key_of(rule.kind, rule.value))
            group.overrides = (*group.overrides, len(self._overrides) - 1)
            group.flags |= Flag.OVERRIDES
            if rule.kind is RuleKind.URL:
                every_policy = (1 << len(self._policies)) - 1 if override.action is OverrideAction.BLOCK else 0
                blocks = Flag.URL_BLOCKS if override.action is OverrideAction.BLOCK else NO_FLAG
                self._mark_url(rule.value, every_policy, blocks)

    def write(self, out: BinaryIO, version: int, built_at: str, contents: int) -> tuple[str, int]:
        """Write the snapshot; return its SHA-256 and the number of rules in it."""
        self._sort_details()
        layer = Layer(self._plain, self._groups, self._detail_masks)
        sieve, wide = sieve_of(hosts_among(layer.keys), layer.trie)
        meta = self._meta(version, built_at, contents) | {"group_bits": layer.group_bits, "wide": wide}
        meta["base"] = {name: meta[name] for name in ("version", "rules", "listings")}
        meta["base"] |= {"mark": self._mark, "overrides": self._overridden}
        sections = {"meta": as_json(meta), "sieve": sieve, **layer.sections(), **self._texts()}
        return write_sections(out, version, sections), meta["rules"]

    def _sort_details(self) -> None:
        """Bring the listings of each key into one order, whatever the order in which they came."""
        wordings = list(self._details)
        for group in self._groups.values():
            if len(group.details) > 1:
                group.details = tuple(
                    sorted(group.details, key=lambda detail: [str(word or "") for word in wordings[detail]])
                )

    def _meta(self, version: int, built_at: str, contents: int) -> dict[str, Any]:
        rules = len(self._plain) + sum(1 for group in self._groups.values() if group.details)
        return {
            "version": version,
            "built_at": built_at,
            "contents": contents,
            "rules": rules,
            "listings": sum(len(group.details) for group in self._groups.values()) + len(self._plain),
            "policies": [_policy_row(policy) for policy in self._policies],
            "sources": self._source_table,
            "source_keys": list(self._sources),
            "overrides": self._overrides,
            "slashes": self._slashes,
            "changed": None,
        }

    def _texts(self) -> dict[str, bytes]:
        return {"details": bytes(self._records), "strings": bytes(self._text)}

    def _add(self, key: bytes, detail: int) -> None:
        if key in self._plain or key in self._groups:
            group = self._group(key)
            group.details = (*group.details, detail)
        else:
            self._plain[key] = detail

    def _detail(self, said: tuple[Any, ...]) -> int:
        """Return the index of what is said of a rule, each distinct wording once."""
        if said in self._details:
            return self._details[said]
        scope, feed_id, raw, reference, legal_basis, published_at, authority, country, listed_from = said
        source = self._source(feed_id, authority, country)
        texts = (raw, reference, legal_basis, published_at, listed_from)
        self._records += DETAIL.pack(
            source, next(i for i, known in enumerate(SCOPES) if known.value == scope), *map(self._string, texts)
        )
        mask = self._source_masks[source]
        self._detail_masks.append((mask, mask if scope == "subtree" else 0))
        self._details[said] = len(self._details)
        return len(self._details) - 1

    def _source(self, feed_id: int, authority: str | None, country: str | None) -> int:
        key = (feed_id, authority, country)
        if key not in self._sources:
            feed = self._feeds[feed_id]
            name, where = authority or feed.authority.name, country or feed.authority.country
            mask = 0
            for bit, policy in enumerate(self._policies):
                mask |= policy.counts(feed.name, feed.authority.kind, where) << bit
            self._source_masks.append(mask)
            self._source_table.append(
                {
                    "feed": feed.name,
                    "title": feed.title,
                    "authority": name,
                    "kind": feed.authority.kind.value,
                    "country": where,
                    "contact": feed.authority.contact,
                    "legal_basis": feed.legal_basis,
                    "mask": mask,
                }
            )
            self._sources[key] = len(self._sources)
        return self._sources[key]

    def _string(self, text: str | None) -> int:
        if text not in self._strings:
            assert text is not None
            encoded = text.encode("utf-8", "surrogatepass")
            self._strings[text] = len(self._text)
            self._text += len(encoded).to_bytes(4, "little") + encoded
        return self._strings[text]

    def _group(self, key: bytes) -> Gathered:
        if key not in self._groups:
            plain = self._plain.pop(key, None)
            self._groups[key] = Gathered(details=() if plain is None else (plain,))
        return self._groups[key]

    def _mark_url(self, value: str, mask: int, flag: Flag = NO_FLAG) -> None:
        """Note on a URL's host that URLs on it are listed, and on its path that it has a query."""
        self._slashes = max(self._slashes, value.partition("?")[0].count("/"))
        hosts, path = marked_by(value)
        for key in hosts:
            group = self._group(key)
            group.urls |= mask
            group.flags |= Flag.URLS | flag
        if path:
            self._group(path)


def marked_by(value: str) -> tuple[list[bytes], bytes | None]:
    r"""Return the keys that tell of a URL: its host, with and without ``www.``, or address; and its path with a query.

    >>> marked_by("video.example/watch?v=1")
    ([b'elpmaxe.oediv.', b'elpmaxe.oediv.www.'], b'\x01video.example/watch?')
    """
    address, query, _ = value.partition("?")
    host, ip = with_address(address.partition("/")[0])
    path = key_of(RuleKind.URL, address) + b"?" if query else None
    if ip:
        return [key_of(RuleKind.IP, ip)], path
    return [host_key(host), host_key(host[4:] if host.startswith("www.") else "www." + host)], path


def _policy_row(policy: Policy) -> dict[str, Any]:
    return {
        "name": policy.name,
        "kinds": [kind.value for kind in policy.kinds],
        "countries": list(policy.countries),
        "feeds": list(policy.feeds),
        "min_authorities": policy.min_authorities,
    }


def as_json(meta: dict[str, Any]) -> bytes:
    """Return the description of a snapshot as its file holds it."""
    return json.dumps(meta, ensure_ascii=False, sort_keys=True).encode()
