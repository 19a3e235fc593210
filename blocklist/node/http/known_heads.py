"""POST requests with a known head: like requests in the response cache, they need no parser."""

from __future__ import annotations

from blocklist.lookup.http import Request
from blocklist.node.http.http1 import RawRequest

#: The most heads kept, and the longest in bytes.
_MAX_HEADS, _MAX_HEAD = 1_024, 2_048
_END = b"\r\n\r\n"
#: The two common spellings of the one header that differs from request to request.
_LENGTHS = (b"\r\nContent-Length: ", b"\r\ncontent-length: ")
#: Most digits of a length. Longer ones go to the parser, which knows the limit.
_MAX_DIGITS = 7

#: The request that the parser read first with this head, and the new request with its own body. A plain tuple: a
#: NamedTuple is slower to make.
KnownRequest = tuple[RawRequest, Request]
#: The head before and after the value of Content-Length, and the body.
_Parts = tuple[tuple[bytes, bytes], bytes]


class KnownHeads:
    """Heads of POST requests that the parser accepted and whose sender is authenticated, without their Content-Length.

    A request with the same bytes before and after its length, and a body of exactly that length, can only be read in
    one way.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, bytes], KnownRequest] = {}

    def add(self, data: bytes, raw: RawRequest) -> None:
        """Keep the head of a request; ``data`` is the request as received, ``raw`` what the parser read."""
        parts = _split(data)
        if parts is None or sum(map(len, parts[0])) > _MAX_HEAD:
            return
        if len(self._known) >= _MAX_HEADS:
            self._known.clear()
        raw.body.clear()
        self._known[parts[0]] = raw, raw.to_request()

    def find(self, data: bytes) -> KnownRequest | None:
        """Return the request if its head is known and its body complete; None means that the parser must read it."""
        parts = _split(data)
        known = self._known.get(parts[0]) if parts else None
        if parts is None or known is None:
            return None
        raw, request = known
        return raw, Request("POST", request.path, request.query, request.headers, parts[1])

    def clear(self) -> None:
        """Remove everything."""
        self._known.clear()


def _split(data: bytes) -> _Parts | None:
    """Return head and body of a request; None if its body does not have exactly the stated length."""
    head, _, body = data.partition(_END)
    before, found, rest = head.partition(_LENGTHS[0])
    if not found:
        before, found, rest = head.partition(_LENGTHS[1])
    length, _, after = rest.partition(b"\r\n")
    if not length.isdigit() or len(length) > _MAX_DIGITS or int(length) != len(body):
        return None
    return (before, after), body
