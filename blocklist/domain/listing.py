"""The words of the domain as types: immutable, and free of Flask, SQLite and every other library.

What passes a million times through a refresh (:class:`Entry`, :class:`Rejected`, :class:`Rule`) or is made for every
request (:class:`Target`, :class:`Verdict`) is a NamedTuple, four times cheaper to make than a frozen dataclass; the
rest are frozen dataclasses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import Any, NamedTuple


class AuthorityKind(StrEnum):
    """What sort of body confirmed the infringement."""

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
    """Who confirmed the infringement. ``country`` is ISO 3166-1 alpha-2, ``XX`` where none applies."""

    name: str
    kind: AuthorityKind
    country: str
    contact: str | None = None


class Entry(NamedTuple):
    """One value as published: the text that names a site or app, where it stood, and what its row says of it.

    ``position`` counts lines (or rows, links, items) from 1; in a PDF it is page times 10,000 plus row.
    ``raw`` is the published form where it is more than ``site``
    (``||example.com^``), else None. ``authority`` and ``country`` are set where a list names them row by row.
    """

    site: str
    position: int
    raw: str | None = None
    reference: str | None = None
    legal_basis: str | None = None
    published_at: str | None = None
    authority: str | None = None
    country: str | None = None


class Rejected(NamedTuple):
    """A row that became no rule: where it stood, what it said, a stable ``code`` to count by, and why in words."""

    raw: str
    position: int
    code: str
    reason: str


class LineBlock(NamedTuple):
    """Consecutive lines of a body that hold one name each and nothing else, kept together: an Entry a line.

    ``text`` has a line break after each; ``position`` is that of the first.
    """

    text: str
    position: int

    def entries(self) -> Iterator[Entry]:
        """Yield the lines one by one."""
        return map(Entry, self.text.split("\n")[:-1], count(self.position))


class Rule(NamedTuple):
    """What an entry means for matching: a canonical value, its kind, and how far it reaches."""

    kind: RuleKind
    value: str
    scope: Scope


class HostBlock(NamedTuple):
    """What consecutive lines mean of which each is a host, canonical as written: a rule of this scope a line.

    ``position`` is that of the first.
    """

    values: list[str]
    position: int
    scope: Scope

    def ruled(self) -> Iterator[tuple[Entry, Rule]]:
        """Yield the lines one by one, each with its rule."""
        for position, host in enumerate(self.values, self.position):
            yield Entry(host, position), Rule(RuleKind.HOST, host, self.scope)


@dataclass(frozen=True, slots=True)
class Feed:
    """One published list of one authority and how it stands. ``definition`` is its validated definition as data.

    ``last_attempt`` is when a refresh was last tried, ``last_success`` when the list was last known to be current, and
    ``last_change`` when it last differed from the one before: a failed refresh moves only the first.
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

    ``listed_from`` begins the unbroken listing; ``stated_from`` begins this wording of it (an authority may add a
    reference later); ``listed_until`` is None while this row holds. ``run``, ``body_sha256`` and ``position`` are its
    evidence: the run that opened it, the body that run read, and where in it the entry stands.
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

    def at(self, moment: str) -> bool:
        """Return whether this row held at a moment (RFC 3339, UTC)."""
        return self.stated_from <= moment and (self.listed_until is None or self.listed_until > moment)
