"""Responses to the most common requests, without the HTTP parser.

A request line that matches :data:`_LINE` can only be a lookup of a host in canonical form, alone or at the start of a
URL. Every other request goes through the HTTP parser and the routes, which answer with the same bytes.
"""

from __future__ import annotations

import re
import time

from blocklist.domain.verdict import Target
from blocklist.lookup.cache import SecondHitCache
from blocklist.lookup.http import Answer, SnapshotHolder
from blocklist.lookup.verdict_json import verdict_json
from blocklist.node.metrics import INDEX, NOT_LISTED, Counters
from blocklist.normalize.canonical_host import HOST, MAX_HOST
from blocklist.snapshot.reader import Snapshot

_HOST = HOST.replace("a-z", "A-Za-z")
#: A URL may be percent-encoded or not. What follows the host does not matter as long as the host ends there.
_LINE = re.compile(
    rf"GET /v1/lookup\?(?:domain=({_HOST})"
    rf"|url=(?:[Hh][Tt][Tt][Pp][Ss]?(?::|%3[Aa])(?:/|%2[Ff]){{2}})?({_HOST})(?:(?:[/?]|%2[Ff]|%3[Ff]|%23)[!$-%'-~]*)?)"
    r"(?:&policy=([A-Za-z0-9_.-]+))?(&explain=1)? HTTP/1\.1".encode()
).fullmatch

#: The longest request that is cached, and the bytes that all cached requests and responses may take.
MAX_REQUEST, MAX_CACHED = 768, 7 << 20
#: Bytes that Python needs for a response besides its text, unless requests share it.
_RESPONSE_OVERHEAD = 100
#: The most known heads, and the longest in bytes: a client sends the same headers again and again.
_MAX_HEADS, _MAX_HEAD = 1_024, 2_048
#: A head that needs no parser: one Host and headers that concern neither body nor connection, in printable ASCII.
_OTHERS = rb"(?!(?i:host|connection|content-length|transfer-encoding|expect|upgrade):)[A-Za-z0-9_-]++:[\t -~]*+\r\n"
_HEADERS = rb"(?>(?:" + _OTHERS + rb"){0,90})"
_PLAIN_HEAD = re.compile(_HEADERS + rb"(?i:host):[\t -~]*+\r\n" + _HEADERS + rb"\r\n").fullmatch
_END = b"\r\n\r\n"

#: The response from its last header on; the counts of its policy; the index of its verdict in them. A plain tuple: a
#: NamedTuple is slower to make and to unpack.
CachedResponse = tuple[bytes, list[int], int]


