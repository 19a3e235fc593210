"""Answers to requests for verdicts, independent of Flask and sockets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from blocklist.domain.errors import NotFoundError
from blocklist.domain.verdict import VerdictKind
from blocklist.lookup import forward_auth
from blocklist.lookup.batch import Batch
from blocklist.lookup.cached_verdicts import CachedVerdicts
from blocklist.lookup.http import Answer, CountVerdicts, Judged, SnapshotHolder, problem
from blocklist.lookup.limits import TooLargeError
from blocklist.lookup.openrtb.bid_request import read_bid_request
from blocklist.lookup.openrtb.judge import NOT_BLOCKED, judge, no_bid
from blocklist.lookup.query import is_true
from blocklist.lookup.targets import named_candidates
from blocklist.lookup.verdict_json import verdict_body
from blocklist.normalize.hosts import shorten
from blocklist.snapshot.reader import Snapshot

_KINDS = {kind.value: kind for kind in VerdictKind}


class Resolver:
    """Answers lookups from the current snapshot of its holder."""

    def __init__(
        self,
        holder: SnapshotHolder,
        unknown_page: forward_auth.UnknownPage = "allow",
        count: CountVerdicts = lambda *_: None,
    ) -> None:
        """``unknown_page`` is what forward authentication answers without a page; ``count`` gets every verdict."""
        self._holder = holder
        self._count = count
        self._unknown_page = unknown_page
        self._verdicts: dict[str, CachedVerdicts] = {}
        #: The body for a bid request that is not blocked, and the version and staleness that it states.
        self._not_blocked: tuple[object, bytes] = None, b""

    def lookup(self, query: Mapping[str, str]) -> Answer:
        """Answer ``GET /v1/lookup``; ``query`` holds its parameters."""
        snapshot = self._holder.snapshot
        if snapshot is None:
            return _no_snapshot(self._holder)
        policy = query.get("policy") or "default"
        try:
            verdict = snapshot.judge(named_candidates(query), policy, explain=explains(query))
        except (NotFoundError, ValueError) as error:
            return _refused(error)
        if verdict.verdict is VerdictKind.UNKNOWN:
            return problem(400, verdict.reason or "", verdict="unknown")
        self._count(policy, verdict.verdict, 1)
        body = verdict_body(verdict) | {"version": snapshot.version, "stale": self._holder.stale}
        return Answer(200, body, judged=Judged(policy, verdict.verdict))

    def batch(self, body: bytes) -> Answer:
        """Answer ``POST /v1/lookup``: an unreadable item gets ``unknown``, the others get their verdicts."""
        (answer,) = (step for step in self.batch_steps(body) if step)
        return answer

    def batch_steps(self, body: bytes) -> Iterator[Answer | None]:
        """Yield None after each step of a batch, then the answer of :meth:`batch`."""
        snapshot = self._holder.snapshot
        if snapshot is None:
            yield _no_snapshot(self._holder)
            return
        try:
            batch = Batch(body, lambda policy: self._verdicts_for(snapshot, policy))
        except TooLargeError as error:
            yield problem(413, str(error))
        except NotFoundError as error:
            yield problem(404, str(error), verdict="unknown")
        except ValueError as error:
            yield problem(400, str(error))
        else:
            while batch.judge_step():
                yield None
            for verdict, number in batch.counts():
                self._count(batch.policy, verdict, number)
            yield Answer(200, batch.encoded(self._holder.stale))

    def openrtb(self, body: bytes, query: Mapping[str, str]) -> Answer:
        """Answer ``POST /v1/openrtb``: whether a site or app that a bid request names is listed."""
        snapshot = self._holder.snapshot
        if snapshot is None:
            return _no_snapshot(self._holder)
        try:
            as_bidder = _answers_as_bidder(query)
            request = read_bid_request(body)
            policy = query.get("policy") or "default"
            judged = judge(request, self._verdicts_for(snapshot, policy), explain=explains(query))
        except (NotFoundError, ValueError) as error:
            return _refused(error)
        self._count(policy, _KINDS[judged["verdict"]], 1)
        if as_bidder:
            return Answer(200, no_bid(request, judged["nbr"])) if judged["block"] else Answer(204, None)
        stale = self._holder.stale
        if judged is NOT_BLOCKED:
            return Answer(200, self._not_blocked_body(snapshot.version, stale))
        return Answer(200, judged | {"version": snapshot.version, "stale": stale})

    def forward_auth(self, query: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        """Answer ``GET /v1/gate``; names of headers are in lower case."""
        snapshot = self._holder.snapshot
        if snapshot is None:
            return _no_snapshot(self._holder)
        try:
            policy = query.get("policy") or "default"
            verdict = forward_auth.judge(self._verdicts_for(snapshot, policy), query, headers)
        except NotFoundError as error:
            return _refused(error)
        self._count(policy, verdict.verdict, 1)
        blocked = verdict.listed or (verdict.verdict is VerdictKind.UNKNOWN and self._unknown_page == "block")
        return Answer(403 if blocked else 204, None, forward_auth.headers(verdict))

    def _verdicts_for(self, snapshot: Snapshot, policy: str) -> CachedVerdicts:
        """Return what judges texts by a snapshot under a policy, with its caches.

        :raises NotFoundError: the snapshot has no such policy.
        """
        verdicts = self._verdicts.get(policy)
        if verdicts is None or verdicts.snapshot is not snapshot:
            verdicts = CachedVerdicts(snapshot, policy)
            # Verdicts of older snapshots go for all policies: one that no longer exists would keep its snapshot mapped.
            others = {name: other for name, other in self._verdicts.items() if other.snapshot is snapshot}
            self._verdicts = others | {policy: verdicts}
        return verdicts

    def forget(self) -> None:
        """Drop all cached verdicts, so that a replaced snapshot is freed."""
        self._verdicts = {}

    def _not_blocked_body(self, version: int, stale: bool) -> bytes:
        """Return the body that nearly all bid requests get; it is encoded once for each version."""
        state, body = self._not_blocked
        if state != (version, stale):
            body = Answer(200, NOT_BLOCKED | {"version": version, "stale": stale}).encoded()
            self._not_blocked = (version, stale), body
        return body

    def ready(self) -> Answer:
        """Answer ``GET /readyz``: whether there is a snapshot to answer from."""
        snapshot = self._holder.snapshot
        if snapshot is None:
            return _no_snapshot(self._holder)
        return Answer(200, {"status": "ready", "version": snapshot.version, "stale": self._holder.stale})


def _answers_as_bidder(query: Mapping[str, str]) -> bool:
    respond = query.get("respond", "")
    if respond not in ("", "openrtb"):
        raise ValueError(f"respond must be openrtb or absent, not {shorten(respond)}")
    return respond == "openrtb"


def explains(query: Mapping[str, str]) -> bool:
    """Return whether a request wants the listings behind the verdict."""
    return is_true(query, "explain")


def _refused(error: Exception) -> Answer:
    status = 413 if isinstance(error, TooLargeError) else 404 if isinstance(error, NotFoundError) else 400
    return problem(status, str(error), verdict="unknown")


def _no_snapshot(holder: SnapshotHolder) -> Answer:
    if holder.reason:
        return problem(503, f"the snapshot cannot be used: {holder.reason}", verdict="unknown")
    return problem(503, "there is no snapshot yet: add a feed and refresh it", verdict="unknown")
