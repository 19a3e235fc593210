"""Preview: what a definition would give now, and what the guards would find. It leaves no trace."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path

from blocklist.config.settings import Settings
from blocklist.definitions.definition import FeedDefinition
from blocklist.definitions.source import Source
from blocklist.domain.errors import FetchError, GuardError
from blocklist.domain.listing import Entry, Rejected, Rule
from blocklist.domain.run import Effect, GuardFinding, RunCounts
from blocklist.fetch import Body, fetch
from blocklist.fetch.body import modified_of
from blocklist.refresh.inspection import Arrival, Inspector
from blocklist.refresh.lifecycle import incoming_file
from blocklist.store import Store

#: Entries and rejections that a preview shows.
PREVIEWED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a definition would give.

    ``fetched`` is where the body came from, ``body`` its SHA-256 and ``size`` its bytes; ``seen`` is its format, for
    ``auto`` with the reason; ``first`` are the first entries with their rules; ``waiting`` are the entries that would
    be held alone, each with the reason, and ``flagged`` those that would be listed and worth a look;
    ``said`` is what the guards would find.
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
    flagged: tuple[tuple[str, str], ...]
    said: tuple[GuardFinding, ...]

    @property
    def outcome(self) -> str:
        """The outcome that a run would have: ``failed``, ``held`` or ``applied``."""
        effects = {item.effect for item in self.said}
        return "failed" if Effect.FAILS in effects else "held" if Effect.HOLDS in effects else "applied"


class Previewer:
    """Tries definitions over a data folder without a trace: its file is removed, its tables are temporary."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._inspector = Inspector(store, settings)

    def preview(self, definition: FeedDefinition, file: Path | None = None) -> Preview:
        """Fetch and read a list as it is now; ``file`` is read instead of the definition's source.

        :raises FetchError: the body could not be fetched.
        """
        source = Source(file=str(file)) if file else definition.source
        path = incoming_file(self._settings.data_dir, uuid.uuid4().hex)
        try:
            body = fetch(source, path, self._settings.fetch)
            if body is None:
                raise FetchError(
                    "the publisher says that the list has not changed, to a request that asked for all of it"
                )
            return self._inspect(definition, body, body.validators.get("from") or str(source.file or source.url))
        finally:
            self._store.staging.clear()
            path.unlink(missing_ok=True)

    def _inspect(self, definition: FeedDefinition, body: Body, fetched: str) -> Preview:
        known = next((feed for feed in self._store.feeds.all() if feed.name == definition.name), None)
        with body.path.open("rb") as stream:
            found = self._inspector.inspect(
                definition,
                known.id if known else 0,
                stream,
                Arrival(body.sha256, body.content_type, modified_of(body.validators)),
                folder=body.path.parent,
                first=PREVIEWED,
            )
        failure, said = found.failure, found.all_findings
        if failure:
            guard = failure.guard if isinstance(failure, GuardError) else "unreadable"
            said = [GuardFinding(guard, Effect.FAILS, str(failure))]
        return Preview(
            fetched=fetched,
            size=body.size,
            body=body.sha256,
            content_type=body.content_type,
            seen=found.description or definition.format,
            stated_date=None if failure else found.scan.stated_date,
            counts=RunCounts(found.counts.entries, rejected=found.counts.rejected) if failure else found.counts,
            first=tuple(found.first),
            rejections=found.rejections[:PREVIEWED],
            rejected_by_code=found.rejected_by_code,
            waiting=tuple((entry.rule.value, entry.finding.sentence) for entry in found.sifted.held),
            flagged=tuple((item.entry.rule.value, item.finding.sentence) for item in found.flagged),
            said=tuple(said),
        )
