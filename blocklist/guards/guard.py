"""What a guard is, by kind: over the bytes of a body, over a whole list, over single entries.

A guard *fails* a run (no approval could make sense of the body), *holds* it (a person decides), *holds an entry* (a
person decides on it alone, and the run continues), *refuses an entry*, or *flags an entry*: that one is listed, and a
person may look at it. A guard that only notes something changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from blocklist.domain.listing import Entry, Rejected, Rule
from blocklist.domain.run import AppliedList, Effect, GuardFinding, RunCounts
from blocklist.guards.stated_sizes import StatedSize

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

    A feed's value replaces that of the service; the values of a tuple count in addition.
    """

    name: str
    type: Any
    default: T
    description: str

    @property
    def merged(self) -> bool:
        """Whether a feed's values count in addition to those of the service."""
        return isinstance(self.default, tuple)

    def of(self, limits: Limits) -> T:
        """Return the value of this setting."""
        value: T = getattr(limits, self.name)
        return value


@dataclass(frozen=True, slots=True)
class Guard:
    """A guard as the documentation lists it. This class alone: one that :mod:`blocklist.normalize.rules` enforces.

    ``speaks``: when it has a finding. ``switchable``: naming it in ``guards.off`` switches it off.
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

#: Bytes that :meth:`BodyCheck.head` gets: enough for any preamble.
HEAD_SIZE = 65_536


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
        """Check the first :data:`HEAD_SIZE` bytes."""
        return None

    def block(self, block: bytes) -> str | None:  # noqa: ARG002
        """Check one block after the other, if the body should be text."""
        return None

    def end(self) -> str | None:
        """Check what the blocks added up to, if the body should be text."""
        return None


@dataclass(frozen=True, slots=True)
class BodyGuard(Guard):
    """A guard that checks the bytes of a body before they are parsed; it fails the run."""

    check: type[BodyCheck] = field(kw_only=True)


# Over a whole list


@dataclass(frozen=True, slots=True)
class BodyScan:
    """What a pass over all bytes of a body found; for a body that is not text, the values of an empty one.

    ``ends_open``: the last line has no line break. ``stated_date``: the date that the body states (RFC 3339), or None.
    ``tail``: its last bytes; ``whole``: whether they are all of it. ``stated_size``: what it states about its size.
    ``end_marker``: its last line says that it is the end.
    """

    ends_open: bool = False
    stated_date: str | None = None
    tail: bytes = field(default=b"", repr=False, compare=False)
    whole: bool = field(default=False, compare=False)
    stated_size: StatedSize = field(default_factory=StatedSize, compare=False)
    end_marker: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFacts:
    """What the guards over a whole list check. The functions ask the database, and only guards that need it call them.

    ``line_based``: a row of the format is a line, so a body that was cut off can be read up to the cut.
    ``cut_row``: a sentence if the format finds the last row incomplete.
    ``last`` and ``last_rule``: the last row of the body, and its rule if it gave one.
    ``held``: rules of the body that are not staged because their entries are held for a person.
    ``modified``: the ``Last-Modified`` that the body came with (RFC 3339), or None.
    ``served_date()`` and ``served_modified()``: the date that the body of the list that serves states, and its
    ``Last-Modified``.
    ``recent()``: the lists that were applied within the last 30 days, oldest first.
    ``served_before()``: when this very body was last applied, if another one has replaced it since.
    ``returning()``: how many of the new rules the feed listed within the last 30 days.
    ``twin()``: the feed of another authority that has this body, or nearly the same sites: a text for people.
    ``always_closed()``: whether the feed had good bodies before, and each ended with a line break.
    ``removed_continuation(rule)``: a value that would be removed and begins with that of a rule that would be new.
    ``filtered``: only rows that meet the option ``where`` were read. ``not_read``: a sentence if the format found that
    a part of the list is elsewhere. ``always_marked()``: whether the feed had good bodies before, and each said at its
    end that it is the end.
    ``staged_rules(values, url_host)``: the staged rules with one of these values, and those of URLs on a host.
    """

    counts: RunCounts
    scan: BodyScan
    line_based: bool
    cut_row: str | None
    last: Entry | Rejected | None
    last_rule: Rule | None
    held: tuple[Rule, ...]
    modified: str | None
    served_date: Callable[[], str | None]
    served_modified: Callable[[], str | None]
    recent: Callable[[], Sequence[AppliedList]]
    served_before: Callable[[], str | None]
    returning: Callable[[], int]
    twin: Callable[[], str | None]
    always_closed: Callable[[], bool]
    removed_continuation: Callable[[Rule], str | None]
    staged_rules: Callable[[Sequence[str], str], Sequence[Rule]]
    filtered: bool = False
    not_read: str | None = None
    always_marked: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True)
class ListGuard(Guard):
    """A guard over a list as a whole; see :func:`list_guard`."""

    check: Callable[[ListFacts, Any], str | None] = field(kw_only=True)

    def sentence(self, facts: ListFacts, limits: Limits) -> str | None:
        """Return the sentence of the guard's finding, or None."""
        return self.check(facts, self.setting.of(limits) if self.setting else None) if self.is_on(limits) else None


def list_guard(
    name: str, effect: Effect, speaks: str, setting: Setting[T] | None = None, *, switchable: bool = True
) -> Callable[[Callable[[ListFacts, T], str | None]], ListGuard]:
    """Return a decorator that turns a check into its guard.

    The check gets the value of the setting, or None, and returns the sentence of its finding, or None.
    """
    return lambda check: ListGuard(name, effect, speaks, setting, switchable, check=check)


# Over single entries


class Refusal(Protocol):
    """Refuses rules, whatever list they are on."""

    def __call__(self, entry: Entry, rule: Rule) -> Rejected | None:
        """Return why an entry's rule is refused, or None."""

    def concerns(self, hosts: Sequence[str]) -> bool:
        """Return False if no rule of these hosts would be refused."""


@dataclass(frozen=True, slots=True)
class RefusingGuard(Guard):
    """A guard that refuses entries while a body is read; ``refusal`` returns what refuses them, or None if nothing."""

    refusal: Callable[[Limits], Refusal | None] = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class HoldingGuard(Guard):
    """A guard that holds newly listed ``hosts``: each with a description that fits after "HOST is".

    ``confirmable()``: those of them that are listed if another independent authority's feed lists them too.
    """

    hosts: Callable[[], Mapping[str, str]] = field(kw_only=True)
    confirmable: Callable[[], Mapping[str, str]] = field(kw_only=True, default=dict)

    def finding(self, host: str) -> GuardFinding:
        """Return the finding for one of its hosts."""
        until = "when a person agrees"
        if host in self.confirmable():
            until += ", or another independent authority lists it too"
        return GuardFinding(self.name, self.effect, f"{host} is {self.hosts()[host]}: listed whole only {until}")


@dataclass(frozen=True, slots=True)
class FlaggingGuard(Guard):
    """A guard that flags newly listed hosts; ``why`` returns why a host deserves a look, or an empty text."""

    why: Callable[[str], str] = field(kw_only=True)
