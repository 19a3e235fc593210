"""A body put beside the listings: whole, or only what differs from the body that serves."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import BinaryIO

from blocklist.definition import FeedDefinition
from blocklist.errors import BlocklistError
from blocklist.fetch import Body
from blocklist.fetch.body import Bodies
from blocklist.refresh.difference import (
    MAX_BYTES,
    Memory,
    Remembered,
    changes_of,
    is_linewise,
    mentions_after,
    rejecting_lines,
    states_facts,
)
from blocklist.refresh.reading import MAX_REMEMBERED, BodyReader
from blocklist.store import Store
from blocklist.store.listings import Diff
from blocklist.vocabulary import Feed

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
    _rejecting: list[str] | None = field(default=None, init=False)
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
        if self._rejecting is None:
            self._look_back(diff)
        if self._rejecting is None or self._repeated is None:
            return None
        return Remembered(
            self.body.sha256,
            self.reading,
            self.reader.entries,
            diff.rules,
            dict(self.reader.rejected),
            self._rejecting,
            self._repeated,
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
        touched = {*(rule for _, rule in changes.arriving), *changes.lost}
        leaving, repeated = mentions_after(remembered, changes, listings.which_listed(self.feed.id, touched))
        sound = len(repeated) <= MAX_REMEMBERED and not (repeated and states_facts(self.reader))
        if not sound or not listings.stage_changes(self.feed.id, changes.arriving, leaving):
            self.reader.reset()
            return None
        self._rejecting, self._repeated = changes.rejecting, repeated
        return {rule.value for _, rule in changes.arriving}

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
        # Where a person held entries back, the body states more than the feed lists.
        return remembered if remembered.rules == self.store.listings.listed(self.feed.id) else None

    def _look_back(self, diff: Diff) -> None:
        """Find the lines and rules of a body that was read whole that the next run must know of."""
        positions = self.reader.rejected_positions
        if len(positions) > MAX_REMEMBERED:
            return
        if self.reader.entries - self.reader.rejected.total() > diff.rules:
            found = self.store.listings.repeated(MAX_REMEMBERED)
            if found is None:
                return
            self._repeated = [(rule.kind.value, rule.value, rule.scope.value, count) for rule, count in found]
        else:
            self._repeated = []
        with contextlib.suppress(OSError):
            self._rejecting = rejecting_lines(self.body.path, positions)
