"""Requests and answers of the lookup plane; knows nothing of Flask or of sockets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple, Protocol

import msgspec

from blocklist.domain.verdict import VerdictKind
from blocklist.snapshot.reader import Snapshot
from blocklist.text.compact_json import compact_json

#: Told the policy, the verdict, and how many targets got it.
Count = Callable[[str, VerdictKind, int], None]


class SnapshotHolder(Protocol):
    """Whoever holds the snapshot that answers, such as a :class:`blocklist.snapshot.follower.Follower`."""

    @property
    def snapshot(self) -> Snapshot | None:
        """The snapshot, or None before the first."""

    @property
    def stale(self) -> bool:
        """Whether it is older than the configured age."""


class Judged(NamedTuple):
    """What a cacheable answer counts as."""

    policy: str
    verdict: VerdictKind


class Answer(msgspec.Struct, frozen=True):
    """An HTTP status, further headers, and a JSON object or its bytes; from 400 up, a problem document (RFC 9457).

    ``body`` is None where the status and the headers say all (the gate; a bidder's 204). ``headers`` are printable
    ASCII, safe to write to a socket as they are. ``judged`` is there where the answer is the verdict on one target and
    holds for as long as the snapshot, its staleness and the overrides in force do: its policy and its verdict.
    """

    status: int
    body: dict[str, Any] | bytes | None
    headers: tuple[tuple[str, str], ...] = ()
    media: str | None = None
    judged: Judged | None = None

    @property
    def content_type(self) -> str | None:
        """The media type of the body; None without one."""
        if self.body is None or self.media:
            return self.media
        return "application/problem+json" if self.status >= 400 else "application/json"

    def encoded(self) -> bytes:
        """Return the body as it goes over the wire."""
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        try:
            return msgspec.json.encode(self.body) + b"\n"
        except UnicodeEncodeError:
            # Half of a surrogate pair, which a caller sent as JSON: ten times slower, and the rest of it is told.
            return compact_json(self.body).encode("utf-8", "replace") + b"\n"


def problem(status: int, detail: str, **more: Any) -> Answer:
    """Return a problem document; ``detail`` says what is wrong and what next."""
    return Answer(
        status, {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail} | more
    )


class Request(msgspec.Struct, frozen=True):
    """A request as the routes see it; names of headers are in lower case, ``path`` is decoded, ``query`` is not."""

    method: str
    path: str
    query: bytes = b""
    headers: Mapping[str, str] = {}
    body: bytes = b""
