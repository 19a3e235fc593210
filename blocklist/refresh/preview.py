"""Preview: what a definition would give now, and what the guards would say. Nothing of it is kept."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from blocklist.config.settings import Settings
from blocklist.definitions.definition import FeedDefinition
from blocklist.definitions.source import Source
from blocklist.domain.errors import FetchError, GuardError, UnreadableFeedError
from blocklist.domain.listing import Entry, Rejected, Rule
from blocklist.domain.run import Effect, GuardFinding, RunCounts
from blocklist.fetch import Body, fetch
from blocklist.refresh import entry_guards, guard_evaluation, guards
from blocklist.refresh.body_reader import BodyReader
from blocklist.refresh.encoding_check import look_through
from blocklist.refresh.run import Refresher
from blocklist.store import Store

#: Entries and rejections that a preview shows.
PREVIEWED = 20
#: What a preview brings into the folder of incoming bodies begins so; one that died leaves it to the next start.
PREFIX = "preview-"


@dataclass(frozen=True, slots=True)
class Preview:
    """What a definition would give.

    ``fetched`` is where the body came from, ``body`` its SHA-256 and ``size`` its bytes; ``seen`` says which format it
    was read in, and of ``auto`` why; ``first`` are the first entries with their rules; ``waiting`` the entries that
    would be held alone; ``said`` is what every guard would say.
    """

    fetched: str
    size: int
    body: str
    content_type: str | None
    seen: str
    stated_date: str | None
    counts: RunCounts
    first: tuple[tuple[Entry, Rule], ...]
    rejections: tuple[Rejected, ...]
    rejected_by_code: dict[str, int]
    waiting: tuple[tuple[str, str], ...]
    said: tuple[GuardFinding, ...]

    @property
    def outcome(self) -> str:
        """What a run would end as: ``failed``, ``held`` or ``applied``."""
        effects = {item.effect for item in self.said}
        return "failed" if Effect.FAILS in effects else "held" if Effect.HOLDS in effects else "applied"

    @property
    def held(self) -> tuple[str, ...]:
        """The sentences of the guards that would hold the run."""
        return tuple(item.sentence for item in self.said if item.effect is Effect.HOLDS)


class Previewer:
    """Tries a definition over a data folder without a trace: a file that is removed, and temporary tables."""

    def __init__(self, store: Store, refresher: Refresher, settings: Settings) -> None:
        self._store = store
        self._refresher = refresher
        self._settings = settings

    def preview(self, definition: FeedDefinition, file: Path | None = None) -> Preview:
        """Read a list as it stands now; ``file`` brings its body instead of the definition's source.

        :raises FetchError: the body could not be had.
        """
        source = Source(file=str(file)) if file else definition.source
        into = self._settings.data_dir / "incoming" / f"{PREFIX}{uuid.uuid4().hex}"
        try:
            body = fetch(source, into, self._settings.fetch)
            if body is None:
                raise FetchError(
                    "the publisher says that the list has not changed, to a request that asked for all of it"
                )
            return self._read(definition, body, body.validators.get("from") or str(source.file or source.url))
        finally:
            self._store.staging.clear()
            into.unlink(missing_ok=True)

    def _read(self, definition: FeedDefinition, body: Body, fetched: str) -> Preview:
        reader = self._refresher.reader(definition)
        first: list[tuple[Entry, Rule]] = []
        counts, stated = RunCounts(), None
        said: list[GuardFinding] = []
        try:
            counts, stated, said = self._judged(definition, body, reader, first)
        except GuardError as error:
            said = [GuardFinding(error.guard, Effect.FAILS, str(error))]
        except UnreadableFeedError as error:
            said = [GuardFinding("unreadable", Effect.FAILS, str(error))]
        if not counts.entries:
            counts = RunCounts(entries=reader.entries, rejected=reader.rejected.total())
        waiting = tuple((rule.value, item.sentence) for rule, item, _ in reader.held)
        return Preview(
            *(
                fetched,
                body.size,
                body.sha256,
                body.content_type,
                reader.seen or definition.format,
                stated,
                counts,
                tuple(first),
            ),
            *(tuple(reader.rejections[:PREVIEWED]), dict(reader.rejected), waiting, tuple(said)),
        )

    def _judged(
        self, definition: FeedDefinition, body: Body, reader: BodyReader, first: list[tuple[Entry, Rule]]
    ) -> tuple[RunCounts, str | None, list[GuardFinding]]:
        limits = self._refresher.limits(definition)
        known = next((feed for feed in self._store.feeds.all() if feed.name == definition.name), None)
        feed_id = known.id if known else 0
        with body.path.open("rb") as raw, reader.opened(raw, body.content_type, body.path.parent) as opened:
            guards.check_body(opened, reader.encoding, reader.holds, limits.off)
            look = look_through(opened, reader.encoding, limits, reader.holds)
            ruled = reader.read(opened)
            first += islice(ruled, PREVIEWED)
            self._store.staging.load(chain(first, ruled))
        entry_guards.sift(self._store, definition.name, feed_id, reader, limits)
        diff = self._store.staging.diff(feed_id)
        counts = reader.counts(diff)
        said = guard_evaluation.judge(self._store, feed_id, limits, look, reader, diff)
        return counts, look.stated_date, [*said, *entry_guards.summary(reader)]