class ResponseCache:
    """Answers common requests with whole responses.

    A few thousand pages carry most of the ads, so the same requests arrive again, byte for byte. They are cached with
    their responses until the snapshot, its staleness or the overrides in force change.
    """

    def __init__(self, holder: SnapshotHolder, counters: Counters, *, open_to_all: bool = False) -> None:
        """``open_to_all``: callers need no token, so any well-formed head will do."""
        self._holder = holder
        self._counters = counters
        self._open_to_all = open_to_all
        self._default_counts = counters.verdicts("default")
        self._snapshot: Snapshot | None = None
        self._state: tuple[object, ...] = ()
        self._body_end = ""
        #: The response where no key of the snapshot matches. Most requests share this one object: it stays in the
        #: processor's cache.
        self._not_listed: CachedResponse = (b"", self._default_counts, NOT_LISTED)
        #: Heads (all after the request line) of plain GET requests whose caller is authenticated, and heads seen once.
        self._known_heads: set[bytes] = set()
        self._seen_once: set[bytes] = set()
        #: The headers that all responses begin with, and the cache by request. The epoll server reads both directly.
        self.head = b""
        self.responses: SecondHitCache[bytes, CachedResponse] = SecondHitCache(
            MAX_CACHED, MAX_REQUEST, self._size_of, _compact
        )

    def refresh(self, head: bytes) -> None:
        """Update the headers that all responses begin with; clear the cache if the snapshot or its state changed.

        Called several times a second, so that no request has to check.
        """
        self.head = head
        snapshot, stale = self._holder.snapshot, self._holder.stale
        state = (snapshot, stale, snapshot and snapshot.overrides_expired(time.time()))
        if state == self._state:
            return
        self._state, self._snapshot = state, snapshot
        self.responses.clear()
        if snapshot is not None:
            self._body_end = f',"version":{snapshot.version},"stale":{"true" if stale else "false"}}}\n'
            self._not_listed = self._with_length(verdict_json(snapshot.not_listed)), self._default_counts, NOT_LISTED

    def add(self, request: bytes, answer: Answer | None = None) -> None:
        """Add the head of a request that the parser accepted and whose caller is authenticated.

        If ``answer`` is a verdict, the same request gets the same response again.
        """
        head = request.partition(b"\r\n")[2]
        if len(head) > _MAX_HEAD or head.find(_END) != len(head) - len(_END):
            return
        _add_head(self._known_heads, head)
        if answer is not None and answer.judged is not None and self._snapshot is self._holder.snapshot:
            counts = self._counters.verdicts(answer.judged.policy)
            self.responses.offer(request, (_with_length(answer.encoded()), counts, INDEX[answer.judged.verdict]))

    def disable(self) -> None:
        """Remove everything: from now on, the HTTP parser reads every request."""
        self._open_to_all = False
        self._known_heads.clear()
        self.responses.clear()

    def answer(self, request: bytes) -> bytes | None:
        """Return the response to a request and count it; None means that the HTTP parser must read the request."""
        cached = self.responses.items.get(request) or self._judge(request)
        if cached is None:
            return None
        tail, counts, verdict = cached
        counts[verdict] += 1
        return self.head + tail

    def _judge(self, request: bytes) -> CachedResponse | None:
        line, _, head = request.partition(b"\r\n")
        known = head in self._known_heads
        if not known and not (self._open_to_all and len(head) <= _MAX_HEAD and _PLAIN_HEAD(head)):
            return None
        response = self._judge_line(line)
        if known:
            if response is not None:
                self.responses.offer(request, response)
        elif head in self._seen_once:
            _add_head(self._known_heads, head)
        else:
            # Heads that never return, such as those with a trace id, must not fill the set of known ones.
            _add_head(self._seen_once, head)
        return response

    def _judge_line(self, line: bytes) -> CachedResponse | None:
        match = _LINE(line)
        if match is None:
            return None
        domain, url, named_policy, explain = match.groups()
        host = str(domain or url, "ascii").lower()
        snapshot = self._snapshot
        # The check of is_canonical, inlined: it saves a call.
        if snapshot is None or len(host) > MAX_HOST or "xn--" in host:
            return None
        policy = "default" if named_policy is None else str(named_policy, "ascii")
        verdict = snapshot.decide_host(host, policy)
        if verdict is None:
            return None
        if named_policy is None and verdict is snapshot.not_listed:
            return self._not_listed
        if explain and verdict is not snapshot.not_listed:
            verdict = snapshot.decide(Target(host), policy, explain=True)
        counts = self._default_counts if named_policy is None else self._counters.verdicts(policy)
        return self._with_length(verdict_json(verdict)), counts, INDEX[verdict.verdict]

    def _size_of(self, response: CachedResponse) -> int:
        return 0 if response is self._not_listed else len(response[0]) + _RESPONSE_OVERHEAD

    def _with_length(self, verdict: str) -> bytes:
        return _with_length((verdict[:-1] + self._body_end).encode("utf-8", "replace"))


def _compact(request: bytes) -> bytes:
    """Return a copy in memory of its own size: a slice of the 64 KiB that a socket reads would fragment the heap."""
    return bytes(memoryview(request))


def _with_length(body: bytes) -> bytes:
    """Return the Content-Length header, which is the last one, and the body."""
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def _add_head(heads: set[bytes], head: bytes) -> None:
    if len(heads) >= _MAX_HEADS:
        heads.clear()
    heads.add(head)
