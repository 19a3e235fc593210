"""Requests answered without the parser: the parser reads the same in them."""

from __future__ import annotations

from typing import Any

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocklist.lookup.limits import MAX_BYTES
from blocklist.node.http.http1 import RawRequest
from blocklist.node.http.known_heads import KnownHeads
from blocklist.node.http.response_cache import ResponseCache
from blocklist.node.metrics import Counters
from tests.lookup.test_resolver import Holder
from tests.node.running import RunningNode
from tests.support import snapshot_of

HEADERS = [
    *(
        b"Host: a",
        b"host: b:8081",
        b"Host:",
        b"Accept: */*",
        b"X-Trace: 0af7",
        b"User-Agent: x/1 (y; z)",
        b"X:",
        b"x-y_z:\t1 ",
    ),
    *(b"Content-Length: 3", b"content-length: 0", b"Content-Length: -1", b"Content-Length: 1, 1", b"CONTENT-LENGTH: 3"),
    *(
        b"Transfer-Encoding: chunked",
        b"Connection: close",
        b"connection:keep-alive",
        b"Expect: 100-continue",
        b"Upgrade: h2c",
    ),
    *(
        b" folded: y",
        b"A : b",
        b"X: a\x00b",
        "X: ä".encode(),
        b"",
        b"no colon",
        b"X-Y: Content-Length: 9",
        b"X: a\rb",
        b"X: a\nb",
    ),
]
heads = st.lists(st.sampled_from(HEADERS), max_size=6).map(
    lambda lines: b"".join(line + b"\r\n" for line in lines) + b"\r\n"
)


class Read:
    """The requests that the parser reads in some bytes; none if it refuses them."""

    def __init__(self, data: bytes) -> None:
        self.requests: list[RawRequest] = []
        self._raw = RawRequest()
        self._parser = httptools.HttpRequestParser(self)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.requests = []

    def on_message_begin(self) -> None:
        self._raw = RawRequest()

    def on_url(self, url: bytes) -> None:
        self._raw.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._raw.add_header(name, value)

    def on_headers_complete(self) -> None:
        self._raw.complete_head(self._parser.get_method(), self._parser.get_http_version())
        self._raw.keep_alive = self._parser.should_keep_alive()

    def on_body(self, body: bytes) -> None:
        self._raw.body += body

    def on_message_complete(self) -> None:
        self.requests.append(self._raw)


LINE = b"GET /v1/lookup?domain=a.example HTTP/1.1\r\n"


@pytest.fixture(scope="module")
def cache() -> ResponseCache:
    """A response cache without authentication."""
    made = ResponseCache(Holder(snapshot_of([])), Counters(), open_to_all=True)
    made.refresh(b"")
    return made


@given(head=heads)
def test_the_parser_finds_every_head_plain_that_the_response_cache_accepts(cache: ResponseCache, head: bytes) -> None:
    if cache.answer(LINE + head):
        (raw,) = Read(LINE + head).requests
        assert raw.is_plain_get
        assert raw.violation(MAX_BYTES) is None


def test_usual_heads_need_no_parser(cache: ResponseCache) -> None:
    for head in (
        b"Host: a\r\n\r\n",
        b"User-Agent: x\r\nHost: a\r\nAccept: */*\r\nX-Request-Id: 7\r\n\r\n",
        b"host: [::1]:80\r\n\r\n",
    ):
        assert cache.answer(LINE + head)


def with_head_of(request: bytes) -> KnownHeads:
    made = KnownHeads()
    (raw,) = Read(request).requests
    assert raw.is_plain_post
    made.add(request, raw)
    return made


def post(body: bytes, before: bytes = b"Host: a\r\n", after: bytes = b"", length: bytes | None = None) -> bytes:
    stated = b"%d" % len(body) if length is None else length
    return (
        b"POST /v1/openrtb?policy=p HTTP/1.1\r\n"
        + before
        + b"Content-Length: "
        + stated
        + b"\r\n"
        + after
        + b"\r\n"
        + body
    )


