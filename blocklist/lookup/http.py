"""Requests and answers of the lookup plane, independent of Flask and sockets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple, Protocol

import msgspec

from blocklist.domain.verdict import VerdictKind
from blocklist.snapshot.reader import Snapshot
from blocklist.text.compact_json import compact_json

#: Called with a policy, a verdict, and the number of targets that got it.
CountVerdicts = Callable[[str, VerdictKind, int], None]


class SnapshotHolder(Protocol):
    """What holds the current snapshot, such as a :class:`blocklist.snapshot.follower.Follower`."""

    @property
    def snapshot(self) -> Snapshot | None:
        """The current snapshot; None before the first one."""

    @property
    def stale(self) -> bool:
        """Whether it is older than the configured age."""

    @property
    def reason(self) -> str:
        """Why the newest snapshot is not loaded, as a sentence; empty if it is, or before the first one."""


class Judged(NamedTuple):
    """The policy and the verdict of an answer for one target."""

    policy: str
    verdict: VerdictKind


class Answer(msgspec.Struct, frozen=True):
    """Status, extra headers and body of a response; from status 400 on, a problem document (RFC 9457).

    ``body`` is a JSON object, or a body as bytes, or None for a response without one (forward authentication, a
    bidder's 204). ``headers`` are printable ASCII, so they can be written to a socket as they are. ``media`` is the
    media type if it is not JSON. ``judged`` is set if the answer is a verdict on one target: then it may be cached
    until the snapshot, its staleness or the overrides in force change.
    """

    status: int
    body: dict[str, Any] | bytes | None
    headers: tuple[tuple[str, str], ...] = ()
    media: str | None = None
    judged: Judged | None = None

    @property
    def content_type(self) -> str | None:
        """The media type of the body; None without a body."""
        if self.body is None or self.media:
            return self.media
        return "application/problem+json" if self.status >= 400 else "application/json"

    def encoded(self) -> bytes:
        """Return the body as bytes."""
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        try:
            return msgspec.json.encode(self.body) + b"\n"
        except UnicodeEncodeError:
            # Half of a surrogate pair, sent by a caller in JSON. This encoder is ten times slower and replaces it.
            return compact_json(self.body).encode("utf-8", "replace") + b"\n"


def problem(status: int, detail: str, **more: Any) -> Answer:
    """Return a problem document; ``detail`` says what is wrong and what to do."""
    return Answer(
        status, {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail} | more
    )


class Request(msgspec.Struct, frozen=True):
    """A request as the routes expect it: names of headers in lower case, ``path`` decoded, ``query`` as sent."""

    method: str
    path: str
    query: bytes = b""
    headers: Mapping[str, str] = {}
    body: bytes = b""
