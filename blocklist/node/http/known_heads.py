"""POST requests whose heads are known: like the quick answers, they need no parser."""

from __future__ import annotations

from blocklist.lookup.http import Request
from blocklist.node.http.http1 import RawRequest

#: Heads that are remembered, and the longest of them.
_MAX_HEADS, _MAX_HEAD = 1_024, 2_048
_END = b"\r\n\r\n"
#: How clients write the one header that differs from request to request.
_LENGTHS = (b"\r\nContent-Length: ", b"\r\ncontent-length: ")
#: Digits of a length: more are for the parser, which knows the limit.
_MAX_DIGITS = 7


class KnownHeads:
    """Heads of POST requests that the parser read whole and whose sender may ask, but for the length that they state.

    A request with the same bytes before and behind its length, and a body that is as long as it says, can mean only
    one thing.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, bytes], tuple[RawRequest, Request]] = {}

    def learn(self, data: bytes, message: RawRequest) -> None:
        """Remember the head of a request, given as it came."""
        cut = _cut(data)
        if cut is None or sum(map(len, cut[0])) > _MAX_HEAD:
            return
        if len(self._known) >= _MAX_HEADS:
            self._known.clear()
        message.body.clear()
        self._known[cut[0]] = message, message.request()

    def find(self, data: bytes) -> tuple[RawRequest, Request] | None:
        """Return what a request says whose head is known and whose body is whole; else the parser must be asked."""
        cut = _cut(data)
        known = self._known.get(cut[0]) if cut else None
        if cut is None or known is None:
            return None
        message, request = known
        return message, Request("POST", request.path, request.query, request.headers, cut[1])

    def forget(self) -> None:
        """Forget everything."""
        self._known.clear()


def _cut(data: bytes) -> tuple[tuple[bytes, bytes], bytes] | None:
    """Return what is before and behind the length that a request states, and its body, if that is as long."""
    head, _, body = data.partition(_END)
    before, found, rest = head.partition(_LENGTHS[0])
    if not found:
        before, found, rest = head.partition(_LENGTHS[1])
    length, _, after = rest.partition(b"\r\n")
    if not length.isdigit() or len(length) > _MAX_DIGITS or int(length) != len(body):
        return None
    return (before, after), body
