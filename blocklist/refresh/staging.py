"""A body put beside the listings: whole, or only what differs from the body that serves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import BinaryIO

from blocklist.definition import FeedDefinition
from blocklist.errors import BlocklistError
from blocklist.fetch import Body
from blocklist.fetch.body import Bodies
from blocklist.refresh.difference import (
    MAX_BYTES,
    Changes,
    Memory,
    Remembered,
    changes_of,
    decided_rules,
    is_linewise,
    lines_at,
    mentions_after,
    states_facts,
)
from blocklist.refresh.entries import REFUSED
from blocklist.refresh.reading import MAX_REMEMBERED, BodyReader
from blocklist.store import Store
from blocklist.store.listings import Diff
from blocklist.vocabulary import Feed, Rule

#: The values that were newly stated, where only what changed was read; None where all of a body was.
Staged = set[str] | None
_Mentions = list[tuple[str, str, str, int]]


def stage_whole(store: Store, reader: BodyReader, opened: BinaryIO) -> Staged:
    """Stage all of a body.

    :raises UnreadableFeedError: no later row of the body could be trusted.
    """
    store.listings.stage(reader.read_in_blocks(opened))
    return None


@dataclass
class Stager:
    """Stages the body of one run, and knows what the next run will want to know of it."""

    store: Store
    bodies: Bodies
    memory: Memory
    feed: Feed
    definition: FeedDefinition
    body: Body
    reader: BodyReader
    #: The word of :func:`blocklist.refresh.reading.reading_of` for the definition and the guards.
    reading: str
    _changes: Changes | None = field(default=None, init=False)
    _repeated: _Mentions | None = field(default=None, init=False)

    def stage(self, opened: BinaryIO) -> Staged:
        """Stage the body, of which only what changed is read where that gives the same; return what that stated.

        :raises UnreadableFeedError: no later row of the body could be trusted.
        """
        changed = self._stage_changes()
        return stage_whole(self.store, self.reader, opened) if changed is None else changed

    def remembered(self, diff: Diff) -> Remembered | None:
        """Return what to remember once this body serves; None where its next version must be read whole.

        To be asked while everything that the body states is staged.
        """
        if not is_linewise(self.definition, self.reader) or self.body.size > MAX_BYTES:
            return None
        reader = self.reader
        telling = self._telling()
        repeated = self._stated_often(diff) if self._repeated is None else self._repeated
        if telling is None or repeated is None:
            return None
        decided = sorted(reader.decided)
        # What only a person's word lists is not counted: that may change without a body.
        rules = diff.rules - len(reader.decided.intersection(self.store.holds.staged_among(_values(decided))))
        # Refusals are given anew by each run.
        rejected = {code: count for code, count in reader.rejected.items() if code != REFUSED}
        return Remembered(
            *(self.body.sha256, self.reading, reader.entries, rules, rejected),
            *(sorted(line.decode("latin-1") for line in telling), repeated),
            [[rule.kind.value, rule.value, rule.scope.value] for rule in decided],
        )

    def _stage_changes(self) -> Staged:
        """Return the values of the rules that new lines state, or None where the body must be read whole."""
        remembered = self._base()
        if remembered is None:
            return None
        try:
            with self.bodies.open(remembered.body) as kept:
                old = kept.read(MAX_BYTES + 1)
        except (BlocklistError, OSError, EOFError):
            return None
        changes = changes_of(old, self.body.path.read_bytes(), remembered, self.reader)
        del old
        if changes is None:
            return None
        listings = self.store.listings
        touched = {*(rule for _, rule in changes.arriving), *changes.lost, *decided_rules(remembered)}
        leaving, repeated = mentions_after(remembered, changes, listings.which_listed(self.feed.id, touched))
        sound = len(repeated) <= MAX_REMEMBERED and not (repeated and states_facts(self.reader))
        stated = [*changes.arriving, *changes.restated]
        if not sound or not listings.stage_changes(self.feed.id, stated, leaving):
            self.reader.reset()
            return None
        self._changes, self._repeated = changes, repeated
        return {rule.value for _, rule in stated}

    def _base(self) -> Remembered | None:
        """Return what is remembered of the body that serves, if it is the whole truth about what the feed lists."""
        if not is_linewise(self.definition, self.reader) or self.body.size > MAX_BYTES:
            return None
        applied, reading, _ = self.store.feeds.applied(self.feed.name)
        remembered = self.memory.get(self.feed.id)
        if remembered is None or (remembered.body, remembered.reading) != (applied, reading):
            return None
        if reading != self.reading or (remembered.repeated and states_facts(self.reader)):
            return None
        decided = decided_rules(remembered)
        if decided != {hold.rule for hold in self.store.holds.all(self.feed.name, None)}:
            return None
        # A listing that no line gave must not be taken for one that some line did.
        listed = self.store.listings.listed(self.feed.id)
        apart = decided.intersection(self.store.holds.listed_among(self.feed.id, _values(decided)))
        return remembered if remembered.rules == listed - len(apart) else None

    def _telling(self) -> set[bytes] | None:
        """Return the lines of the body that the next run must read wherever they stand; None if they are too many."""
        positions = self.reader.rejected_positions | self.reader.decided_positions
        if self._changes:
            lines = self._changes.lines
            found = self._changes.telling | {lines[at] for at in positions & lines.keys()}
        else:
            if len(positions) > MAX_REMEMBERED:
                return None
            try:
                found = lines_at(self.body.path, positions)
            except OSError:
                return None
        return found if len(found) <= MAX_REMEMBERED else None

    def _stated_often(self, diff: Diff) -> _Mentions | None:
        """Return the rules that a body which was read whole states more than once; None if they are too many."""
        if self.reader.entries - self.reader.rejected.total() == diff.rules:
            return []
        found = self.store.listings.repeated(MAX_REMEMBERED)
        if found is None:
            return None
        return [
            (rule.kind.value, rule.value, rule.scope.value, count)
            for rule, count in found
            if rule not in self.reader.decided
        ]


def _values(rules: Iterable[Rule]) -> list[str]:
    return [rule.value for rule in rules]
