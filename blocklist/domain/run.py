"""Runs, findings of guards, and entries that are held for review."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from blocklist.domain.listing import Authority, Rule


class Outcome(StrEnum):
    """How a run ended."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    HELD = "held"
    FAILED = "failed"


class Stage(StrEnum):
    """The stages of a run, in order."""

    FETCH = "fetch"
    PARSE = "parse"
    NORMALIZE = "normalize"
    DIFF = "diff"
    GUARD = "guard"
    RECORD = "record"


class Effect(StrEnum):
    """What a finding of a guard does."""

    FAILS = "fails the run"
    HOLDS = "holds the run"
    HOLDS_ENTRY = "holds the entry"
    REFUSES = "refuses the entry"
    #: The entry is listed, and a person may look at it.
    FLAGS = "flags the entry"
    #: Nothing depends on it: a fact that explains the run.
    NOTES = "is noted"


class HoldState(StrEnum):
    """The state of an entry that is held by itself, not with its run."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    #: The feed no longer lists it, and it was not decided.
    WITHDRAWN = "withdrawn"
    #: Listed without a decision: another authority lists it too, or no guard holds it any more.
    RELEASED = "released"


class FlagState(StrEnum):
    """The state of an entry that is listed and worth a look."""

    OPEN = "open"
    #: A person found that it is listed rightly.
    DISMISSED = "dismissed"
    #: A person allowed the site with an override.
    ALLOWED = "allowed"
    #: The feed no longer lists it, and nobody had looked at it.
    WITHDRAWN = "withdrawn"


class GuardFinding(NamedTuple):
    """One finding of a guard: the guard's name, the effect, and a sentence with figures."""

    guard: str
    effect: Effect
    sentence: str


@dataclass(frozen=True, slots=True)
class RunCounts:
    """The counts of a run, in rows of the list or in rules."""

    entries: int = 0
    rules: int = 0
    rejected: int = 0
    duplicates: int = 0
    added: int = 0
    removed: int = 0
    amended: int = 0
    listed: int = 0
    held: int = 0
    flagged: int = 0


class AppliedList(NamedTuple):
    """A list that served a feed: when it was applied, its body (SHA-256), and its number of sites.

    ``sites_before``: the number of sites of the list that it replaced. ``approved``: a person approved it.
    """

    at: str
    body_sha256: str | None
    sites: int
    sites_before: int
    approved: bool


@dataclass(frozen=True, slots=True)
class Run:
    """One attempt to refresh a feed. ``outcome`` is None while it runs; ``reason`` explains the outcome, with figures.

    ``seen`` is how the body was read: the format, its wrapping, and for the format ``auto`` why it was chosen.
    ``body_from`` is the address of the list if the definition finds it through a page.
    """

    id: int
    feed: str
    trigger: str
    started_at: str
    stage: Stage
    outcome: Outcome | None = None
    reason: str = ""
    finished_at: str | None = None
    counts: RunCounts = field(default_factory=RunCounts)
    rejected_by_code: dict[str, int] = field(default_factory=dict)
    body_sha256: str | None = None
    body_bytes: int | None = None
    seen: str = ""
    body_from: str | None = None
    review: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class HeldEntry:
    """One entry that is held for review by itself, or was decided. The decision is kept for all later runs of the feed.

    ``guard`` held it, with ``why`` as its sentence; ``run`` and ``position`` are where it was last seen. One that waits
    with ``decided_by`` waits because that person revoked a decision: then nothing but a person lists it.
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
class FlaggedEntry:
    """One entry that is listed and worth a look, or was looked at.

    ``guard`` flagged it, with ``why`` as its sentence; ``run`` and ``position`` are where it was newly listed. A
    decision counts for the site: other feeds that list the same rule are not flagged for it again.
    """

    id: int
    feed: str
    rule: Rule
    guard: str
    why: str
    entry: str
    position: int
    run: int
    flagged_at: str
    state: FlagState
    decided_by: str | None = None
    decided_at: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class HeldChange:
    """A rule that a held run would change. ``change`` is ``added``, ``removed`` or ``held``.

    ``stands_out`` is why the reviewer should look at it first; empty for most.
    """

    change: str
    rule: Rule
    entry: str
    position: int | None
    stands_out: str


@dataclass(frozen=True, slots=True)
class HeldListing:
    """A rule that a feed names and does not list, because it waits for a person or a person decided against it.

    ``hold`` is the id of the entry that is held alone; None where the whole run is held. ``run`` is the last run that
    named the rule, ``since`` when it began to wait, ``why`` what the guards found. ``rule``, ``entry`` and ``position``
    are None for a held run with more changes than are kept, which may name any rule. The decision of a person is in
    ``decided_by``, ``decided_at`` and ``decision``.
    """

    feed: str
    authority: Authority
    rule: Rule | None
    entry: str | None
    position: int | None
    reference: str | None
    legal_basis: str | None
    published_at: str | None
    run: int
    hold: int | None
    since: str
    why: str
    state: HoldState
    decided_by: str | None = None
    decided_at: str | None = None
    decision: str | None = None

    def waits(self, at: str | None = None) -> bool:
        """Return whether it waits for a person, now or at a moment of the past (RFC 3339, UTC)."""
        if at is None:
            return self.state is HoldState.WAITING
        decided_later = self.decided_at is not None and self.decided_at > at
        return self.since <= at and (self.state is HoldState.WAITING or decided_later)
