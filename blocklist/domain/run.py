"""Runs, what guards find in them, and what waits for a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from blocklist.domain.listing import Rule


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


class GuardFinding(NamedTuple):
    """What a guard said of a run: its name, what it does, and a sentence with the figures."""

    guard: str
    effect: Effect
    sentence: str


@dataclass(frozen=True, slots=True)
class RunCounts:
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
    counts: RunCounts = field(default_factory=RunCounts)
    rejected_by_code: dict[str, int] = field(default_factory=dict)
    body_sha256: str | None = None
    body_bytes: int | None = None
    seen: str = ""
    body_from: str | None = None
    review: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class HeldEntry:
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
class HeldChange:
    """A rule that a held run would add, remove, or hold alone (``change``), and why it stands out, if it does."""

    change: str
    rule: Rule
    entry: str
    position: int | None
    stands_out: str
