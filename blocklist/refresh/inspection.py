"""Inspection: what a body is and would change. One order of stages for runs, previews and reviews.

Open, scan the bytes, read, sift entries, diff with what the feed lists, judge by the guards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple

from blocklist.config.settings import Settings
from blocklist.definitions.definition import FeedDefinition
from blocklist.domain.errors import UnreadableFeedError
from blocklist.domain.listing import Entry, HostBlock, Rejected, Rule
from blocklist.domain.run import Effect, GuardFinding, RunCounts, Stage
from blocklist.guards.completeness import NOT_READ
from blocklist.guards.guard import BodyScan, Limits, ListFacts
from blocklist.guards.guard_settings import limits_of
from blocklist.guards.registry import REFUSING_GUARDS
from blocklist.refresh import guard_evaluation
from blocklist.refresh.body_reader import BodyReader, OpenedBody, ReadResult, opened_body, reading_fingerprint
from blocklist.refresh.entry_flagging import FlaggedNow, flag
from blocklist.refresh.entry_sifting import Sifted, sift
from blocklist.refresh.entry_summaries import summaries
from blocklist.refresh.list_history import ListHistory
from blocklist.refresh.own_addresses import OwnAddresses, own_hosts
from blocklist.store import Store
from blocklist.store.runs import MAX_REJECTIONS_KEPT
from blocklist.store.staging import Diff


class Arrival(NamedTuple):
    """How a body arrived: its SHA-256, the content type of the response, and its ``Last-Modified`` (RFC 3339)."""

    sha256: str
    content_type: str | None = None
    modified: str | None = None


@dataclass(slots=True)
class Inspection:
    """The result of an inspection, filled stage by stage by :meth:`Inspector.inspect`.

    ``failure``: why the body cannot be used; the stages after it left their fields empty.
    ``description``: what the body was wrapped in and its format, for people; empty if it could not be opened.
    ``findings``: what the guards over the whole list found. ``first``: the first entries, if asked for.
    ``fingerprint``: see :func:`.reading_fingerprint`.
    """

    fingerprint: str
    failure: UnreadableFeedError | None = None
    description: str = ""
    scan: BodyScan = field(default_factory=BodyScan)
    read: ReadResult = field(default_factory=ReadResult)
    first: list[tuple[Entry, Rule]] = field(default_factory=list)
    sifted: Sifted = field(default_factory=Sifted)
    diff: Diff | None = None
    flagged: tuple[FlaggedNow, ...] = ()
    findings: list[GuardFinding] = field(default_factory=list)

    @property
    def holding(self) -> list[GuardFinding]:
        """The findings that hold the run."""
        return [finding for finding in self.findings if finding.effect is Effect.HOLDS]

    @property
    def all_findings(self) -> list[GuardFinding]:
        """The findings over the whole list, then those of the guards over single entries."""
        return [*self.findings, *summaries(self.sifted, self.flagged)]

    @property
    def rejected_by_code(self) -> dict[str, int]:
        """The number of rejected rows by code, those that a person refused included."""
        return dict(Counter(self.read.rejected_by_code) + Counter(row.code for row in self.sifted.refused))

    @property
    def rejections(self) -> tuple[Rejected, ...]:
        """The first rejected rows."""
        return (*self.read.rejections, *self.sifted.refused)[:MAX_REJECTIONS_KEPT]

    @property
    def counts(self) -> RunCounts:
        """The figures; of a body that was not compared, only the rows read and rejected."""
        entries, rejected, held = self.read.entries, sum(self.rejected_by_code.values()), len(self.sifted.held)
        if self.diff is None:
            return RunCounts(entries=entries, rejected=rejected)
        return RunCounts(
            entries=entries,
            rules=self.diff.rules,
            rejected=rejected,
            duplicates=entries - rejected - self.diff.rules - held,
            added=self.diff.added,
            removed=self.diff.removed,
            amended=self.diff.amended,
            listed=self.diff.listed_before,
            held=held,
            flagged=len(self.flagged),
        )


#: Called when an inspection begins a stage, with what was found so far; PARSE begins once the body is open.
Observer = Callable[[Stage, Inspection], None]


class Inspector:
    """Inspects bodies, within the limits of the settings."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    def limits(self, definition: FeedDefinition) -> Limits:
        """Return the settings of the guards that apply to a feed."""
        return limits_of(definition.guards, self._settings.guards)

    def fingerprint(self, definition: FeedDefinition) -> str:
        """Return a fingerprint of everything that determines which rules and facts a feed's body gives."""
        return reading_fingerprint(definition, self.limits(definition))

    def inspect(
        self,
        definition: FeedDefinition,
        feed_id: int,
        body: BinaryIO,
        arrival: Arrival,
        *,
        folder: Path | None = None,
        observer: Observer = lambda *_: None,
        progress: Callable[[int], None] = lambda _: None,
        first: int = 0,
    ) -> Inspection:
        """Inspect a body for a feed and leave its rules staged; the caller unstages them.

        ``feed_id`` is 0 for a feed that was not added. ``folder`` is where a wrapped body is unwrapped to.
        ``progress`` is called with the number of rows read so far. ``first`` is how many of the first entries are
        returned.
        """
        limits = self.limits(definition)
        found = Inspection(reading_fingerprint(definition, limits))
        fetch = self._settings.fetch
        try:
            with opened_body(
                definition, body, content_type=arrival.content_type, folder=folder, max_bytes=fetch.max_bytes
            ) as opened:
                found.description = opened.description
                observer(Stage.PARSE, found)
                found.scan = guard_evaluation.check_body(opened.stream, opened.type, limits)
                observer(Stage.NORMALIZE, found)
                refusals = [refusal for guard in REFUSING_GUARDS if (refusal := guard.refusal(limits))]
                if own := own_hosts(definition):
                    refusals.append(OwnAddresses(own))
                reader = BodyReader(opened, refusals, progress)
                rows = reader.read_in_blocks()
                try:
                    self._store.staging.load(_collecting(rows, found.first, first) if first else rows)
                finally:
                    found.read = reader.result()
                    found.description = f"{opened.description}{found.read.dates_note}"
                observer(Stage.DIFF, found)
                found.sifted = sift(self._store, definition, feed_id, limits, arrival.sha256)
                found.diff = self._store.staging.diff(feed_id)
                found.flagged = flag(self._store, definition.name, feed_id, limits)
                observer(Stage.GUARD, found)
                history = ListHistory(self._store, definition, feed_id, arrival.sha256)
                found.findings = guard_evaluation.judge(self._facts(opened, feed_id, found, arrival, history), limits)
        except UnreadableFeedError as error:
            found.failure = error
        return found

    def _facts(
        self, opened: OpenedBody, feed_id: int, found: Inspection, arrival: Arrival, history: ListHistory
    ) -> ListFacts:
        find_cut_row = opened.format.find_cut_row
        return ListFacts(
            counts=found.counts,
            scan=found.scan,
            line_based=opened.format.line_based,
            cut_row=find_cut_row(found.scan.tail, found.scan.whole, opened.options) if find_cut_row else None,
            last=found.read.last,
            last_rule=found.read.last_rule,
            held=tuple(entry.rule for entry in found.sifted.held),
            modified=arrival.modified,
            served_modified=history.served_modified,
            recent=history.recent,
            served_before=history.served_before,
            returning=history.returning,
            twin=history.twin,
            served_date=partial(self._store.evidence.stated_date, feed_id),
            always_closed=partial(self._store.evidence.always_ended_with_newline, feed_id),
            removed_continuation=partial(self._store.staging.removed_continuation, feed_id),
            staged_rules=self._store.staging.candidates,
            filtered=getattr(opened.options, "where", None) is not None,
            not_read=not_read.reason if (not_read := found.read.first_rejected.get(NOT_READ)) else None,
            always_marked=partial(self._store.evidence.always_ended_with_marker, feed_id),
        )


def _collecting(
    rows: Iterable[tuple[Entry, Rule] | HostBlock], first: list[tuple[Entry, Rule]], limit: int
) -> Iterator[tuple[Entry, Rule] | HostBlock]:
    """Yield rows unchanged, and append the first of them to ``first``."""
    for item in rows:
        if len(first) < limit:
            first += islice(item.ruled() if isinstance(item, HostBlock) else [item], limit - len(first))
        yield item
