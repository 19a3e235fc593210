"""Everything that counts, compiled into the bytes of a snapshot."""

from __future__ import annotations

import hashlib
import json
import zlib
from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, BinaryIO

import marisa_trie

from blocklist.errors import ConfigurationError
from blocklist.normalize.hosts import with_address
from blocklist.snapshot.layout import (
    ALIGNMENT,
    DETAIL,
    FORMAT,
    HEADER,
    MAGIC,
    MAX_POLICIES,
    OVERRIDE_MEMBER,
    SCOPES,
    SECTION,
    WORDS,
    Flag,
    Word,
    host_key,
    key_of,
)
from blocklist.snapshot.packing import bits_for, packed, unpacked
from blocklist.snapshot.sieve import sieve_of
from blocklist.vocabulary import Authority, Override, OverrideAction, Policy, RuleKind

#: value, kind, scope, feed id, raw, reference, legal basis, published at, authority, country, listed from.
ListingRow = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class FeedSource:
    """What a snapshot says of a feed beside its listings."""

    name: str
    title: str
    authority: Authority
    legal_basis: str | None = None


_NO_FLAG = Flag(0)
#: Keys of other kinds begin with a control character.
_FIRST_OF_HOSTS = 0x20


@dataclass
class _Group:
    """What one key has, while it is being collected: indexes of details and of overrides, and of URLs below it."""

    details: tuple[int, ...] = ()
    overrides: tuple[int, ...] = ()
    urls: int = 0
    flags: Flag = _NO_FLAG

    def key(self) -> tuple[Any, ...]:
        return (self.details, self.overrides, self.urls, self.flags)


