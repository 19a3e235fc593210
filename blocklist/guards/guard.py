"""What a guard is, by kind: over the bytes of a body, over a whole list, over single entries.

A guard *fails* a run (no approval could make sense of the body), *holds* it (a person decides), *holds an entry* (a
person decides on it alone, and the run continues) or *refuses an entry*.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from blocklist.domain.listing import Entry, Rejected, Rule
from blocklist.domain.run import Counts, Effect, GuardFinding

T = TypeVar("T")


class Limits(BaseModel):
    """The settings of the guards that apply to a feed; :class:`Setting` reads the one of a guard.

    ``off``: names of the guards that are switched off.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    off: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """The setting of a guard: its name in ``[guards]``, its pydantic type, its default and its description.

    ``merged``: a feed's values count in addition to those of the service; otherwise they replace them.
    """

    name: str
    type: Any
    default: T
    description: str
    merged: bool = False

    def of(self, limits: Limits) -> T:
        """Return the value of this setting."""
        value: T = getattr(limits, self.name)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A guard as the documentation lists it.

    ``speaks``: when it has a finding. ``switchable``: naming it in ``guards.off`` switches it off.

    This class alone is for guards that the normalizing stage enforces (:mod:`blocklist.normalize.rules`).
    """

    name: str
    effect: Effect
    speaks: str
    setting: Setting[Any] | None = None
    switchable: bool = True

    @property
    def setting_name(self) -> str:
        """The setting that changes what this guard does: its own, else ``off``; empty if nothing does."""
        if self.setting:
            return self.setting.name
        return "off" if self.switchable else ""

    def is_on(self, limits: Limits) -> bool:
        """Return whether the guard is not switched off."""
        return self.name not in limits.off


# Over the bytes of a body


class BodyType(NamedTuple):
    """What the bytes of a body should be: its ``encoding``, and ``content``: ``text``, ``markup`` or ``binary``."""

    encoding: str = "utf-8"
    content: str = "text"

    @property
    def is_wide(self) -> bool:
        """Whether a character takes two bytes or more, so that text contains NUL bytes."""
        return self.encoding.startswith(("utf-16", "utf-32"))


class BodyCheck:
    """The check of one body by one guard. Each method returns the sentence of a finding, or None."""

    def __init__(self, body: BodyType, limits: Limits) -> None:
        self.body = body
        self.limits = limits

    def head(self, head: bytes) -> str | None:  # noqa: ARG002
        """Check the first bytes: :data:`HEAD_SIZE`, or fewer if that is the whole body."""
        return None

    def block(self, block: bytes) -> str | None:  # noqa: ARG002
        """Check one block after the other; called only for bodies of text."""
        return None

    def end(self) -> str | None:
        """Check what the blocks added up to; called only for bodies of text."""
        return None


#: Bytes that :meth:`BodyCheck.head` gets: enough for any preamble.
HEAD_SIZE = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyGuard(Guard):
    """A guard that fails a run because of the bytes of its body, before they are parsed."""

    check: type[BodyCheck]
    effect: Effect = Effect.FAILS


# Over a whole list


@dataclass(frozen=True, slots=True)
class BodyScan:
    """What a pass over all bytes of a body found; for a body that is not text, the values of an empty one.

    ``ends_open``: the last line has no line break. ``stated_date``: the date that the body states (RFC 3339), or None.
    ``tail``: its last bytes; ``whole``: whether they are all of it.
    """

    ends_open: bool = False
    stated_date: str | None = None
    tail: bytes = field(default=b"", repr=False, compare=False)
    whole: bool = field(default=False, compare=False)


class StoredFacts(Protocol):
    """What the database knows of a feed and of the list that is staged for it, asked only by guards that need it."""

    def stated_date(self) -> str | None:
        """Return the date that the body of the list that serves states."""

    def always_ended_with_line_break(self) -> bool:
        """Return whether the feed had good bodies before, and each ended with a line break."""

    def removed_continuation(self, rule: Rule) -> str | None:
        """Return a value that would be removed and begins with that of ``rule``; None unless ``rule`` would be new."""

    def staged_rules(self, hosts: Sequence[str], url_host: str) -> Sequence[Rule]:
        """Return the staged rules with one of these values, and those of URLs on a host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFacts:
    """What the guards over a whole list check.

    ``line_based``: a row of the format is a line, so a body that was cut off can be read up to the cut.
    ``cut_row``: a sentence if the format finds the last row incomplete.
    ``last`` and ``last_rule``: the last row of the body, and its rule if it gave one.
    ``held``: rules of the body that are not staged because their entries are held for a person.
    """

    counts: Counts
    stored: StoredFacts
    scan: BodyScan
    line_based: bool = False
    cut_row: str | None = None
    last: Entry | Rejected | None = None
    last_rule: Rule | None = None
    held: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListGuard(Guard):
    """A guard over a list as a whole; ``check`` returns the sentence of its finding, or None."""

    check: Callable[[ListFacts, Limits], str | None]


# Over single entries


class Refusal(Protocol):
    """Refuses rules, whatever list they are on."""

    def __call__(self, entry: Entry, rule: Rule) -> Rejected | None:
        """Return why an entry's rule is refused, or None."""

    def concerns(self, hosts: Sequence[str]) -> bool:
        """Return False if no rule of these hosts would be refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusingGuard(Guard):
    """A guard that refuses entries while a body is read.

    ``refusal`` returns what refuses them under these limits, or None if nothing would be refused.
    """

    refusal: Callable[[Limits], Refusal | None]
    effect: Effect = Effect.REFUSES


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingGuard(Guard):
    """A guard that holds newly listed hosts for a person.

    ``hosts`` returns them, each with a description that fits after "HOST is".
    """

    hosts: Callable[[], Mapping[str, str]]
    effect: Effect = Effect.HOLDS_ENTRY

    def finding(self, host: str) -> GuardFinding:
        """Return the finding for one of its hosts."""
        sentence = f"{host} is {self.hosts()[host]}: listed whole only when a person agrees"
        return GuardFinding(self.name, self.effect, sentence)
