"""The requests that nearly all callers send, answered without parsing them twice.

A request line that this pattern matches can mean only one thing: a lookup of a host that is canonical as written, bare
or at the beginning of a URL. Every other line goes through the HTTP parser and the routes, which give the same bytes.
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
#: A URL may come percent-encoded or not. What follows the host is of no account as long as the host ends there.
_LINE = re.compile(
    rf"GET /v1/lookup\?(?:domain=({_HOST})"
    rf"|url=(?:[Hh][Tt][Tt][Pp][Ss]?(?::|%3[Aa])(?:/|%2[Ff]){{2}})?({_HOST})(?:(?:[/?]|%2[Ff]|%3[Ff]|%23)[!$-%'-~]*)?)"
    r"(?:&policy=([A-Za-z0-9_.-]+))?(&explain=1)? HTTP/1\.1".encode()
).fullmatch


#: The longest request that is remembered with its answer, the bytes that all may take, and what Python needs for an
#: answer that requests do not share, besides its bytes.
MAX_REQUEST, MAX_REMEMBERED, _ANSWER = 768, 7 << 20, 100
#: Heads of requests that are known, and the longest of them: a client sends the same headers again and again.
_MAX_HEADS, _MAX_HEAD = 1_024, 2_048
#: A head that needs no parser: a Host, and headers that concern neither a body nor the connection, in printable ASCII.
_OTHERS = rb"(?!(?i:host|connection|content-length|transfer-encoding|expect|upgrade):)[A-Za-z0-9_-]++:[\t -~]*+\r\n"
_HEADERS = rb"(?:" + _OTHERS + rb"){0,90}+"
_PLAIN_HEAD = re.compile(_HEADERS + rb"(?i:host):[\t -~]*+\r\n" + _HEADERS + rb"\r\n").fullmatch

_END = b"\r\n\r\n"

#: What follows the first headers of a response, and the count that it is added to.
_Answer = tuple[bytes, list[int], int]


class ResponseCache:
    """Answers requests of the commonest form with whole responses.

    A few thousand pages carry most of the ads, so requests come again, byte for byte: they are remembered with their
    answers until the snapshot, its staleness or the overrides in force change.
    """

    def __init__(self, holder: SnapshotHolder, counters: Counters, *, to_all: bool = False) -> None:
        """``to_all``: any caller may ask, whatever the headers say."""
        self._holder = holder
        self._counters = counters
        self._to_all = to_all
        self._default = counters.verdicts("default")
        self._snapshot: Snapshot | None = None
        self._state: tuple[object, ...] = ()
        self._end = ""
        #: The answer for what no key covers: most requests share this one object, which the processor's cache holds.
        self._clean: _Answer = (b"", self._default, NOT_LISTED)
        #: What follows the request line of requests that are a plain GET of a caller who may ask; and what did once.
        self._heads: set[bytes] = set()
        self._met: set[bytes] = set()
        #: The first headers of every response of the moment, and what was asked of late: for whoever asks so often that
        #: a call is too much.
        self.begin = b""
        self.answers: SecondHitCache[bytes, _Answer] = SecondHitCache(MAX_REMEMBERED, MAX_REQUEST, self._size_of, _own)

    def prepare(self, begin: bytes) -> None:
        """Take note of the snapshot of the moment, its staleness, and the first headers of every response.

        Called when any of them may have changed, so that no request has to ask.
        """
        self.begin = begin
        snapshot, stale = self._holder.snapshot, self._holder.stale
        state = (snapshot, stale, snapshot and snapshot.overrides_expired(time.time()))
        if state == self._state:
            return
        self._state, self._snapshot = state, snapshot
        self.answers.clear()
        if snapshot is not None:
            self._end = f',"version":{snapshot.version},"stale":{"true" if stale else "false"}}}\n'
            self._clean = self._ending(verdict_json(snapshot.not_listed)), self._default, NOT_LISTED

    def learn(self, request: bytes, answer: Answer | None = None) -> None:
        """Remember the headers of a request that may be answered by its first line alone from now on.

        ``answer`` is what it got the long way: if that is a verdict, the same request gets the same again.
        """
        head = request.partition(b"\r\n")[2]
        if len(head) > _MAX_HEAD or head.find(_END) != len(head) - len(_END):
            return
        _add(self._heads, head)
        if answer is not None and answer.judged is not None and self._snapshot is self._holder.snapshot:
            policy, verdict = answer.judged
            body = answer.encoded()
            self.answers.keep(request, (_ending(body), self._counters.verdicts(policy), INDEX[verdict]))

    def forget(self) -> None:
        """Forget everything, for good: from now on, every request goes the long way."""
        self._to_all = False
        self._heads.clear()
        self.answers.clear()

    def answer(self, request: bytes) -> bytes | None:
        """Return the response to a request, or None where the long way must be gone."""
        known = self.answers.items.get(request) or self._judged(request)
        if known is None:
            return None
        end, counted, verdict = known
        counted[verdict] += 1
        return self.begin + end

    def _judged(self, request: bytes) -> _Answer | None:
        line, _, head = request.partition(b"\r\n")
        known = head in self._heads
        if not known and not (self._to_all and len(head) <= _MAX_HEAD and _PLAIN_HEAD(head)):
            return None
        answer = self._judged_line(line)
        if known:
            if answer is not None:
                self.answers.keep(request, answer)
        elif head in self._met:
            _add(self._heads, head)
        else:
            # A head that never comes again, such as one with the number of a trace, is not worth its place.
            _add(self._met, head)
        return answer

    def _judged_line(self, line: bytes) -> _Answer | None:
        match = _LINE(line)
        if match is None:
            return None
        domain, url, named, explain = match.groups()
        host = str(domain or url, "ascii").lower()
        snapshot = self._snapshot
        # What is_plain asks: a call less.
        if snapshot is None or len(host) > MAX_HOST or "xn--" in host:
            return None
        policy = "default" if named is None else str(named, "ascii")
        verdict = snapshot.judge_plain(host, policy)
        if verdict is None:
            return None
        if named is None and verdict is snapshot.not_listed:
            return self._clean
        if explain and verdict is not snapshot.not_listed:
            verdict = snapshot.decide(Target(host), policy, explain=True)
        counted = self._default if named is None else self._counters.verdicts(policy)
        return self._ending(verdict_json(verdict)), counted, INDEX[verdict.verdict]

    def _size_of(self, answer: _Answer) -> int:
        return 0 if answer is self._clean else len(answer[0]) + _ANSWER

    def _ending(self, verdict: str) -> bytes:
        return _ending((verdict[:-1] + self._end).encode("utf-8", "replace"))


def _own(request: bytes) -> bytes:
    """Return a copy in a block of its size: what is cut from the 64 KiB that a socket reads leaves memory in pieces."""
    return bytes(memoryview(request))


def _ending(body: bytes) -> bytes:
    """Return the last header and the body of a response."""
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def _add(heads: set[bytes], head: bytes) -> None:
    if len(heads) >= _MAX_HEADS:
        heads.clear()
    heads.add(head)