class Compiler:
    """Collects listings and overrides, then writes one snapshot."""

    def __init__(self, feeds: dict[int, FeedSource], policies: Iterable[Policy]) -> None:
        """Begin an empty snapshot.

        :raises ConfigurationError: there are more policies than a snapshot can tell apart.
        """
        self._feeds = feeds
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
        # Nearly every key has one plain listing: an int instead of a _Group saves 300 MB at a million.
        self._plain: dict[bytes, int] = {}
        self._groups: dict[bytes, _Group] = {}
        self._overrides: list[dict[str, Any]] = []
        self._slashes = 0

    def add_bare_hosts(self, blocks: Iterable[tuple[str, int, str, str]]) -> None:
        """Add hosts as :meth:`blocklist.store.listings.Listings.current_bare` yields them."""
        for hosts, feed_id, scope, listed_from in blocks:
            detail = self._detail((scope, feed_id, *[None] * 6, listed_from))
            # All at once: a million keys cost a third of what they do one by one.
            keys = (hosts.encode()[::-1].replace(b" ", b". ") + b".").split(b" ")
            fresh = dict.fromkeys(keys, detail)
            if len(fresh) < len(keys) or not (
                fresh.keys().isdisjoint(self._plain) and fresh.keys().isdisjoint(self._groups)
            ):
                for key in keys:
                    self._add(key, detail)
            else:
                self._plain |= fresh

    def add_listings(self, rows: Iterable[ListingRow]) -> None:
        """Add listings as :meth:`blocklist.store.listings.Listings.current_stated` yields them."""
        for value, kind, *said in rows:
            detail = self._detail(tuple(said))
            self._add(key_of(RuleKind(kind), value), detail)
            if kind == RuleKind.URL.value:
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
            group = self._group(key_of(rule.kind, rule.value))
            group.overrides = (*group.overrides, len(self._overrides) - 1)
            group.flags |= Flag.OVERRIDES
            if rule.kind is RuleKind.URL:
                every_policy = (1 << len(self._policies)) - 1 if override.action is OverrideAction.BLOCK else 0
                blocks = Flag.URL_BLOCKS if override.action is OverrideAction.BLOCK else _NO_FLAG
                self._mark_url(rule.value, every_policy, blocks)

    def write(self, out: BinaryIO, version: int, built_at: str, contents: int) -> tuple[str, int]:
        """Write the snapshot; return its SHA-256 and the number of rules in it."""
        rules = len(self._plain) + sum(1 for group in self._groups.values() if group.details)
        groups, group_of_key = self._numbered_groups()
        keys = [*self._plain, *self._groups]
        trie = marisa_trie.BinaryTrie(keys, cache_size=marisa_trie.HUGE_CACHE)
        sieve, wide = sieve_of([key for key in keys if key[0] >= _FIRST_OF_HOSTS], trie)
        bits = bits_for(len(groups))
        group_of = self._group_of(trie, group_of_key, len(keys), bits)
        words, starts, members = self._group_sections(groups)
        meta = {
            "version": version,
            "built_at": built_at,
            "contents": contents,
            "rules": rules,
            "listings": sum(len(group.details) for group in self._groups.values()) + len(self._plain),
            "policies": [_policy_row(policy) for policy in self._policies],
            "sources": self._source_table,
            "overrides": self._overrides,
            "slashes": self._slashes,
            "group_bits": bits,
            "wide": wide,
        }
        sections = {
            "meta": json.dumps(meta, ensure_ascii=False, sort_keys=True).encode(),
            "sieve": sieve,
            "trie": trie.tobytes(),
            "group_of": group_of,
            "groups": words.tobytes(),
            "starts": starts.tobytes(),
            "members": members.tobytes(),
            "details": bytes(self._records),
            "strings": bytes(self._text),
        }
        return _write_sections(out, version, sections), rules

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

    def _group(self, key: bytes) -> _Group:
        if key not in self._groups:
            plain = self._plain.pop(key, None)
            self._groups[key] = _Group(details=() if plain is None else (plain,))
        return self._groups[key]

    def _mark_url(self, value: str, mask: int, flag: Flag = _NO_FLAG) -> None:
        """Note on a URL's host (with and without ``www.``) that URLs on it are listed, and on its path its query."""
        address, query, _ = value.partition("?")
        host, _, path = address.partition("/")
        self._slashes = max(self._slashes, path.count("/") + 1)
        canonical, ip = with_address(host)
        hosts = (
            [canonical] if ip else [canonical, canonical[4:] if canonical.startswith("www.") else "www." + canonical]
        )
        for name in hosts:
            group = self._group(key_of(RuleKind.IP, ip) if ip else host_key(name))
            group.urls |= mask
            group.flags |= Flag.URLS | flag
        if query:
            self._group(key_of(RuleKind.URL, address) + b"?")

    def _numbered_groups(self) -> tuple[list[_Group], dict[bytes, int]]:
        """Return the distinct groups, and the group of each key that does not have one plain listing alone."""
        numbers: dict[tuple[Any, ...], int] = {}
        groups: list[_Group] = []

        def number(group: _Group) -> int:
            key = group.key()
            if key not in numbers:
                numbers[key] = len(groups)
                groups.append(group)
            return numbers[key]

        self._plain_groups = {
            detail: number(_Group(details=(detail,))) for detail in dict.fromkeys(self._plain.values())
        }
        return groups, {key: number(group) for key, group in self._groups.items()}

    def _group_of(self, trie: marisa_trie.BinaryTrie, special: dict[bytes, int], keys: int, bits: int) -> bytes:
        """Return the group of each key id. Asking the trie for an id costs a microsecond: the commonest go unasked."""
        counts = Counter(self._plain.values())
        commonest = self._plain_groups[counts.most_common(1)[0][0]] if counts else 0
        group_of = unpacked(keys, bits, commonest)
        if len(counts) > 1:
            for key, detail in self._plain.items():
                group = self._plain_groups[detail]
                if group != commonest:
                    group_of[trie.key_id(key)] = group
        for key, group in special.items():
            group_of[trie.key_id(key)] = group
        return packed(group_of, bits)

    def _group_sections(self, groups: list[_Group]) -> tuple[array[int], array[int], array[int]]:
        words = array("Q", bytes(8 * WORDS * len(groups)))
        starts, members = array("I", [0]), array("I")
        for index, group in enumerate(groups):
            for detail in group.details:
                own, below = self._detail_masks[detail]
                words[index * WORDS + Word.SELF] |= own
                words[index * WORDS + Word.BELOW] |= below
            words[index * WORDS + Word.URLS] = group.urls
            words[index * WORDS + Word.FLAGS] = int(group.flags)
            members.extend(group.details)
            members.extend(OVERRIDE_MEMBER | override for override in group.overrides)
            starts.append(len(members))
        return words, starts, members


def _policy_row(policy: Policy) -> dict[str, Any]:
    return {
        "name": policy.name,
        "kinds": [kind.value for kind in policy.kinds],
        "countries": list(policy.countries),
        "feeds": list(policy.feeds),
        "min_authorities": policy.min_authorities,
    }


def _write_sections(out: BinaryIO, version: int, sections: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    offset = HEADER.size + SECTION.size * len(sections)
    table = bytearray()
    for name, data in sections.items():
        offset += -offset % ALIGNMENT
        table += SECTION.pack(name.encode(), offset, len(data), zlib.crc32(data))
        offset += len(data)
    written = 0
    header = HEADER.pack(MAGIC, FORMAT, len(sections), version, zlib.crc32(bytes(table)))
    for data in (header, bytes(table), *sections.values()):
        padded = bytes(-written % ALIGNMENT) + data
        out.write(padded)
        digest.update(padded)
        written += len(padded)
    out.write(digest.digest())
    return digest.hexdigest()
