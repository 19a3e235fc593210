"""Verdicts, now and at a moment of the past, and the history of every listing."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from blocklist.domain.clock import now
from blocklist.domain.errors import UsageError
from blocklist.domain.listing import Listing, Rule, RuleKind
from blocklist.domain.run import HeldListing
from blocklist.domain.verdict import Target, Verdict, VerdictKind
from blocklist.normalize.candidates import Candidates, canonical_app
from blocklist.service.held import HeldListingService
from blocklist.service.publishing import Publisher
from blocklist.service.rule_keys import concerns, keys_of
from blocklist.service.snapshots import SnapshotService
from blocklist.service.targets import read_candidates
from blocklist.snapshot.judging import judge
from blocklist.snapshot.reader import Snapshot
from blocklist.store import Store


class LookupResult(NamedTuple):
    """The verdict on a target as a person writes it; None and why where it is unknown or the text is no target.

    ``held`` is what waits for a person and would count. ``stale``: no run confirmed the snapshot within its age.
    """

    text: str
    verdict: Verdict | None
    error: str = ""
    held: tuple[HeldListing, ...] = ()
    stale: bool = False


class EvidenceService:
    """Verdicts and the listings behind them."""

    def __init__(
        self, store: Store, publisher: Publisher, snapshots: SnapshotService, held: HeldListingService
    ) -> None:
        self._store = store
        self._held = held
        self._publisher = publisher
        self._snapshots = snapshots

    def lookup(self, target: Target, policy: str, *, at: str | None = None, explain: bool = False) -> Verdict:
        """Return the verdict for a target, now or as it was at a moment.

        :raises SnapshotError: there is no snapshot yet.
        :raises UnknownPolicyError: there is no such policy.
        """
        snapshot = self._snapshots.current() if at is None else self.snapshot_at(target, at)
        return snapshot.decide(target, policy, explain=explain)

    def lookup_texts(
        self, texts: Iterable[str], policy: str, *, at: str | None = None, explain: bool = False, held: bool = False
    ) -> Iterator[LookupResult]:
        """Yield a result for each text, all from one snapshot; ``explain`` adds the listings and their evidence.

        ``held`` adds what waits for a person.

        :raises SnapshotError: there is no snapshot yet.
        :raises UnknownPolicyError: there is no such policy.
        """
        if at is None:
            current = self._snapshots.current()
            current.bit_of(policy)  # also where no text is a target
            decide = partial(current.decide, policy=policy, explain=explain)
        else:
            decide = partial(self.lookup, policy=policy, at=at, explain=explain)
        stale = at is None and self._snapshots.stale()
        for text in texts:
            try:
                candidates = read_candidates(text)
            except UsageError as error:
                yield LookupResult(text, None, str(error), stale=stale)
                continue
            verdict = judge(candidates, decide)
            if verdict.verdict is VerdictKind.UNKNOWN:
                yield LookupResult(text, None, verdict.reason or "", stale=stale)
                continue
            if explain:
                verdict = verdict._replace(listings=tuple(self.explained(candidates, verdict, at)))
            waiting = self._held.waiting([target for target, _ in candidates], policy, at) if held else ()
            yield LookupResult(text, verdict, held=waiting, stale=stale)

    def lookup_text(self, text: str, policy: str, *, at: str | None = None) -> Verdict:
        """Return the verdict on one text, explained; see :meth:`lookup_texts`.

        :raises UsageError: the text is no target; the message tells why.
        :raises SnapshotError: there is no snapshot yet.
        :raises NotFoundError: there is no such policy.
        """
        (result,) = self.lookup_texts([text], policy, at=at, explain=True)
        if result.verdict is None:
            raise UsageError(result.error)
        return result.verdict

    def snapshot_at(self, target: Target, moment: str) -> Snapshot:
        """Return a snapshot in memory of what counted for a target at a moment in the past."""
        listings = self.history(target, moment)
        # Without an end: a snapshot compares it with the present, and these were in force at that moment.
        overrides = [replace(item, until=None) for item in self._store.overrides.active(moment)]
        compiler = self._publisher.compiler(
            self._store.compile_source.listings_by_id(item.id for item in listings), overrides
        )
        out = io.BytesIO()
        compiler.write(out, 0, moment, 0)
        return Snapshot(self._publisher.repository.folder, out.getvalue())

    def explained(self, candidates: Candidates, verdict: Verdict, at: str | None = None) -> list[dict[str, Any]]:
        """Return the listings of an explained verdict, each with its evidence: run, body (SHA-256) and position.

        A snapshot does not contain these. They are None where the database has changed since it was built.
        """
        rows = self.history_of(candidates, at or now())
        known = {(row.feed, _value(row.rule), row.rule.scope.value): row for row in rows}
        explained = []
        for listing in verdict.listings:
            row = known.get((listing.get("feed", ""), listing.get("rule", ""), listing.get("scope", "")))
            evidence = {name: getattr(row, name, None) for name in ("run", "body_sha256", "position")}
            explained.append({**listing, **evidence})
        return explained

    def history_of(self, candidates: Candidates, at: str | None = None) -> list[Listing]:
        """Return :meth:`history` of everything that a text names, oldest first."""
        found = {item.id: item for target, _ in candidates for item in self.history(target, at)}
        return sorted(found.values(), key=lambda item: (item.stated_from, item.id))

    def history(self, target: Target, at: str | None = None) -> list[Listing]:
        """Return every listing, past and present, of the rules that cover a target; oldest first.

        With ``at``, only the listings of that moment. The history of a host includes the listings of URLs on it.
        """
        app = target.app
        found = self._store.listings.of_app(app) if app else self._store.listings.candidates(*keys_of(target))
        return [item for item in found if (at is None or item.at(at)) and concerns(item.rule, target)]


def _value(rule: Rule) -> str:
    """Return the value of a rule as a snapshot has it."""
    return canonical_app(rule.value) if rule.kind is RuleKind.APP else rule.value
