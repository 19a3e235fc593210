"""The requests that nearly all callers send, answered without parsing them twice.

A request line that this pattern matches can mean only one thing: a lookup of a host that is canonical as written, bare
or at the beginning of a URL. Every other line goes through the HTTP parser and the routes, which give the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from blocklist.lookup.resolver import SnapshotHolder
from blocklist.normalize.plain import HOST, is_plain
from blocklist.node.metrics import LISTED, NOT_LISTED, Counters
from blocklist.snapshot.reader import Snapshot
from blocklist.wire import verdict_json

_HOST = HOST.replace("a-z", "A-Za-z")
#: A URL may come percent-encoded or not. What follows the host is of no account as long as the host ends there.
_LINE = re.compile(
    rf"GET /v1/lookup\?(?:domain=({_HOST})"
    rf"|url=(?:[Hh][Tt][Tt][Pp][Ss]?(?::|%3[Aa])(?:/|%2[Ff]){{2}})?({_HOST})(?:(?:[/?]|%2[Ff]|%3[Ff]|%23)[!$-%'-~]*)?)"
    r"(?:&policy=([A-Za-z0-9_.-]+))?(&explain=1)? HTTP/1\.1".encode()
).fullmatch


class Quick:
    """Answers request lines of the commonest form with whole responses."""

    def __init__(self, holder: SnapshotHolder, counters: Counters) -> None:
        self._holder = holder
        self._counters = counters
        self._default = counters.verdicts("default")
        self._snapshot: Snapshot | None = None
        self._head = b""
        self._tail = ""
        self._not_listed = b""

    def prepare(self, head: Callable[[int], bytes]) -> None:
        """Take note of the snapshot of the moment, its staleness, and the head of a response with so long a body.

        Called when any of them may have changed, so that no request has to ask.
        """
        self._snapshot = snapshot = self._holder.snapshot
        if snapshot is None:
            return
        self._tail = f',"version":{snapshot.version},"stale":{"true" if self._holder.stale else "false"}}}\n'
        self._head = head(0).replace(b"Content-Length: 0", b"Content-Length: %d") + b"%s"
        self._not_listed = self._response(verdict_json(snapshot.not_listed))

    def answer(self, line: bytes) -> bytes | None:
        """Return the response to a request line, or None where the long way must be gone."""
        match = _LINE(line)
        if match is None:
            return None
        domain, url, policy, explain = match.groups()
        host = str(domain or url, "ascii").lower()
        snapshot = self._snapshot
        if snapshot is None or not is_plain(host):
            return None
        if policy is None:
            verdict, counted = snapshot.judge_plain(host, "default"), self._default
        else:
            named = str(policy, "ascii")
            verdict, counted = snapshot.judge_plain(host, named), self._counters.verdicts(named)
        if verdict is snapshot.not_listed:
            counted[NOT_LISTED] += 1
            return self._not_listed
        if verdict is None or explain:
            return None
        counted[LISTED] += 1
        return self._response(verdict_json(verdict))

    def _response(self, verdict: str) -> bytes:
        body = (verdict[:-1] + self._tail).encode("utf-8", "replace")
        return self._head % (len(body), body)
