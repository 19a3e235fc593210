"""Requests to answers, as the contract's "Lookup nodes" words them; knows nothing of Flask or of sockets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from blocklist.errors import NotFoundError
from blocklist.lookup import gate
from blocklist.lookup.bid_request import TooLargeError, read_bid_request
from blocklist.lookup.openrtb import Judge, no_bid
from blocklist.normalize.hosts import parse_app, parse_target, shorten
from blocklist.snapshot.reader import Snapshot
from blocklist.vocabulary import Target, VerdictKind
from blocklist.wire import verdict_body

MAX_ITEMS = 10_000
MAX_BYTES = 8 * 1024 * 1024
_NAMES = ("url", "domain", "app")
_TRUE = frozenset({"1", "true", "yes"})


class SnapshotHolder(Protocol):
    """Whoever holds the snapshot that answers, such as a :class:`blocklist.snapshot.follower.Follower`."""

    @property
    def snapshot(self) -> Snapshot | None:
        """The snapshot, or None before the first."""

    @property
    def stale(self) -> bool:
        """Whether it is older than the configured age."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status, further headers, and a JSON object; from 400 up, a problem document (RFC 9457).

    ``body`` is None where the status and the headers say all (the gate; a bidder's 204). ``headers`` are printable
    ASCII, safe to write to a socket as they are.
    """

    status: int
    body: dict[str, Any] | None
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def content_type(self) -> str | None:
        """The media type of the body; None without one."""
        if self.body is None:
            return None
        return "application/problem+json" if self.status >= 400 else "application/json"

    def encoded(self) -> bytes:
        """Return the body as it goes over the wire."""
        if self.body is None:
            return b""
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def problem(status: int, detail: str, **more: Any) -> Answer:
    """Return a problem document; ``detail`` says what is wrong and what next."""
    return Answer(
        status, {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail} | more
    )


class Resolver:
    """Answers lookups from whatever snapshot its holder has at that moment."""

    def __init__(self, holder: SnapshotHolder, gate_unknown: gate.Unknown = "allow") -> None:
        self._holder = holder
        self._gate_unknown = gate_unknown
        self._judge: Judge | None = None

    def lookup(self, query: Mapping[str, str]) -> Answer:
        """Answer ``GET /v1/lookup`` for its query parameters."""
        snapshot = self._holder.snapshot
        if snapshot is None:
            return _no_snapshot()
        policy = query.get("policy") or "default"
        try:
            target = _target({name: query[name] for name in _NAMES if name in query})
            verdict = snapshot.decide(target, policy, explain=_explains(query))
        except NotFoundError as error:
            return problem(404, str(error), verdict="unknown")
        except ValueError as error:
            return problem(400, str(error), verdict="unknown")
        return Answer(200, verdict_body(verdict) | {"version": snapshot.version, "stale": self._holder.stale})

    def batch(self, body: bytes) -> Answer:
        """Answer ``POST /v1/lookup``: an unreadable item is ``unknown``, and the rest still get their verdicts."""
        snapshot = self._holder.snapshot
        if snapshot is None:
            return _no_snapshot()
        try:
            items, policy, explain = _batch(body)
            snapshot.decide(Target("policy.check"), policy)
        except _TooLargeError as error:
            return problem(413, str(error))
        except NotFoundError as error:
            return problem(404, str(error), verdict="unknown")
        except ValueError as error:
            return problem(400, str(error))
        results = [_item(snapshot, item, policy, explain) for item in items]
        return Answer(200, {"version": snapshot.version, "stale": self._holder.stale, "results": results})

    def openrtb(self, body: bytes, query: Mapping[str, str]) -> Answer:
        """Answer ``POST /v1/openrtb`` for a bid request: whether any place that it names is listed."""
        snapshot = self._holder.snapshot
        if snapshot is None:
            return _no_snapshot()
        try:
            as_bidder = _answers_as_bidder(query)
            request = read_bid_request(body)
            judged = self._judge_of(snapshot).judge(request, query.get("policy") or "default", explain=_explains(query))
        except TooLargeError as error:
            return problem(413, str(error), verdict="unknown")
        except NotFoundError as error:
            return problem(404, str(error), verdict="unknown")
        except ValueError as error:
            return problem(400, str(error), verdict="unknown")
        if as_bidder:
            return Answer(200, no_bid(request, judged["nbr"])) if judged["block"] else Answer(204, None)
        return Answer(200, judged | {"version": snapshot.version, "stale": self._holder.stale})

    def gate(self, query: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        """Answer ``GET /v1/gate`` for its query parameters and its headers, whose names are in lower case."""
        snapshot = self._holder.snapshot
        if snapshot is None:
            return _no_snapshot()
        try:
            verdict = gate.judge(snapshot, query, headers, query.get("policy") or "default")
        except NotFoundError as error:
            return problem(404, str(error), verdict="unknown")
        blocked = verdict.listed or (verdict.verdict is VerdictKind.UNKNOWN and self._gate_unknown == "block")
        return Answer(403 if blocked else 204, None, gate.headers(verdict))

    def _judge_of(self, snapshot: Snapshot) -> Judge:
        judge = self._judge
        if judge is None or judge.snapshot is not snapshot:
            judge = self._judge = Judge(snapshot)
        return judge

    def ready(self) -> Answer:
        """Answer ``GET /readyz``: whether there is a snapshot to answer from."""
        snapshot = self._holder.snapshot
        if snapshot is None:
            return _no_snapshot()
        return Answer(200, {"status": "ready", "version": snapshot.version, "stale": self._holder.stale})


class _TooLargeError(ValueError):
    """A batch is over one of its limits."""


def _target(named: Mapping[str, Any]) -> Target:
    """Return the one target that a request names.

    :raises ValueError: it names none or several, or one that no browser could open.
    """
    if len(named) != 1:
        raise ValueError("name exactly one of url, domain and app")
    (name, text), *_ = named.items()
    if not isinstance(text, str):
        raise ValueError(f"{name} must be a string")
    if name == "app":
        return parse_app(text)
    target = parse_target(text)
    return target._replace(path=None, params=frozenset()) if name == "domain" else target


def _answers_as_bidder(query: Mapping[str, str]) -> bool:
    respond = query.get("respond", "")
    if respond not in ("", "openrtb"):
        raise ValueError(f"respond is openrtb or left out, not {shorten(respond)}")
    return respond == "openrtb"


def _explains(query: Mapping[str, str]) -> bool:
    return query.get("explain", "").lower() in _TRUE


def _item(snapshot: Snapshot, item: Any, policy: str, explain: bool) -> dict[str, Any]:
    try:
        if isinstance(item, str):
            target = parse_target(item)
        elif isinstance(item, dict):
            target = _target({name: item[name] for name in _NAMES if name in item})
        else:
            raise ValueError("an item is a string or an object with url, domain or app")
        return verdict_body(snapshot.decide(target, policy, explain=explain))
    except ValueError as error:
        return {"verdict": "unknown", "listed": None, "error": str(error)}


def _batch(body: bytes) -> tuple[list[Any], str, bool]:
    if len(body) > MAX_BYTES:
        raise _TooLargeError(f"the body is larger than {MAX_BYTES:,} bytes: send it in parts")
    try:
        request = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the body is not JSON: {error}") from None
    if not isinstance(request, dict) or not isinstance(request.get("items"), list):
        raise ValueError('the body must be an object with a list: {"items": [{"url": "…"}, …]}')
    if len(request["items"]) > MAX_ITEMS:
        raise _TooLargeError(f"{len(request['items']):,} items are more than {MAX_ITEMS:,}: send them in parts")
    policy = request.get("policy") or "default"
    if not isinstance(policy, str):
        raise ValueError("policy must be a string")
    return request["items"], policy, bool(request.get("explain"))


def _no_snapshot() -> Answer:
    return problem(503, "there is no snapshot yet: add a feed and refresh it", verdict="unknown")
