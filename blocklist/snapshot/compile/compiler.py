"""Compile listings and overrides into a snapshot file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO, NamedTuple

from blocklist.domain.errors import ConfigurationError
from blocklist.domain.listing import Authority, RuleKind
from blocklist.domain.verdict import Override, OverrideAction, Policy
from blocklist.normalize.candidates import canonical_app
from blocklist.normalize.hosts import with_address
from blocklist.normalize.url_rules import same_site_hosts
from blocklist.snapshot.compile.listing_rows import BareHosts, CompiledListing
from blocklist.snapshot.format import layout
from blocklist.snapshot.format.layout import (
    MAX_POLICIES,
    META,
    PREFILTER,
    USUAL_PARAMETERS,
    Flag,
    host_key,
    host_keys,
    key_of,
)
from blocklist.snapshot.format.prefilter import build_prefilter
from blocklist.snapshot.format.section_writer import NO_FLAGS, DetailMasks, GroupBuilder, IndexWriter, write_sections

_HOST, _URL, _APP = RuleKind.HOST.value, RuleKind.URL.value, RuleKind.APP.value
_OVERRIDE_FIELDS = ("id", "action", "reason", "author", "created_at", "until")
_SCOPE_NUMBERS = {scope.value: number for number, scope in enumerate(layout.SCOPES)}


@dataclass(frozen=True, slots=True)
class FeedSource:
    """What a snapshot states about a feed."""

    name: str
    title: str
    authority: Authority
    legal_basis: str | None = None


class UrlMarkers(NamedTuple):
    """Keys that a URL rule marks besides its own, so that a lookup knows when to search for URL rules.

    ``hosts``: keys of the URL's host with and without ``www.``, or of its address. ``path``: the key of its path with
    ``?``, if the rule has a query.
    """

    hosts: list[bytes]
    path: bytes | None


class Compiler:
    """Collects listings and overrides, then writes one snapshot: the same contents give the same bytes."""

    def __init__(
        self, feeds: dict[int, FeedSource], policies: Iterable[Policy], mark: tuple[int, str] | None = None
    ) -> None:
        """Begin an empty snapshot of these feeds, by their ids.

        ``mark`` is how far the store was read: the id of its newest listing, and the time. It is kept in the file for
        the next delta.

        :raises ConfigurationError: there are more policies than a mask has bits.
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
        self._detail_masks: list[DetailMasks] = []
        self._strings: dict[str | None, int] = {None: 0}
        self._text = bytearray(b"\0\0\0\0")
        #: Keys with one listing and nothing else, which nearly all are, and the number of its detail. An int instead
        #: of a GroupBuilder saves 300 MB at a million keys. All other keys are in ``_groups``.
        self._single: dict[bytes, int] = {}
        self._groups: dict[bytes, GroupBuilder] = {}
        self._overrides: list[dict[str, Any]] = []
        self._overridden: list[tuple[str, str]] = []
        #: The most slashes of a URL rule, and the most ``;parameters`` in one of its segments.
        self._slashes, self._parameters = 0, USUAL_PARAMETERS

    def add_bare_hosts(self, blocks: Iterable[BareHosts]) -> None:
        """Add hosts about which nothing more is stated."""
        for block in blocks:
            detail = self._detail((block.scope, block.feed_id, *[None] * 6, block.listed_from))
            # The whole block is reversed and split at once: a million keys take a third of the time of one by one.
            keys = (block.hosts.encode()[::-1].replace(b" ", b". ") + b".").split(b" ")
            fresh = dict.fromkeys(keys, detail)
            known = any(not fresh.keys().isdisjoint(added.keys()) for added in (self._single, self._groups))
            if known or len(fresh) < len(keys):
                for key in keys:
                    self._add(key, detail)
            else:
                self._single |= fresh

    def add_listings(self, rows: Iterable[CompiledListing]) -> None:
        """Add listings in any order."""
        for stored in rows:
            row = _canonical_app_row(stored) if stored.kind == _APP else stored
            detail = self._detail(row[2:])
            self._add(host_key(row.value) if row.kind == _HOST else key_of(RuleKind(row.kind), row.value), detail)
            if row.kind == _URL:
                self._mark_url(row.value, self._detail_masks[detail].own)

    def add_overrides(self, overrides: Iterable[Override]) -> None:
        """Add the overrides in force; a reader ignores each after its ``until``, without a new snapshot."""
        for override in overrides:
            rule = override.rule
            stated = {name: getattr(override, name) for name in _OVERRIDE_FIELDS}
            self._overrides.append({**stated, "scope": rule.scope})
            self._overridden.append((rule.kind.value, rule.value))
            group = self._group(rule_key(rule.kind, rule.value))
            group.overrides = (*group.overrides, len(self._overrides) - 1)
            group.flags |= Flag.OVERRIDES
            if rule.kind is RuleKind.URL:
                every_policy = (1 << len(self._policies)) - 1 if override.action is OverrideAction.BLOCK else 0
                blocks = Flag.URL_BLOCKS if override.action is OverrideAction.BLOCK else NO_FLAGS
                self._mark_url(rule.value, every_policy, blocks)

    def write(self, out: BinaryIO, version: int, built_at: str, contents: int) -> str:
        """Write the snapshot and return its SHA-256 in hexadecimal.

        ``contents`` is the store's counter of changes at the time that the listings were read.
        """
        self._sort_details()
        index = IndexWriter(self._single, self._groups, self._detail_masks)
        prefilter = build_prefilter(host_keys(index.keys), index.trie)
        meta = self._meta(version, built_at, contents)
        meta |= {"group_bits": index.group_bits, "wide": prefilter.wide_names()}
        meta["base"] = {name: meta[name] for name in ("version", "rules", "listings")}
        meta["base"] |= {"mark": self._mark, "overrides": self._overridden}
        sections = {META: as_json(meta), PREFILTER: prefilter.bits, **index.sections(), **self._text_sections()}
        return write_sections(out, version, sections)

    def _sort_details(self) -> None:
        """Sort the listings of each key, so that the order in which they were added does not change the file."""
        wordings = list(self._details)
        for group in self._groups.values():
            if len(group.details) > 1:
                group.details = tuple(
                    sorted(group.details, key=lambda detail: [str(part or "") for part in wordings[detail]])
                )

    def _meta(self, version: int, built_at: str, contents: int) -> dict[str, Any]:
        return (
            self._counts()
            | {
                "version": version,
                "built_at": built_at,
                "contents": contents,
                "policies": [asdict(policy) for policy in self._policies],
                "sources": self._source_table,
                "source_keys": list(self._sources),
                "overrides": self._overrides,
                "slashes": self._slashes,
                "changed": None,
                "keys": layout.KEYS,
            }
            | ({"parameters": self._parameters} if self._parameters > USUAL_PARAMETERS else {})
        )

    def _counts(self) -> dict[str, Any]:
        numbers = [len(group.details) for group in self._groups.values()]
        return {"rules": len(self._single) + sum(map(bool, numbers)), "listings": len(self._single) + sum(numbers)}

    def _text_sections(self) -> dict[str, bytes]:
        return {"details": bytes(self._records), "strings": bytes(self._text)}

    def _add(self, key: bytes, detail: int) -> None:
        if key in self._single or key in self._groups:
            group = self._group(key)
            group.details = (*group.details, detail)
        else:
            self._single[key] = detail

    def _detail(self, wording: tuple[Any, ...]) -> int:
        """Return the number of the detail with this wording: a :class:`CompiledListing` without value and kind."""
        if wording in self._details:
            return self._details[wording]
        scope, feed_id, raw, reference, legal_basis, published_at, authority, country, listed_from = wording
        source = self._source(feed_id, authority, country)
        texts = (raw, reference, legal_basis, published_at, listed_from)
        self._records += layout.DETAIL.pack(source, _SCOPE_NUMBERS[scope], *map(self._string, texts))
        mask = self._source_masks[source]
        self._detail_masks.append(DetailMasks(mask, mask if scope == "subtree" else 0))
        self._details[wording] = len(self._details)
        return len(self._details) - 1

    def _source(self, feed_id: int, authority: str | None, country: str | None) -> int:
        """Return the number of a source: a feed with the authority and country that its rows name, if they do."""
        key = (feed_id, authority, country)
        if key not in self._sources:
            feed = self._feeds[feed_id]
            name, where = authority or feed.authority.name, country or feed.authority.country
            mask = 0
            for bit, policy in enumerate(self._policies):
                mask |= policy.counts(feed.name, feed.authority.kind, where) << bit
            self._source_masks.append(mask)
            named = {"authority": name, "kind": feed.authority.kind.value, "country": where}
            stated = {"contact": feed.authority.contact, "legal_basis": feed.legal_basis}
            self._source_table.append({"feed": feed.name, "title": feed.title, "mask": mask} | named | stated)
            self._sources[key] = len(self._sources)
        return self._sources[key]

    def _string(self, text: str | None) -> int:
        """Return the offset of a text in the section ``strings``; 0 for None."""
        if text not in self._strings:
            assert text is not None
            encoded = text.encode("utf-8", "surrogatepass")
            self._strings[text] = len(self._text)
            self._text += len(encoded).to_bytes(4, "little") + encoded
        return self._strings[text]

    def _group(self, key: bytes) -> GroupBuilder:
        if key not in self._groups:
            detail = self._single.pop(key, None)
            self._groups[key] = GroupBuilder(details=() if detail is None else (detail,))
        return self._groups[key]

    def _mark_url(self, value: str, mask: int, flag: Flag = NO_FLAGS) -> None:
        """Note at a URL's host that policies list a URL there, and at its path that a rule with a query exists."""
        path = value.partition("?")[0]
        self._slashes = max(self._slashes, path.count("/"))
        if ";" in path:
            self._parameters = max(self._parameters, *(segment.count(";") for segment in path.split("/")))
        markers = url_markers(value)
        for key in markers.hosts:
            group = self._group(key)
            group.urls |= mask
            group.flags |= Flag.URLS | flag
        if markers.path:
            self._group(markers.path)


