"""A body read through: its entries made rules, counted, and what was rejected kept to show."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from blocklist.config.settings import GuardSettings
from blocklist.definitions.definition import FeedDefinition
from blocklist.domain.listing import Entry, HostBlock, Rejected, Rule
from blocklist.domain.run import GuardFinding, RunCounts
from blocklist.formats.base import Format
from blocklist.formats.registry import format_of
from blocklist.formats.sandbox.subprocess_reader import DEFAULT_MAX_BYTES
from blocklist.formats.wrapping import unwrap
from blocklist.normalize.batch_rules import rules_in_blocks
from blocklist.normalize.rules import READING_VERSION
from blocklist.store.runs import MAX_REJECTIONS_KEPT
from blocklist.store.staging import Diff

#: Rows between two words of progress.
_PROGRESS_STEP = 5_000


class Refusal(Protocol):
    """What refuses rules that nobody wants, whatever a list says."""

    def __call__(self, entry: Entry, rule: Rule) -> Rejected | None:
        """Return why an entry's rule must not be one, or None."""

    def concerns(self, hosts: Sequence[str]) -> bool:
        """Return whether any rule of these hosts could be refused."""


class BodyReader:
    """Reads one body as a definition says, and keeps the figures of it."""

    def __init__(
        self,
        definition: FeedDefinition,
        progress: Callable[[int], None] = lambda _: None,
        max_bytes: int = DEFAULT_MAX_BYTES,
        refusal: Refusal | None = None,
    ) -> None:
        """``refusal`` says of a rule why it must not be one; None where nothing is refused so."""
        self._format, self.options = format_of(definition.format, definition.options)
        self._reading = definition.rules.reading()
        self._progress = progress
        self._max_bytes = max_bytes
        self._refusal = refusal
        #: What the body was wrapped in, and which format it was read in (of ``auto``: taken for, and why), in words.
        self.seen = ""
        self.entries = 0
        self.rejected: Counter[str] = Counter()
        self.rejections: list[Rejected] = []
        #: What the last row gave: how a body ends that was cut off.
        self.last: Entry | Rejected | None = None
        self.last_rule: Rule | None = None
        #: Rules that were taken out of the body because they wait for a person, each with who held it and its facts.
        self.held: list[tuple[Rule, GuardFinding, dict[str, Any]]] = []

    @property
    def encoding(self) -> str:
        """The encoding that the definition gives for the body; ``utf-8`` where a page declares its own."""
        return getattr(self.options, "encoding", None) or "utf-8"

    @property
    def format(self) -> Format:
        """The format that the body is read in."""
        return self._format

    @property
    def holds(self) -> str:
        """What a body of the format is made of: ``text``, ``markup`` or ``binary``."""
        return self._format.content

    @contextmanager
    def opened(self, body: BinaryIO, content_type: str | None = None, folder: Path | None = None) -> Iterator[BinaryIO]:
        """Give the list inside a body as it came: unwrapped, and with format ``auto`` decided.

        ``content_type`` is what it came with; ``folder`` is where what was wrapped lies while it is read.

        :raises UnreadableFeedError: it cannot be unwrapped within ``max_bytes``, or looks like no format.
        """
        with unwrap(body, self._max_bytes, self.options.member, folder) as (inside, wrapping):
            self._format, self.options, description = self._format.resolve(inside, self.options, content_type)
            self.seen = f"{wrapping}, in it {description}" if wrapping else description
            yield inside

    def read(self, body: BinaryIO) -> Iterator[tuple[Entry, Rule]]:
        """Yield each entry with its rule; what has none is counted, and the first of them kept.

        :raises UnreadableFeedError: no later row of the body could be trusted.
        """
        for item in self.read_in_blocks(body):
            if isinstance(item, HostBlock):
                yield from item.ruled()
            else:
                yield item

    def read_in_blocks(self, body: BinaryIO) -> Iterator[tuple[Entry, Rule] | HostBlock]:
        """Yield what :meth:`read` does, plain hosts on consecutive lines together.

        :raises UnreadableFeedError: no later row of the body could be trusted.
        """
        item: tuple[Entry, Rule] | Rejected | HostBlock | None = None
        told = 0
        # type() is twice as fast as isinstance(), but mypy does not narrow a union by it.
        for item in self._in_blocks(body):
            kind = type(item)
            self.entries += len(item.values) if kind is HostBlock else 1  # type: ignore[union-attr]
            if self.entries >= told + _PROGRESS_STEP:
                told = self.entries
                self._progress(told)
            if kind is Rejected:
                self.refuse(item)  # type: ignore[arg-type]
            else:
                yield item  # type: ignore[misc]
        if isinstance(item, HostBlock):
            *_, item = item.ruled()
        self.last, self.last_rule = (item, None) if item is None or isinstance(item, Rejected) else item
        self._progress(self.entries)

    def _in_blocks(self, body: BinaryIO) -> Iterator[tuple[Entry, Rule] | Rejected | HostBlock]:
        ruled = rules_in_blocks(self._format.blocks(body, self.options, self._max_bytes), self._reading)
        return ruled if self._refusal is None else _refused(ruled, self._refusal)

    def refuse(self, item: Rejected) -> None:
        """Count a row that gives no rule, and keep it if it is one of the first."""
        self.rejected[item.code] += 1
        if len(self.rejections) < MAX_REJECTIONS_KEPT:
            self.rejections.append(item)

    def counts(self, diff: Diff) -> RunCounts:
        """Return the figures of the run, once the body was read and compared."""
        rejected = self.rejected.total()
        return RunCounts(
            entries=self.entries,
            rules=diff.rules,
            rejected=rejected,
            duplicates=self.entries - rejected - diff.rules - len(self.held),
            added=diff.added,
            removed=diff.removed,
            amended=diff.amended,
            listed=diff.listed_before,
            held=len(self.held),
        )


def _refused(
    ruled: Iterable[tuple[Entry, Rule] | Rejected | HostBlock], refusal: Refusal
) -> Iterator[tuple[Entry, Rule] | Rejected | HostBlock]:
    """Yield what is not refused as it is, and the reason for what is."""
    for item in ruled:
        if type(item) is Rejected:
            yield item
        elif not isinstance(item, HostBlock):
            yield refusal(*item) or item
        elif refusal.concerns(item.values):
            yield from (refusal(*one) or one for one in item.ruled())
        else:
            yield item


def reading_of(definition: FeedDefinition, limits: GuardSettings) -> str:
    """Return a word that changes whenever the same body would give other rules or facts."""
    parts: list[Any] = [
        *(READING_VERSION, definition.format, definition.options, definition.rules.model_dump(mode="json"))
    ]
    entry_guards = [limits.never_block, *sorted({"popular_host", "shared_host"} & set(limits.off))]
    if any(entry_guards):
        parts.append(entry_guards)
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
