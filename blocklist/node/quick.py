"""The requests that nearly all callers send, answered without parsing them twice.

A request line that this pattern matches can mean only one thing: a lookup of a host that is canonical as written, bare
or at the beginning of a URL. Every other line goes through the HTTP parser and the routes, which give the same bytes.
"""

from __future__ import annotations

import re
import time

from blocklist.lookup.resolver import SnapshotHolder
from blocklist.node.metrics import LISTED, NOT_LISTED, Counters
from blocklist.normalize.plain import HOST, is_plain
from blocklist.snapshot.reader import Snapshot
from blocklist.wire import verdict_json

_HOST = HOST.replace("a-z", "A-Za-z")
#: A URL may come percent-encoded or not. What follows the host is of no account as long as the host ends there.
_LINE = re.compile(
    rf"GET /v1/lookup\?(?:domain=({_HOST})"
    rf"|url=(?:[Hh][Tt][Tt][Pp][Ss]?(?::|%3[Aa])(?:/|%2[Ff]){{2}})?({_HOST})(?:(?:[/?]|%2[Ff]|%3[Ff]|%23)[!$-%'-~]*)?)"
    r"(?:&policy=([A-Za-z0-9_.-]+))?(&explain=1)? HTTP/1\.1".encode()
).fullmatch


#: The longest request that is remembered with its answer, and the bytes that each of two generations may hold of them;
#: what Python needs to hold one, besides.
MAX_REQUEST, _GENERATION, _OVERHEAD = 768, 6 << 20, 150
#: Heads of requests that are known, and the longest of them: a client sends the same headers again and again.
_MAX_HEADS, _MAX_HEAD = 1_024, 2_048

#: What follows the first headers of a response, and the count that it is added to.
_Answer = tuple[bytes, list[int], int]


class Quick:
    """Answers requests of the commonest form with whole responses.

    A few thousand pages carry most of the ads, so requests come again, byte for byte: they are remembered with their
    answers until the snapshot, its staleness or the overrides in force change. When one generation is full, it becomes
    the older one and the one before is dropped; what is asked again moves up. Not ``functools.lru_cache``: its calls
    cost twice as much as these.
    """

    def __init__(self, holder: SnapshotHolder, counters: Counters) -> None:
        self._holder = holder
        self._counters = counters
        self._default = counters.verdicts("default")
        self._snapshot: Snapshot | None = None
        self._state: tuple[object, ...] = ()
        self._end = ""
        #: The answer for what no key covers: most requests share this one object, which the processor's cache holds.
        self._clean: _Answer | None = None
        self._old: dict[bytes, _Answer] = {}
        self._room = 0
        #: What follows the request line of requests that are a plain GET of a caller who may ask.
        self._heads: set[bytes] = set()
        #: The first headers of every response of the moment, and what was asked of late: for whoever asks so often that
        #: a call is too much.
        self.begin = b""
        self.young: dict[bytes, _Answer] = {}

    def prepare(self, begin: bytes) -> None:
        """Take note of the snapshot of the moment, its staleness, and the first headers of every response.

        Called when any of them may have changed, so that no request has to ask.
        """
        self.begin = begin
        self._snapshot = snapshot = self._holder.snapshot
        stale = self._holder.stale
        state = (snapshot, stale, snapshot and snapshot.overrides_expired(time.time()))
        if state != self._state:
            self._state = state
            self._forget_answers()
        if snapshot is not None:
            self._end = f',"version":{snapshot.version},"stale":{"true" if stale else "false"}}}\n'
            self._clean = self._ending(verdict_json(snapshot.not_listed)), self._default, NOT_LISTED

    def learn(self, head: bytes) -> None:
        """Remember the headers of a request that may be answered by its first line alone from now on."""
        if len(head) > _MAX_HEAD:
            return
        if len(self._heads) >= _MAX_HEADS:
            self._heads.clear()
        self._heads.add(head)

    def forget(self) -> None:
        """Forget everything: from now on, every request goes the long way until something is learned again."""
        self._heads.clear()
        self._forget_answers()

    def answer(self, request: bytes) -> bytes | None:
        """Return the response to a request, or None where the long way must be gone."""
        known = self.young.get(request) or self._recalled(request)
        if known is None:
            return None
        end, counted, verdict = known
        counted[verdict] += 1
        return self.begin + end

    def _recalled(self, request: bytes) -> _Answer | None:
        answer = self._old.get(request)
        if answer is None:
            line, _, head = request.partition(b"\r\n")
            if head not in self._heads:
                return None
            answer = self._judged(line)
            if answer is None:
                return None
        if len(request) <= MAX_REQUEST:
            self._room -= len(request) + _OVERHEAD + (0 if answer is self._clean else len(answer[0]))
            if self._room < 0:
                self.young, self._old, self._room = {}, self.young, _GENERATION
            self.young[request] = answer
        return answer

    def _forget_answers(self) -> None:
        self.young, self._old, self._room = {}, {}, _GENERATION

    def _judged(self, line: bytes) -> _Answer | None:
        match = _LINE(line)
        if match is None:
            return None
        domain, url, named, explain = match.groups()
        host = str(domain or url, "ascii").lower()
        snapshot = self._snapshot
        if snapshot is None or not is_plain(host):
            return None
        policy = "default" if named is None else str(named, "ascii")
        verdict = snapshot.judge_plain(host, policy)
        if verdict is None or (explain and verdict is not snapshot.not_listed):
            return None
        if named is None and verdict is snapshot.not_listed:
            return self._clean
        counted = self._default if named is None else self._counters.verdicts(policy)
        return self._ending(verdict_json(verdict)), counted, LISTED if verdict.listed else NOT_LISTED

    def _ending(self, verdict: str) -> bytes:
        """Return the last header and the body of a response."""
        body = (verdict[:-1] + self._end).encode("utf-8", "replace")
        return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