def rule_key(kind: RuleKind, value: str) -> bytes:
    """Return the key of a rule; apps have one key whatever form the database has."""
    return key_of(kind, canonical_app(value) if kind is RuleKind.APP else value)


def _canonical_app_row(row: CompiledListing) -> CompiledListing:
    """Return the listing of an app under its canonical id; its entry stays as it was published."""
    value = canonical_app(row.value)
    return row if value == row.value else row._replace(value=value, raw=row.raw or row.value)


def url_markers(value: str) -> UrlMarkers:
    r"""Return the keys that a URL rule marks.

    >>> url_markers("video.example/watch?v=1")
    UrlMarkers(hosts=[b'elpmaxe.oediv.', b'elpmaxe.oediv.www.'], path=b'\x01video.example/watch?')
    """
    address, query, _ = value.partition("?")
    host, ip = with_address(address.partition("/")[0])
    path = key_of(RuleKind.URL, address) + b"?" if query else None
    if ip:
        return UrlMarkers([key_of(RuleKind.IP, ip)], path)
    return UrlMarkers([*map(host_key, same_site_hosts(host))], path)


def as_json(meta: dict[str, Any]) -> bytes:
    """Return the bytes of the section ``meta``."""
    return json.dumps(meta, ensure_ascii=False, sort_keys=True).encode()