@pytest.mark.parametrize("after", [b"", b"Accept: */*\r\n", b"X-Y: Content-Length: 9\r\n"])
def test_a_post_with_a_known_head_is_found_whatever_the_length_of_its_body(after: bytes) -> None:
    known_heads = with_head_of(post(b"{}", after=after))
    for body in (b"", b"{}", b'{"id": 1}', b"x" * 70_000, b"\r\n\r\nContent-Length: 5"):
        raw, request = known_heads.find(post(body, after=after)) or pytest.fail("it is not known")
        assert (request.method, request.path, request.query, request.body) == ("POST", "/v1/openrtb", b"policy=p", body)
        assert raw.keep_alive


@pytest.mark.parametrize(
    "request_",
    [
        *(post(b"{}", length=length) for length in (b"1", b"3", b"+2", b"2 ", b"2,2", b"", b"00000002", b"0x2")),
        *(post(b"{}") + b"x", post(b"{}") + post(b"{}"), post(b"{}")[:-1], post(b"{}", before=b"Host: b\r\n")),
        *(post(b"{}", after=b"Content-Length: 2\r\n"), post(b"{}").replace(b"HTTP/1.1", b"HTTP/1.0"), b"", b"POST"),
    ],
)  # fmt: skip
def test_a_post_that_differs_in_anything_else_is_not_found(request_: bytes) -> None:
    assert with_head_of(post(b"{}")).find(request_) is None


@given(
    heads, st.binary(max_size=12), st.sampled_from([b"", b"Content-Length: 2\r\n", b"content-length: 2\r\n"]), st.data()
)
def test_a_request_found_by_its_head_equals_what_the_parser_reads(
    head: bytes, body: bytes, length: bytes, data: Any
) -> None:
    first = b"POST /v1/lookup HTTP/1.1\r\nHost: a\r\n" + length + head + b"{}"
    requests = Read(first).requests
    if len(requests) != 1 or not requests[0].is_plain_post:
        return
    known_heads = KnownHeads()
    known_heads.add(first, requests[0])
    stated = data.draw(st.sampled_from([b"%d" % len(body), b"2", b"0", b"12"]))
    again = first[:-2].replace(b"Length: 2", b"Length: " + stated).replace(b"length: 2", b"length: " + stated) + body
    found = known_heads.find(again)
    if found is not None:
        (raw,) = Read(again).requests
        assert raw.is_plain_post
        assert (bytes(raw.body), raw.path) == (found[1].body, found[1].path)
        headers = raw.headers | {"content-length": ""}
        assert headers == {**found[1].headers, "content-length": ""}


def test_cached_requests_are_counted_and_not_parsed_again(serving: RunningNode) -> None:
    def ask(client: Any, number: int, target: bytes) -> bytes:
        client.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: a\r\nX-Request-Id: %d\r\n\r\n" % number)
        return bytes(client.recv(65_536))

    def counted(client: Any) -> tuple[float, float]:
        lines = ask(client, 0, b"/metrics").decode().splitlines()
        figures = dict(line.rsplit(" ", 1) for line in lines if line.startswith("blocklist_"))
        return (
            float(figures['blocklist_lookups_total{policy="default",verdict="listed"}']),
            float(figures.get('blocklist_requests_total{route="/v1/lookup",status="200"}', 0)),
        )

    with serving.connect() as client:
        for _ in range(3):  # cached at the second request
            ask(client, 0, b"/v1/lookup?app=com.Pirate.App")
        lookups, parsed = counted(client)
        same = {ask(client, 0, b"/v1/lookup?app=com.Pirate.App").partition(b"\r\n\r\n")[2] for _ in range(5)}
        assert len(same) == 1
        for number in range(5):
            assert b'"reference":"R-1"' in ask(client, number, b"/v1/lookup?domain=pirate.example&explain=1")
        assert counted(client) == (lookups + 10, parsed)
