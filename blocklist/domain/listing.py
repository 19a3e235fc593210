"""Entries, rules, feeds and listings.

All types of the domain are immutable. Those of which a refresh makes a million (:class:`Entry`, :class:`Rejected`,
:class:`Rule`) or that are made for every request (:class:`.verdict.Target`, :class:`.verdict.Verdict`) are NamedTuples,
four times cheaper to make than the frozen dataclasses that the others are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import Any, NamedTuple


class AuthorityKind(StrEnum):
    """The kind of body that confirmed the infringement."""

    LAW_ENFORCEMENT = "law-enforcement"
    COURT = "court"
    REGULATOR = "regulator"
    GOVERNMENT = "government"
    INTERNATIONAL = "international"
    INDUSTRY = "industry"
    INTERNAL = "internal"


#: Kinds that act for a government or an organization of governments. The ``default`` policy counts these.
CONFIRMED_KINDS = (
    AuthorityKind.LAW_ENFORCEMENT,
    AuthorityKind.COURT,
    AuthorityKind.REGULATOR,
    AuthorityKind.GOVERNMENT,
    AuthorityKind.INTERNATIONAL,
)


class RuleKind(StrEnum):
    """What a rule compares."""

    HOST = "host"
    URL = "url"
    IP = "ip"
    APP = "app"


class Scope(StrEnum):
    """How far a rule reaches."""

    SUBTREE = "subtree"
    EXACT = "exact"
    PREFIX = "prefix"


@dataclass(frozen=True, slots=True)
class Authority:
    """Who confirmed the infringement. ``country`` is ISO 3166-1 alpha-2, or ``XX`` for none."""

    name: str
    kind: AuthorityKind
    country: str
    contact: str | None = None


class Entry(NamedTuple):
    """One value as published: the text that names a site or app, its position, and what its row states about it.

    ``position`` counts lines (or rows, links, items) from 1; in a PDF it is page times 10,000 plus row. ``raw`` is the
    published form if it has more than ``site`` (``||example.com^``), else None. ``authority`` and ``country`` are set
    if the list names them row by row.
    """

    site: str
    position: int
    raw: str | None = None
    reference: str | None = None
    legal_basis: str | None = None
    published_at: str | None = None
    authority: str | None = None
    country: str | None = None


class ExactEntry(Entry):
    """An entry that means its host as written: without subdomains, and with its ``www.``."""

    __slots__ = ()


class Rejected(NamedTuple):
    """A row that became no rule: its text and position, a stable ``code`` to count by, and the reason as a sentence."""

    raw: str
    position: int
    code: str
    reason: str


class LineBlock(NamedTuple):
    """Consecutive lines of a body with one name each and nothing else: one :class:`Entry` for each line.

    ``text`` has a line break after each line; ``position`` is the position of the first.
    """

    text: str
    position: int

    def entries(self) -> Iterator[Entry]:
        """Yield the entry of each line."""
        return map(Entry, self.text.split("\n")[:-1], count(self.position))


class Rule(NamedTuple):
    """What an entry means for matching: a canonical value, its kind, and its scope."""

    kind: RuleKind
    value: str
    scope: Scope


class HostBlock(NamedTuple):
    """Consecutive lines with one host each, canonical as written: one host rule of ``scope`` for each line.

    ``position`` is the position of the first line.
    """

    values: list[str]
    position: int
    scope: Scope

    def ruled(self) -> Iterator[tuple[Entry, Rule]]:
        """Yield the entry of each line with its rule."""
        for position, host in enumerate(self.values, self.position):
            yield Entry(host, position), Rule(RuleKind.HOST, host, self.scope)


@dataclass(frozen=True, slots=True)
class Feed:
    """One published list of one authority, and its state. ``definition`` is its validated definition as data.

    ``every`` is in seconds. ``last_attempt`` is when a refresh was last tried, ``last_success`` when the list was last
    known to be current, ``last_change`` when it last differed from the one before: a failed refresh sets only the
    first. ``listed`` is the number of listings.
    """

    id: int
    name: str
    title: str
    authority: Authority
    definition: dict[str, Any]
    every: int
    paused: bool
    created_at: str
    next_due: str
    last_attempt: str | None = None
    last_success: str | None = None
    last_change: str | None = None
    listed: int = 0


@dataclass(frozen=True, slots=True)
class Listing:
    """A rule as one feed lists it over an interval.

    ``listed_from`` is when the feed began to list the rule without interruption; ``stated_from`` is when this row's
    facts began (an authority may add a reference later); ``listed_until`` is None while the row is valid. The evidence:
    ``run`` opened the row, ``body_sha256`` is the body that this run read, ``position`` is the entry's place in it.
    ``hold_decision`` is why an entry that a guard held is listed: who decided, and the reason.
    """

    id: int
    rule: Rule
    feed: str
    authority: Authority
    raw: str
    position: int
    reference: str | None
    legal_basis: str | None
    published_at: str | None
    listed_from: str
    stated_from: str
    listed_until: str | None
    run: int
    body_sha256: str | None = None
    hold_decision: str | None = None

    def at(self, moment: str) -> bool:
        """Return whether this row was valid at a moment (RFC 3339, UTC)."""
        return self.stated_from <= moment and (self.listed_until is None or self.listed_until > moment)
