"""The words of the domain as types: immutable, and free of Flask, SQLite and every other library.

What passes a million times through a refresh (:class:`Entry`, :class:`Rejected`, :class:`Rule`) or is made for every
request (:class:`Target`, :class:`Verdict`) is a NamedTuple, four times cheaper to make than a frozen dataclass; the
rest are frozen dataclasses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
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


class Outcome(StrEnum):
    """How a run ended."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    HELD = "held"
    FAILED = "failed"


class Stage(StrEnum):
    """Where a run is, in this order."""

    FETCH = "fetch"
    PARSE = "parse"
    NORMALIZE = "normalize"
    DIFF = "diff"
    GUARD = "guard"
    RECORD = "record"


class OverrideAction(StrEnum):
    """What an override says of its target."""

    ALLOW = "allow"
    BLOCK = "block"


class VerdictKind(StrEnum):
    """The three answers to "may an ad go here?"; ``unknown`` is never a yes."""

    LISTED = "listed"
    NOT_LISTED = "not_listed"
    UNKNOWN = "unknown"


class Effect(StrEnum):
    """What a guard does when it speaks."""

    FAILS = "fails the run"
    HOLDS = "holds the run"
    HOLDS_ENTRY = "holds the entry"
    REFUSES = "refuses the entry"


class HoldState(StrEnum):
    """Where an entry that was held alone stands."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    #: The feed no longer names it, and nobody had decided.
    WITHDRAWN = "withdrawn"


class Role(StrEnum):
    """What a person or a token may do; each may do what those before it may, and they compare in this order."""

    VIEWER = "viewer"
    EDITOR = "editor"
    APPROVER = "approver"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """The place in the order, from 0."""
        return list(Role).index(self)

    def covers(self, needed: Role) -> bool:
        """Return whether this role may do what another may.

        >>> Role.ADMIN.covers(Role.VIEWER), Role.EDITOR.covers(Role.APPROVER)
        (True, False)
        """
        return self.rank >= needed.rank

    # As text, approver would be less than editor.
    def __lt__(self, other: str) -> bool:
        return self.rank < Role(other).rank

    def __le__(self, other: str) -> bool:
        return self.rank <= Role(other).rank

    def __gt__(self, other: str) -> bool:
        return self.rank > Role(other).rank

    def __ge__(self, other: str) -> bool:
        return self.rank >= Role(other).rank


class Said(NamedTuple):
    """What a guard said of a run: its name, what it does, and a sentence with the figures."""

    guard: str
    effect: Effect
    sentence: str


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


class Lines(NamedTuple):
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


class Hosts(NamedTuple):
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


class Target(NamedTuple):
    """The place of an ad, as browsers see it.

    ``host`` is canonical (no trailing dot, IPv6 in brackets); ``ip`` the address when the host is one; ``path`` and
    ``params`` the canonical path and query parameters of a URL, both None when only a host was given; ``app`` the id of
    an app, with ``host`` empty.
    """

    host: str
    ip: str | None = None
    path: str | None = None
    params: frozenset[str] = frozenset()
    app: str | None = None

    @property
    def site(self) -> Target:
        """The same host or app, whatever the page."""
        return self._replace(path=None, params=frozenset())


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


@dataclass(frozen=True, slots=True)
class Counts:
    """The figures of a run, each a number of rows or rules."""

    entries: int = 0
    rules: int = 0
    rejected: int = 0
    duplicates: int = 0
    added: int = 0
    removed: int = 0
    amended: int = 0
    listed: int = 0
    held: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """One attempt to refresh a feed. ``outcome`` is None while it is under way; ``reason`` says why, with figures.

    ``seen`` is what the body was read as: the format, what it was wrapped in, and of ``auto`` why.
    ``body_from`` is the address that the list was found at, where the definition looks for it on a page.
    """

    id: int
    feed: str
    trigger: str
    started_at: str
    stage: Stage
    outcome: Outcome | None = None
    reason: str = ""
    finished_at: str | None = None
    counts: Counts = field(default_factory=Counts)
    rejected_by_code: dict[str, int] = field(default_factory=dict)
    body_sha256: str | None = None
    body_bytes: int | None = None
    seen: str = ""
    body_from: str | None = None
    review: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """One entry that waits for a person alone, or about which one decided; remembered for every later run of its feed.

    ``guard`` held it, and ``why`` is its sentence; ``run`` and ``position`` say where it was last seen.
    """

    id: int
    feed: str
    rule: Rule
    guard: str
    why: str
    entry: str
    position: int
    run: int
    held_at: str
    state: HoldState
    decided_by: str | None = None
    decided_at: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A rule that a held run would add, remove, or hold alone (``change``), and why it stands out, if it does."""

    change: str
    rule: Rule
    entry: str
    position: int | None
    stands_out: str


@dataclass(frozen=True, slots=True)
class Override:
    """An admin's word on a target, above every listing, until ``until`` (None: for good) or until removed.

    ``confirmed_at`` is when it began to count, None while it waits for a second person.
    """

    id: int
    action: OverrideAction
    rule: Rule
    reason: str
    author: str
    created_at: str
    until: str | None = None
    removed_at: str | None = None
    confirmed_at: str | None = None
    confirmed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """A token for programs, without its secret, which nobody can show again; ``prefix`` is how the secret begins.

    ``last_used`` is true to the minute. It opens nothing from ``expires_at`` (None: never) or ``revoked_at`` on.
    """

    id: int
    name: str
    prefix: str
    role: Role
    created_at: str
    created_by: str
    expires_at: str | None = None
    last_used: str | None = None
    revoked_at: str | None = None

    def state(self, moment: str) -> str:
        """Return ``active``, ``expired`` or ``revoked``."""
        if self.revoked_at:
            return "revoked"
        return "expired" if self.expires_at and self.expires_at <= moment else "active"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signs in. ``provider`` tells whether an OpenID provider says who it is, and then the role too."""

    id: int
    name: str
    role: Role
    created_at: str
    created_by: str
    has_password: bool = False
    provider: bool = False
    signed_in_at: str | None = None
    disabled_at: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A person signed in with one browser; ``seen_at`` is true to the minute, ``agent`` is what the browser says."""

    id: int
    person: str
    address: str
    agent: str
    created_at: str
    seen_at: str
    ends_at: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Which listings count for a caller. An empty tuple does not restrict."""

    name: str
    kinds: tuple[AuthorityKind, ...] = ()
    countries: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()
    min_authorities: int = 1

    def counts(self, feed: str, kind: AuthorityKind, country: str) -> bool:
        """Return whether a listing of this feed, by an authority of this kind and country, counts."""
        return (
            (not self.kinds or kind in self.kinds)
            and (not self.countries or country in self.countries)
            and (not self.feeds or feed in self.feeds)
        )


class Verdict(NamedTuple):
    """The answer for one target.

    ``rule`` and ``scope`` are the most specific rule that decided, ``feeds`` every feed whose counting listings match,
    sorted. ``partial``: only a host was given and URLs on it are listed. ``override`` is ``allow`` or ``block`` where
    an admin's word decided.
    """

    verdict: VerdictKind
    version: int
    rule: str | None = None
    scope: Scope | None = None
    feeds: tuple[str, ...] = ()
    partial: bool = False
    override: OverrideAction | None = None
    listings: tuple[dict[str, Any], ...] = ()

    @property
    def listed(self) -> bool:
        """Whether an ad must not go there."""
        return self.verdict is VerdictKind.LISTED
