"""A request as it arrives, and a response as it goes out: the bytes of HTTP/1.1 (RFC 9110, RFC 9112)."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import unquote_to_bytes

from blocklist.lookup.http import Answer, Request, problem

#: Bytes and lines of a request's head.
MAX_HEAD = 65_536
_MAX_HEADERS = 200
#: Headers that make a request more than its first line.
_TELLING = frozenset({"connection", "content-length", "transfer-encoding", "expect", "upgrade"})
_REASONS = {status.value: status.phrase for status in HTTPStatus}


class RawRequest:
    """A request, filled in while it is parsed."""

    __slots__ = ("_lines", "_twice", "body", "headers", "keep_alive", "method", "path", "size", "url", "version")

    def __init__(self) -> None:
        self.url = b""
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self.method = ""
        #: The target up to its query, as it came.
        self.path = ""
        self.version = ""
        self.keep_alive = False
        #: Bytes of the head so far.
        self.size = 0
        self._lines = 0
        self._twice: set[str] = set()

    def add_header(self, name: bytes, value: bytes) -> None:
        """Take a header; several of one name are one list (RFC 9110, 5.3)."""
        self.size += len(name) + len(value) + 4
        self._lines += 1
        key, text = str(name, "latin-1").lower(), str(value, "latin-1").strip(" \t")
        if key in self.headers:
            self._twice.add(key)
            text = f"{self.headers[key]}, {text}"
        self.headers[key] = text

    def begin(self, method: bytes, version: str) -> None:
        """Take the method and the version, known once the head is whole."""
        self.method, self.version = str(method, "latin-1"), version
        self.path = str(self.url.partition(b"?")[0], "latin-1")

    def complaint(self, max_body: int) -> Answer | None:  # noqa: PLR0911 - a list of rules
        """Return what is wrong with the head of the request, if anything."""
        if self.version not in ("1.0", "1.1"):
            return problem(400, f"HTTP/{self.version} is not spoken here: ask with HTTP/1.1")
        if self.size + len(self.url) > MAX_HEAD:
            return self.too_long()
        if self._lines > _MAX_HEADERS:
            return problem(431, f"more than {_MAX_HEADERS} headers")
        if "host" in self._twice or (self.version == "1.1" and "host" not in self.headers):
            return problem(400, "a request of HTTP/1.1 has exactly one Host header")
        if "transfer-encoding" in self.headers and self.version == "1.0":
            return problem(400, "a request of HTTP/1.0 has no Transfer-Encoding")
        length = self.headers.get("content-length", "0")
        if length.isdecimal() and int(length[:20]) > max_body:
            return problem(413, f"the body is larger than {max_body:,} bytes: send it in parts")
        if self.headers.get("expect", "100-continue").lower() != "100-continue":
            return problem(417, "the only expectation that is met is 100-continue")
        return None

    def too_long(self) -> Answer:
        """Return what a client is told whose head is longer than :data:`MAX_HEAD`."""
        if len(self.url) > MAX_HEAD // 2:
            return problem(414, f"the address is longer than {MAX_HEAD // 2:,} bytes: POST it to /v1/lookup")
        return problem(431, f"the headers are longer than {MAX_HEAD:,} bytes")

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits for a word before it sends the body (RFC 9110, 10.1.1)."""
        return "expect" in self.headers and self.version == "1.1"

    @property
    def plain(self) -> bool:
        """Whether any GET with the same headers has no body and leaves the connection open."""
        return self.method == "GET" and self._keeps and self.headers.keys().isdisjoint(_TELLING)

    @property
    def plain_post(self) -> bool:
        """Whether any POST with the same headers differs only in its body and the length of that."""
        return (
            self.method == "POST"
            and self._keeps
            and "content-length" not in self._twice
            and self.headers.keys() & _TELLING == {"content-length"}
        )

    @property
    def _keeps(self) -> bool:
        return self.version == "1.1" and self.keep_alive

    def request(self, body: bytes | None = None) -> Request:
        """Return the request for the routes; ``body`` takes the place of its own."""
        target = self.url
        if not target.startswith(b"/"):
            # The absolute form, which proxies send (RFC 9112, 3.2.2): what counts is what follows the authority.
            target = b"/" + target.partition(b"://")[2].partition(b"/")[2]
        path, _, query = target.partition(b"#")[0].partition(b"?")
        decoded = unquote_to_bytes(path) if b"%" in path else path
        return Request(
            self.method,
            decoded.decode("utf-8", "replace"),
            query,
            self.headers,
            bytes(self.body) if body is None else body,
        )


def head(status: int, length: int | None, media: str | None, date: str, more: Iterable[tuple[str, str]] = ()) -> bytes:
    """Return a status line and headers with the empty line that ends them."""
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}", f"Date: {date}", "Cache-Control: no-store"]
    if media:
        lines.append(f"Content-Type: {media}")
    lines += [f"{name}: {value}" for name, value in more]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def response(
    answer: Answer, date: str, more: Iterable[tuple[str, str]], *, head_only: bool = False, close: bool = False
) -> bytes:
    """Return a whole response. A 204 has no Content-Length (RFC 9110, 8.6)."""
    body = answer.encoded()
    extra = [*answer.headers, *more, *((("Connection", "close"),) if close else ())]
    begin = head(answer.status, None if answer.status == 204 else len(body), answer.content_type, date, extra)
    return begin if head_only else begin + body
