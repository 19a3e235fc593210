"""A body read through: its entries made rules, counted, and what was rejected kept to show."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel

from blocklist.definition import FeedDefinition
from blocklist.formats import format_of, taken_for
from blocklist.formats.apart import DEFAULT_MAX_BYTES
from blocklist.formats.wrapping import unwrapped
from blocklist.normalize.rules import READING_VERSION, rules_of
from blocklist.store.listings import Diff
from blocklist.store.runs import MAX_REJECTIONS_KEPT
from blocklist.vocabulary import Counts, Entry, Rejected, Rule

#: Positions of rejected rows that are kept for the next run; one more tells that there were more.
MAX_REMEMBERED = 50_000
#: Rows between two words of progress.
_PROGRESS_STEP = 5_000


class BodyReader:
    """Reads one body as a definition says, and keeps the figures of it."""

    def __init__(
        self,
        definition: FeedDefinition,
        progress: Callable[[int], None] = lambda _: None,
        max_bytes: int = DEFAULT_MAX_BYTES,
    ) -> None:
        self._format, self._options = format_of(definition.format, definition.options)
        self._reading = definition.rules.reading()
        self._progress = progress
        self._max_bytes = max_bytes
        #: What the body was wrapped in, and which format it was read in (of ``auto``: taken for, and why), in words.
        self.seen = ""
        self.entries = 0
        self.rejected: Counter[str] = Counter()
        self.rejections: list[Rejected] = []
        self.rejected_positions: set[int] = set()

    @property
    def options(self) -> BaseModel:
        """The validated options of the format."""
        return self._options

    @property
    def encoding(self) -> str:
        """The encoding that the definition gives for the body."""
        return str(getattr(self._options, "encoding", "utf-8"))

    @property
    def holds(self) -> str:
        """What a body of the format is made of: ``text``, ``markup`` or ``binary``."""
        return self._format.holds

    @contextmanager
    def opened(self, body: BinaryIO, content_type: str | None = None, folder: Path | None = None) -> Iterator[BinaryIO]:
        """Give the list inside a body as it came: unwrapped, and with format ``auto`` decided.

        ``content_type`` is what it came with; ``folder`` is where what was wrapped lies while it is read.

        :raises UnreadableFeedError: it cannot be unwrapped within ``max_bytes``, or looks like no format.
        """
        with unwrapped(body, self._max_bytes, getattr(self._options, "member", None), folder) as (inside, wrapping):
            said = self._format.name
            if said == "auto":
                self._format, self._options, said = taken_for(inside, self._options, content_type)
            self.seen = f"{wrapping}, in it {said}" if wrapping else said
            yield inside

    def read(self, body: BinaryIO) -> Iterator[tuple[Entry, Rule]]:
        """Yield each entry with its rule; what has none is counted, and the first of them kept.

        :raises UnreadableFeedError: no later row of the body could be trusted.
        """
        for item in self.items(body):
            self.entries += 1
            if self.entries % _PROGRESS_STEP == 0:
                self._progress(self.entries)
            if type(item) is Rejected:
                self.rejected[item.code] += 1
                if len(self.rejected_positions) <= MAX_REMEMBERED:
                    self.rejected_positions.add(item.position)
                if len(self.rejections) < MAX_REJECTIONS_KEPT:
                    self.rejections.append(item)
            else:
                yield item  # type: ignore[misc]  # mypy does not narrow a union by type() of one member
        self._progress(self.entries)

    def items(self, body: BinaryIO) -> Iterator[tuple[Entry, Rule] | Rejected]:
        """Yield each entry with its rule or the reason why it has none, and count nothing.

        :raises UnreadableFeedError: no later row of the body could be trusted.
        """
        return rules_of(self._format.entries(body, self._options, self._max_bytes), self._reading)

    def reset(self) -> None:
        """Forget the figures, to read anew."""
        self.entries = 0
        self.rejected, self.rejections, self.rejected_positions = Counter(), [], set()

    def adopt(self, entries: int, rejected: Counter[str], rejections: list[Rejected]) -> None:
        """Take over the figures of a body of which only the changes were read."""
        self.entries = entries
        self.rejected = rejected
        self.rejections = rejections[:MAX_REJECTIONS_KEPT]
        self._progress(entries)

    def counts(self, diff: Diff) -> Counts:
        """Return the figures of the run, once the body was read and compared."""
        rejected = self.rejected.total()
        return Counts(
            entries=self.entries,
            rules=diff.rules,
            rejected=rejected,
            duplicates=self.entries - rejected - diff.rules,
            added=diff.added,
            removed=diff.removed,
            amended=diff.amended,
            listed=diff.listed_before,
        )


def reading_of(definition: FeedDefinition) -> str:
    """Return a word that changes whenever the same body would give other rules or facts."""
    parts = [READING_VERSION, definition.format, definition.options, definition.rules.model_dump(mode="json")]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
