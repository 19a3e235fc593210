"""A body opened as its definition says, and read: its entries with their rules, and the figures of the reading."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from blocklist.definitions.definition import FeedDefinition
from blocklist.domain.listing import Entry, HostBlock, Rejected, Rule
from blocklist.formats.base import Format, FormatOptions
from blocklist.formats.registry import format_of
from blocklist.formats.sandbox.subprocess_reader import DEFAULT_MAX_BYTES
from blocklist.formats.wrapping import unwrap
from blocklist.guards.guard import BodyType, Limits, Refusal
from blocklist.guards.popular_hosts import TIERS_VERSION
from blocklist.guards.registry import HOLDING_GUARDS, REFUSING_GUARDS
from blocklist.normalize.batch_rules import rules_in_blocks
from blocklist.normalize.rules import READING_VERSION, Reading
from blocklist.refresh.own_addresses import own_hosts
from blocklist.store.runs import MAX_REJECTIONS_KEPT
from blocklist.text.dates import DateForm, published_date

#: Different dates that are remembered while a body is read: lists repeat few of them.
_MAX_DATES = 10_000


@dataclass(frozen=True, slots=True)
class OpenedBody:
    """A body without its wrapping, and what to read it with.

    ``max_bytes``: the size to which a document may open. ``description``: for people, what the body was wrapped in and
    the format it is read in; for ``auto``, why that one.
    """

    stream: BinaryIO
    format: Format
    options: FormatOptions
    reading: Reading
    max_bytes: int
    description: str

    @property
    def type(self) -> BodyType:
        """What the bytes should be; the encoding is ``utf-8`` where a page declares its own."""
        return BodyType(getattr(self.options, "encoding", None) or "utf-8", self.format.content)


@contextmanager
def opened_body(
    definition: FeedDefinition,
    body: BinaryIO,
    *,
    content_type: str | None = None,
    folder: Path | None = None,
    max_bytes: int = DEFAULT_MAX_BYTES,
) -> Iterator[OpenedBody]:
    """Give a body unwrapped, with format ``auto`` resolved.

    ``content_type`` is that of the response it came with; ``folder`` is where a wrapped body is unwrapped to.

    :raises UnreadableFeedError: it cannot be unwrapped within ``max_bytes``, or its format is not recognized.
    """
    format_, options = format_of(definition.format, definition.options)
    with unwrap(body, max_bytes, options.member, folder) as (stream, wrapping):
        format_, options, description = format_.resolve(stream, options, content_type)
        if wrapping:
            description = f"{wrapping}, in it {description}"
        yield OpenedBody(stream, format_, options, definition.rules.reading(), max_bytes, description)


class UnreadDates(NamedTuple):
    """The number of entries whose date could not be read, and the position and text of the first."""

    entries: int = 0
    position: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class ReadResult:
    """The figures of a reading, in rows; ``rejections`` are the first rejected ones.

    ``last`` and ``last_rule``: the last row of a body that was read to its end, and its rule if it gave one.
    ``first_rejected``: the first rejected row of each code. ``unread_dates``: the entries that state a date which could
    not be read, with the first one (its position and text).
    """

    entries: int = 0
    rejected_by_code: Mapping[str, int] = field(default_factory=dict)
    rejections: tuple[Rejected, ...] = ()
    last: Entry | Rejected | None = None
    last_rule: Rule | None = None
    first_rejected: Mapping[str, Rejected] = field(default_factory=dict)
    unread_dates: UnreadDates = field(default_factory=UnreadDates)

    @property
    def dates_note(self) -> str:
        """What to add to the description of the format if dates could not be read; empty if all could."""
        count, position, text = self.unread_dates
        if not count:
            return ""
        states = "1 entry states" if count == 1 else f"{count:,} entries state"
        return (
            f"; {states} a date that is none, or that can be read in two ways, such as {text[:40]!r} at position "
            f"{position}: published_at is empty there (option dates)"
        )


class BodyReader:
    """Reads one body once; :meth:`result` returns the figures, also of a reading that ended early."""

    def __init__(
        self,
        body: OpenedBody,
        refusals: Sequence[Refusal] = (),
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._body = body
        self._refusals = refusals
        self._progress = progress
        self._entries = 0
        self._rejected: Counter[str] = Counter()
        self._rejections: list[Rejected] = []
        self._first_rejected: dict[str, Rejected] = {}
        self._last: tuple[Entry | Rejected | None, Rule | None] = (None, None)
        self._unread_dates = UnreadDates()

    def result(self) -> ReadResult:
        """Return the figures of what was read so far."""
        figures = self._entries, dict(self._rejected), tuple(self._rejections)
        return ReadResult(*figures, *self._last, self._first_rejected, self._unread_dates)

    def read_in_blocks(self) -> Iterator[tuple[Entry, Rule] | HostBlock]:
        """Yield each entry with its rule, plain hosts on consecutive lines together; count the rows that have no rule.

        :raises UnreadableFeedError: no later row of the body could be trusted.
        """
        item: tuple[Entry, Rule] | Rejected | HostBlock | None = None
        reported = 0
        # type() is twice as fast as isinstance(), but mypy does not narrow a union by it.
        body = self._body
        ruled = rules_in_blocks(body.format.blocks(body.stream, body.options, body.max_bytes), body.reading)
        if getattr(body.options, "published_at", None) is not None:
            ruled = self._with_dates(ruled)
        for refusal in self._refusals:
            ruled = _refuse(ruled, refusal)
        for item in ruled:
            kind = type(item)
            self._entries += len(item.values) if kind is HostBlock else 1  # type: ignore[union-attr]
            if self._entries >= reported + 5_000:
                reported = self._entries
                self._progress(reported)
            if kind is Rejected:
                self._rejected[item.code] += 1  # type: ignore[union-attr]
                self._first_rejected.setdefault(item.code, item)  # type: ignore[union-attr, arg-type]
                if len(self._rejections) < MAX_REJECTIONS_KEPT:
                    self._rejections.append(item)  # type: ignore[arg-type]
            else:
                yield item  # type: ignore[misc]
        if isinstance(item, HostBlock):
            *_, item = item.ruled()
        self._last = (item, None) if item is None or isinstance(item, Rejected) else item
        self._progress(self._entries)

    def _with_dates(
        self, ruled: Iterable[tuple[Entry, Rule] | Rejected | HostBlock]
    ) -> Iterator[tuple[Entry, Rule] | Rejected | HostBlock]:
        """Yield the same with the dates of the rows as RFC 3339, and count those that cannot be read."""
        form: DateForm = getattr(self._body.options, "dates", "auto")
        read: dict[str, str | None] = {}
        for item in ruled:
            if isinstance(item, Rejected | HostBlock):
                yield item
                continue
            entry, rule = item
            text = entry.published_at
            if text is None:
                yield item
                continue
            if text not in read:
                if len(read) >= _MAX_DATES:
                    read.clear()
                read[text] = published_date(text[:200], form)
            if read[text] is None:
                count, position, first = self._unread_dates
                first_one = (position, first) if count else (entry.position, text)
                self._unread_dates = UnreadDates(count + 1, *first_one)
            yield entry._replace(published_at=read[text]), rule


def _refuse(
    ruled: Iterable[tuple[Entry, Rule] | Rejected | HostBlock], refusal: Refusal
) -> Iterator[tuple[Entry, Rule] | Rejected | HostBlock]:
    """Yield what is not refused unchanged, and why for what is refused."""
    for item in ruled:
        if type(item) is Rejected:
            yield item
        elif not isinstance(item, HostBlock):
            yield refusal(*item) or item
        elif refusal.concerns(item.values):
            yield from (refusal(*one) or one for one in item.ruled())
        else:
            yield item


def reading_fingerprint(definition: FeedDefinition, limits: Limits) -> str:
    """Return a fingerprint of everything that determines which rules and facts a body gives."""
    rules = definition.rules.model_dump(mode="json")
    parts: list[Any] = [READING_VERSION, definition.format, definition.options, rules, own_hosts(definition)]
    entry_guards = [guard.setting.of(limits) for guard in REFUSING_GUARDS if guard.setting]
    entry_guards += sorted(guard.name for guard in HOLDING_GUARDS if not guard.is_on(limits))
    parts += [TIERS_VERSION, entry_guards]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
