"""Compressed bodies of lookups, and the parameters of their queries."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from blocklist import Snapshot
from blocklist.lookup.content_encoding import content_encoding, unpack, unpacked_body
from blocklist.lookup.http import Answer, Request
from blocklist.lookup.limits import MAX_BYTES, TooLargeError
from blocklist.lookup.openrtb.bid_request import MAX_BYTES as MAX_BID_BYTES
from blocklist.lookup.resolver import Resolver
from blocklist.lookup.routes import Routes
from tests.lookup.contract_cases import contract_snapshot
from tests.lookup.test_resolver import Holder

BID = json.dumps({"id": "1", "site": {"page": "https://pirate.example/film"}}).encode()
BATCH = b'{"items":["pirate.example"]}'


def raw_deflate(data: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(data) + deflater.flush()


def zeros(encoding: str, size: int) -> bytes:
    """Return an encoded body that unpacks to so many zero bytes."""
    deflater = zlib.compressobj(wbits=31 if encoding == "gzip" else 15)
    block = bytes(1 << 20)
    return b"".join(deflater.compress(block) for _ in range(size >> 20)) + deflater.flush()


@pytest.fixture(scope="module")
def routes() -> Routes:
    return Routes(Resolver(Holder(Snapshot(Path("in memory"), contract_snapshot()))))


def post(routes: Routes, path: str, body: bytes, encoding: str | None = None) -> Answer:
    path, _, query = path.partition("?")
    headers = {} if encoding is None else {"content-encoding": encoding}
    return routes.answer(Request("POST", path, query.encode(), headers, body))


def detail(answer: Answer) -> str:
    assert isinstance(answer.body, dict)
    assert answer.body["verdict"] == "unknown"
    return str(answer.body["detail"])


@pytest.mark.parametrize(("path", "body"), [("/v1/openrtb", BID), ("/v1/lookup", BATCH)])
@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("gzip", gzip.compress),
        ("GZIP", gzip.compress),
        (" x-gzip ", gzip.compress),
        ("gzip", lambda body: gzip.compress(body[:5]) + gzip.compress(b"") + gzip.compress(body[5:])),
        ("deflate", zlib.compress),
        ("Deflate", raw_deflate),
        ("deflate", lambda body: zlib.compress(body, level=0)),
        ("identity", bytes),
        ("", bytes),
        ("identity, gzip", gzip.compress),
    ],
)
def test_an_encoded_body_gets_the_answer_of_the_plain_one(routes: Routes, path, body, encoding, compress) -> None:  # type: ignore[no-untyped-def]
    assert post(routes, path, compress(body), encoding).encoded() == post(routes, path, body).encoded()
    assert b'"verdict":"listed"' in post(routes, path, compress(body), encoding).encoded()


@pytest.mark.parametrize(
    "encoding", ["br", "zstd", "gzip, gzip", "gzip,deflate", "identity, br", "compress", "x" * 300]
)
@pytest.mark.parametrize("path", ["/v1/openrtb", "/v1/lookup"])
def test_another_encoding_is_415_and_the_answer_names_those_accepted(routes: Routes, path: str, encoding: str) -> None:
    answer = post(routes, path, BID, encoding)
    assert (answer.status, answer.headers) == (415, (("Accept-Encoding", "gzip, deflate"),))
    assert "send it as it is" in detail(answer)


@pytest.mark.parametrize(
    ("encoding", "body", "reason"),
    [
        ("gzip", BID, "cannot be unpacked as gzip"),
        ("gzip", gzip.compress(BID, mtime=0)[:-1], "cut off"),
        ("gzip", gzip.compress(BID, mtime=0)[:20], "cut off"),
        ("gzip", b"\x1f", "cut off"),
        ("gzip", gzip.compress(BID, mtime=0) + b"trailing", "something follows"),
        ("gzip", gzip.compress(BID, mtime=0) + bytes(10), "something follows"),
        ("gzip", gzip.compress(BID, mtime=0) + b"\x1f", "cut off"),
        ("gzip", gzip.compress(BID, mtime=0)[:-6] + bytes(6), "cannot be unpacked"),
        ("gzip", gzip.compress(b"", mtime=0) * 101, "more than 100"),
        ("deflate", zlib.compress(BID)[:-1], "cut off"),
        ("deflate", zlib.compress(BID) + b"more", "something follows"),
        ("deflate", zlib.compress(BID) + zlib.compress(BID), "something follows"),
        ("deflate", raw_deflate(BID)[:-3], "cut off"),
        ("deflate", gzip.compress(BID, mtime=0), "cannot be unpacked"),
        ("gzip", gzip.compress(BID, mtime=0) + gzip.compress(BID), "not JSON"),
    ],
)
def test_a_damaged_body_is_refused_with_the_reason(routes: Routes, encoding: str, body: bytes, reason: str) -> None:
    answer = post(routes, "/v1/openrtb", body, encoding)
    assert answer.status == 400
    assert reason in detail(answer)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize(("path", "limit"), [("/v1/lookup", MAX_BYTES), ("/v1/openrtb", MAX_BID_BYTES)])
def test_a_body_that_unpacks_to_more_than_the_limit_is_refused(
    routes: Routes, path: str, limit: int, encoding: str
) -> None:
    answer = post(routes, path, zeros(encoding, limit + (1 << 20)), encoding)
    assert answer.status == 413
    assert f"{limit:,} bytes after unpacking" in detail(answer)
    assert post(routes, path, zeros(encoding, limit), encoding).status == 400  # not JSON


def test_no_more_of_a_bomb_is_unpacked_than_the_limit() -> None:
    bomb, given = zeros("gzip", 512 << 20), 0
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeError):
            unpacked_body(bomb, {"content-encoding": "gzip"}, {}, MAX_BYTES)
        assert tracemalloc.get_traced_memory()[1] < 3 * MAX_BYTES
    finally:
        tracemalloc.stop()

    def blocks() -> Iterator[bytes]:
        nonlocal given
        for start in range(0, len(bomb), 1_024):
            given += 1
            yield bomb[start : start + 1_024]

    content = unpack("gzip", blocks())
    assert len(b"".join(next(content) for _ in range(16))) <= 1 << 20
    assert given <= 2


@pytest.mark.parametrize("pieces", [1, 2, 3, 1_000])
def test_the_pieces_in_which_a_body_arrives_do_not_matter(pieces: int) -> None:
    text = bytes(range(256)) * 2_000
    for encoding, body in (
        ("gzip", gzip.compress(text) + gzip.compress(text)),
        ("deflate", zlib.compress(text + text)),
        ("deflate", raw_deflate(text + text)),
    ):
        blocks = (body[start : start + pieces] for start in range(0, len(body), pieces))
        assert b"".join(unpack(content_encoding(encoding) or "gzip", blocks)) == text + text


def test_a_page_may_say_gzip_in_the_query(routes: Routes) -> None:
    packed = gzip.compress(BID, mtime=0)
    assert post(routes, "/v1/openrtb?gzip=1", packed).encoded() == post(routes, "/v1/openrtb", BID).encoded()
    assert post(routes, "/v1/openrtb?gzip=1", packed, "gzip").status == 200
    assert post(routes, "/v1/openrtb?gzip=1", BID).status == 200, "a browser that cannot compress"
    assert post(routes, "/v1/lookup?gzip=1", gzip.compress(BATCH)).status == 200
    assert post(routes, "/v1/openrtb?gzip=0", packed).status == 400
    assert post(routes, "/v1/openrtb", packed).status == 400
    assert post(routes, "/v1/openrtb?gzip=1", zeros("gzip", 2 << 20)).status == 413
    assert post(routes, "/v1/openrtb?gzip=1&gzip=1", packed).status == 400


@pytest.mark.parametrize(
    ("method", "target", "name", "hint"),
    [
        ("GET", "/v1/lookup?domain=a.example&policcy=strict", "policcy", "url, domain, app, policy, explain"),
        ("GET", "/v1/lookup?domain=a.example&Policy=strict", "Policy", ""),
        ("GET", "/v1/lookup?url=http://a.example/?v=1&t=5", "t", "%26"),
        ("GET", "/v1/lookup?domain=a.example&respond=openrtb", "respond", ""),
        ("GET", "/v1/lookup?domain=a.example&gzip=1", "gzip", ""),
        ("GET", "/v1/gate?url=a.example&domain=pirate.example", "domain", "url, policy"),
        ("POST", "/v1/openrtb?policcy=strict", "policcy", "policy, explain, respond, gzip"),
        ("POST", "/v1/lookup?policy=strict", "policy", "members of the body"),
        ("POST", "/v1/lookup?x", "x", ""),
    ],
)
def test_a_parameter_that_is_not_known_is_named(routes: Routes, method: str, target: str, name: str, hint: str) -> None:
    path, _, query = target.partition("?")
    answer = routes.answer(Request(method, path, query.encode(), {}, BATCH))
    assert answer.status == 400
    assert f"there is no parameter '{name}'" in detail(answer)
    assert hint in detail(answer)


def test_a_member_of_a_batch_that_is_not_known_is_named(routes: Routes) -> None:
    answer = post(routes, "/v1/lookup", b'{"items":["a.example"],"policcy":"strict"}')
    assert answer.status == 400
    assert b"there is no member 'policcy': a batch has items, policy, explain" in answer.encoded()
