"""Requests and responses as bytes of HTTP/1.1 (RFC 9110, RFC 9112)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import unquote_to_bytes

from blocklist.lookup.http import Answer, Request, problem

#: The largest head of a request in bytes, and the most headers in it.
MAX_HEAD = 65_536
_MAX_HEADERS = 200
#: Headers that concern the body or the connection: a request with one of them is not a plain one.
_FRAMING_HEADERS = frozenset({"connection", "content-length", "transfer-encoding", "expect", "upgrade"})
#: A Host header: name or address, and port (RFC 9110, 7.2). Without the comma, which joins the values of two headers.
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[\w.~%!$&'()*+;=-]*)(?::\d*)?", re.ASCII)
_REASONS = {status.value: status.phrase for status in HTTPStatus}


class RawRequest:
    """A request that the parser fills in piece by piece. Names of headers are in lower case."""

    __slots__ = ("_header_count", "_repeated", "body", "head_size", "headers", "keep_alive", "method", "path", "target",
                 "version")  # fmt: skip

    def __init__(self) -> None:
        #: The request target as sent.
        self.target = b""
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self.method = ""
        #: The target up to its query, as sent.
        self.path = ""
        self.version = ""
        self.keep_alive = False
        #: Bytes of the headers so far.
        self.head_size = 0
        self._header_count = 0
        self._repeated: set[str] = set()

    def add_header(self, name: bytes, value: bytes) -> None:
        """Add a header; the values of repeated names are joined to one list (RFC 9110, 5.3)."""
        self.head_size += len(name) + len(value) + 4
        self._header_count += 1
        key, text = str(name, "latin-1").lower(), str(value, "latin-1").strip(" \t")
        if key in self.headers:
            self._repeated.add(key)
            text = f"{self.headers[key]}, {text}"
        self.headers[key] = text

    def complete_head(self, method: bytes, version: str) -> None:
        """Set method and version, which the parser knows at the end of the head."""
        self.method, self.version = str(method, "latin-1"), version
        self.path = str(self.target.partition(b"?")[0], "latin-1")

    def violation(self, max_body: int, max_head: int = MAX_HEAD) -> Answer | None:  # noqa: PLR0911 - a list of rules
        """Return the error response if the head breaks a rule; ``max_body`` and ``max_head`` are in bytes."""
        if self.version not in ("1.0", "1.1"):
            return problem(400, f"HTTP/{self.version} is not supported: use HTTP/1.1")
        if self.head_size + len(self.target) > max_head:
            return self.head_too_large(max_head)
        if self._header_count > _MAX_HEADERS:
            return problem(431, f"more than {_MAX_HEADERS} headers")
        if "host" in self._repeated or (self.version == "1.1" and "host" not in self.headers):
            return problem(400, "an HTTP/1.1 request must have exactly one Host header")
        if not _HOST.fullmatch(self.headers.get("host", "")):
            return problem(400, "the Host header is not a name or an address with a port")
        if "transfer-encoding" in self.headers and self.version == "1.0":
            return problem(400, "an HTTP/1.0 request must not have a Transfer-Encoding header")
        length = self.headers.get("content-length", "0")
        if length.isdecimal() and int(length[:20]) > max_body:
            return problem(413, f"the body is larger than {max_body:,} bytes: send it in parts")
        if self.headers.get("expect", "100-continue").lower() != "100-continue":
            return problem(417, "the only supported expectation is 100-continue")
        return None

    def head_too_large(self, max_head: int = MAX_HEAD) -> Answer:
        """Return the error response to a head larger than ``max_head`` bytes."""
        if len(self.target) > max_head // 2:
            return problem(414, f"the URL is longer than {max_head // 2:,} bytes: POST it to /v1/lookup")
        return problem(431, f"the headers are larger than {max_head:,} bytes")

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits for ``100 Continue`` before it sends the body (RFC 9110, 10.1.1)."""
        return "expect" in self.headers and self.version == "1.1"

    @property
    def is_plain_get(self) -> bool:
        """Whether every GET with the same headers has no body and keeps the connection open."""
        return self.method == "GET" and self._keeps_open and self.headers.keys().isdisjoint(_FRAMING_HEADERS)

    @property
    def is_plain_post(self) -> bool:
        """Whether a POST with the same headers can differ only in its body and Content-Length."""
        return (
            self.method == "POST"
            and self._keeps_open
            and "content-length" not in self._repeated
            and self.headers.keys() & _FRAMING_HEADERS == {"content-length"}
        )

    @property
    def _keeps_open(self) -> bool:
        return self.version == "1.1" and self.keep_alive

    def to_request(self) -> Request:
        """Return the request as the routes expect it."""
        target = self.target
        if not target.startswith(b"/"):
            # Absolute form, which proxies send (RFC 9112, 3.2.2): only the part after the authority counts.
            target = b"/" + target.partition(b"://")[2].partition(b"/")[2]
        path, _, query = target.partition(b"#")[0].partition(b"?")
        decoded = unquote_to_bytes(path) if b"%" in path else path
        return Request(self.method, decoded.decode("utf-8", "replace"), query, self.headers, bytes(self.body))


def response_head(
    status: int, length: int | None, media: str | None, date: str, headers: Iterable[tuple[str, str]] = ()
) -> bytes:
    """Return status line and headers, with the empty line that ends them."""
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}", f"Date: {date}", "Cache-Control: no-store"]
    if media:
        lines.append(f"Content-Type: {media}")
    lines += [f"{name}: {value}" for name, value in headers]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def response(
    answer: Answer, date: str, headers: Iterable[tuple[str, str]], *, head_only: bool = False, close: bool = False
) -> bytes:
    """Return a whole response. A 204 has no Content-Length (RFC 9110, 8.6)."""
    body = answer.encoded()
    more = [*answer.headers, *headers, *((("Connection", "close"),) if close else ())]
    head = response_head(answer.status, None if answer.status == 204 else len(body), answer.content_type, date, more)
    return head if head_only else head + body
