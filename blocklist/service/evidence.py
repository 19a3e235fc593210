"""Verdicts, now and at a moment of the past, and who listed what since when."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

from blocklist.domain.clock import now
from blocklist.domain.errors import SnapshotError
from blocklist.domain.listing import Listing, RuleKind
from blocklist.domain.verdict import Target, Verdict
from blocklist.normalize.rules import matches
from blocklist.service.publishing import Publishing
from blocklist.snapshot.reader import Snapshot


class EvidenceTasks(Publishing):
    """What is asked of the list and its past."""

    def lookup(self, target: Target, policy: str, *, at: str | None = None, explain: bool = False) -> Verdict:
        """Return the verdict for a target, now or as it was at a moment.

        :raises SnapshotError: there is no snapshot yet.
        :raises NotFoundError: there is no such policy.
        """
        return self.snapshot(target, at).decide(target, policy, explain=explain)

    def snapshot(self, target: Target | None = None, at: str | None = None) -> Snapshot:
        """Return the current snapshot, or one of what counted for a target at a moment in the past.

        :raises SnapshotError: there is none yet.
        """
        if at is None or target is None:
            current = self.snapshots.current()
            if current is None:
                raise SnapshotError(
                    "there is no snapshot yet: add a feed and refresh it, or run 'blocklist snapshot build'"
                )
            return current
        listings = self.history(target, at)
        # They held then, whatever the clock says now: a snapshot compares the end of an override with the present.
        held = [replace(item, until=None) for item in self.store.overrides.active(at)]
        compiler = self._compiler(self.store.compile_source.listings_by_id(item.id for item in listings), held)
        out = io.BytesIO()
        compiler.write(out, 0, at, 0)
        return Snapshot(self._folder, out.getvalue())

    def explained(self, target: Target, verdict: Verdict, at: str | None = None) -> list[dict[str, Any]]:
        """Return the listings of an explained verdict, each with its evidence: run, body (SHA-256) and position.

        A snapshot knows none of these; where the database has moved on since it was built, they are None.
        """
        rows = self.history(target, at or now())
        known = {(row.feed, row.rule.value, row.rule.scope.value): row for row in rows}
        explained = []
        for listing in verdict.listings:
            row = known.get((listing.get("feed", ""), listing.get("rule", ""), listing.get("scope", "")))
            evidence = {
                "run": row.run if row else None,
                "body_sha256": row.body_sha256 if row else None,
                "position": row.position if row else None,
            }
            explained.append({**listing, **evidence})
        return explained

    def history(self, target: Target, at: str | None = None) -> list[Listing]:
        """Return every listing ever of what covers a target (or of those at a moment), oldest first.

        For a bare host, the listings of URLs on it belong to its history too.
        """
        if target.app is not None or target.ip is not None:
            found = self.store.listings.candidates(
                [], [target.host] if target.ip else [], [target.app or target.ip or ""]
            )
        else:
            labels = target.host.split(".")
            hosts = [".".join(labels[index:]) for index in range(len(labels))]
            www = {target.host, "www." + target.host, target.host.removeprefix("www.")}
            found = self.store.listings.candidates(hosts, sorted(www) if target.path is None else [target.host], [])
        return [
            item
            for item in found
            if (at is None or item.at(at))
            and (matches(item.rule, target) or (target.path is None and item.rule.kind is RuleKind.URL))
        ]
