"""Downloads from a publisher on a loopback port that answers as each test wants."""

from __future__ import annotations

import contextlib
import gzip
import threading
import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import stamina

from blocklist.config.settings import FetchSettings
from blocklist.definitions.source import Credentials, Source
from blocklist.domain.clock import now
from blocklist.fetch import fetch
from tests.e2e.running import Publisher, free_port, respond
from tests.fetch.asking import BEARER, GOOD, Getting, answering, in_turn, moved
from tests.support import Clock

#: Opens to 100 MB.
BOMB = gzip.compress(bytes(100_000_000), 9)


def test_a_body_arrives_with_its_validators(court: Publisher, get: Getting, clock: Clock) -> None:
    clock.move_to("2026-01-02T03:04:05Z")
    court.answer = answering(
        GOOD, ETag='"v1"', Last_Modified="Thu, 01 Jan 2026 00:00:00 GMT", Content_Type="text/plain"
    )
    body = get(court.url)
    assert body is not None
    assert (body.path.read_bytes(), body.size, body.content_type) == (GOOD, len(GOOD), "text/plain")
    assert body.validators == {
        "url": court.url,
        "fetched": "2026-01-02T03:04:05Z",
        "etag": '"v1"',
        "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT",
    }
    sent = court.requests[0]
    assert sent["Host"] == f"127.0.0.1:{court.port}"
    assert sent["User-Agent"].startswith("blocklist/")
    assert not {"If-None-Match", "If-Modified-Since", "Authorization"} & set(sent)


def test_stored_validators_are_sent_and_304_means_unchanged(court: Publisher, get: Getting) -> None:
    court.answer = answering(b"", 304)
    validators = {
        "url": court.url,
        "etag": '"v1"',
        "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT",
        "fetched": now(),
    }
    assert get(court.url, validators) is None
    assert court.requests[0]["If-None-Match"] == '"v1"'
    assert court.requests[0]["If-Modified-Since"] == "Thu, 01 Jan 2026 00:00:00 GMT"


@pytest.mark.parametrize("stated", ['"v1"', 'W/"v1"', '"v1-gzip"', None])
def test_304_with_the_tag_that_was_sent_or_without_one_means_unchanged(
    court: Publisher, get: Getting, stated: str | None
) -> None:
    court.answer = answering(b"", 304, **({"ETag": stated} if stated else {}))
    assert get(court.url, {"url": court.url, "etag": '"v1"', "fetched": now()}) is None


def test_304_with_another_tag_is_not_believed(court: Publisher, get: Getting) -> None:
    court.answer = in_turn(answering(b"", 304, ETag='"v2"'), answering(GOOD, ETag='"v2"'))
    body = get(court.url, {"url": court.url, "etag": '"v1"', "fetched": now()})
    assert body is not None
    assert body.validators["etag"] == '"v2"'
    assert "If-None-Match" not in court.requests[1]


def test_a_body_is_downloaded_again_after_a_week_without_a_condition(
    court: Publisher, get: Getting, clock: Clock
) -> None:
    clock.move_to("2026-01-09T03:04:06Z")
    court.answer = answering(GOOD)
    for fetched in ({"fetched": "2026-01-02T03:04:05Z"}, {}):
        assert get(court.url, {"url": court.url, "etag": '"v1"', **fetched}) is not None
    assert not any("If-None-Match" in sent for sent in court.requests)


def test_validators_of_another_address_do_not_count(court: Publisher, get: Getting) -> None:
    court.answer = answering(b"", 304)
    said = get.failing(court.url, validators={"url": "http://127.0.0.1/other", "etag": '"v1"', "fetched": now()})
    assert "answered 304" in said
    assert "If-None-Match" not in court.requests[0]


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_transient_error_is_tried_again(court: Publisher, get: Getting, status: int) -> None:
    court.answer = in_turn(answering(b"oops", status), answering(GOOD))
    body = get(court.url)
    assert body is not None
    assert body.path.read_bytes() == GOOD
    assert len(court.requests) == 2


def test_a_transient_error_that_lasts_is_said_with_the_number_of_tries(court: Publisher, get: Getting) -> None:
    court.answer = answering(b"oops", 500)
    assert get.failing(court.url, attempts=2) == f"{court.url}: answered 500 Internal Server Error (2 attempts)"
    assert len(court.requests) == 2


@pytest.mark.parametrize("status", [404, 410, 201, 206])
def test_another_status_is_no_list_and_not_tried_again(court: Publisher, get: Getting, status: int) -> None:
    court.answer = answering(GOOD, status)
    assert f"answered {status}" in get.failing(court.url)
    assert len(court.requests) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_points_to_the_credentials(court: Publisher, get: Getting, status: int) -> None:
    court.answer = answering(b"no", status)
    assert get.failing(court.url).endswith("check the feed's credentials")


@pytest.mark.parametrize("body", [b"", b"<!DOCTYPE html><title>Login</title>"])
def test_what_a_body_holds_is_not_the_business_of_a_fetch(court: Publisher, get: Getting, body: bytes) -> None:
    court.answer = answering(body, Content_Type="text/html")
    fetched = get(court.url)
    assert fetched is not None
    assert fetched.path.read_bytes() == body


def test_redirects_are_followed_relative_ones_too(court: Publisher, get: Getting) -> None:
    court.answer = in_turn(moved("/elsewhere"), moved(f"http://127.0.0.1:{court.port}/there"), answering(GOOD))
    body = get(court.url)
    assert body is not None
    assert body.validators["url"] == court.url
    assert len(court.requests) == 3


def test_a_redirect_loop_ends(court: Publisher, get: Getting) -> None:
    court.answer = moved(court.url)
    assert get.failing(court.url, max_redirects=3) == f"{court.url}: more than 3 redirects"
    assert len(court.requests) == 4


@pytest.mark.parametrize("location", ["http://localhost:{port}/x", "http://127.0.0.2:{port}/x", "http://[::1]:{port}/"])
def test_a_redirect_to_a_private_host_that_is_not_allowed_by_name_is_refused(
    court: Publisher, get: Getting, location: str
) -> None:
    court.answer = moved(location.format(port=court.port))
    assert "is not a public address" in get.failing(court.url)
    assert len(court.requests) == 1


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/x", "about:/blank"])
def test_a_redirect_out_of_the_web_is_refused(court: Publisher, get: Getting, location: str) -> None:
    court.answer = moved(location)
    assert "is not an address for feeds" in get.failing(court.url)


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("javascript:alert(1)", "127.0.0.1 redirects to something that is not an address"),
        ("http://127.0.0.1:99999/", "there is no port 99999"),
        ("http://x.\x7f/", "127.0.0.1 redirects to something that is not an address"),
        ("http://[/", "the name cannot be resolved"),
    ],
)
def test_a_redirect_to_no_address_is_said(court: Publisher, get: Getting, location: str, said: str) -> None:
    court.answer = moved(location)
    assert said in get.failing(court.url)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:99999/list.txt", "http://\x7f/list.txt", "http://[::1", "http://", "http://u:p@a.example/"],
)
def test_a_definition_with_a_broken_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        Source(url=url)


def test_a_redirect_to_a_port_that_does_not_exist_is_said(court: Publisher, get: Getting) -> None:
    court.answer = moved("http://127.0.0.1:99999/list.txt")
    assert "99999" in get.failing(court.url)


def test_headers_that_trickle_end_at_the_total_timeout(court: Publisher, get: Getting) -> None:
    done = threading.Event()

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        with contextlib.suppress(OSError):
            while not done.wait(0.1):
                handler.wfile.write(b"X: y\r\n")

    court.answer = trickle
    try:
        assert "took longer than 1 s" in get.failing(court.url, total_timeout=1)
    finally:
        done.set()


def test_gzip_is_opened(court: Publisher, get: Getting) -> None:
    court.answer = answering(gzip.compress(GOOD[:10]) + gzip.compress(GOOD[10:]), Content_Encoding="gzip")
    body = get(court.url)
    assert body is not None
    assert body.path.read_bytes() == GOOD


def test_a_gzip_bomb_stops_at_the_limit(court: Publisher, get: Getting) -> None:
    court.answer = answering(BOMB, Content_Encoding="gzip")
    assert "larger than 1,000,000 bytes" in get.failing(court.url, max_bytes=1_000_000)
    assert len(court.requests) == 1


def test_a_plain_body_stops_at_the_limit(court: Publisher, get: Getting) -> None:
    court.answer = answering(bytes(3_000_000))
    assert "larger than 1,000,000 bytes" in get.failing(court.url, max_bytes=1_000_000)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (gzip.compress(GOOD * 99, mtime=0)[:-12], "the body's gzip ends in the middle"),
        (gzip.compress(GOOD * 99, mtime=0)[:-3], "the body's gzip ends in the middle"),
        (b"", "the body's gzip ends in the middle"),
        (b"a.example\n", "the body is not the gzip it claims to be"),
        (gzip.compress(GOOD, mtime=0) + b"trailing", "the body is not the gzip it claims to be"),
    ],
)
def test_gzip_that_is_cut_off_or_none_is_said(court: Publisher, get: Getting, body: bytes, said: str) -> None:
    court.answer = answering(body, Content_Encoding="gzip")
    assert said in get.failing(court.url)


def test_an_encoding_that_was_not_asked_for_is_refused(court: Publisher, get: Getting) -> None:
    court.answer = answering(GOOD, Content_Encoding="br")
    assert "content encoding 'br', which was not asked for" in get.failing(court.url)


def test_a_body_shorter_than_announced_is_not_a_list(court: Publisher, get: Getting) -> None:
    def short(handler: BaseHTTPRequestHandler) -> None:
        respond(handler, GOOD, headers={"Content-Length": "5000"})
        handler.close_connection = True

    court.answer = short
    said = get.failing(court.url, attempts=2)
    assert "the body did not arrive whole" in said
    assert said.endswith("(2 attempts)")
    court.answer = in_turn(short, answering(GOOD))
    body = get(court.url)
    assert body is not None
    assert body.path.read_bytes() == GOOD


def test_a_publisher_that_is_silent_for_too_long_is_said(court: Publisher, get: Getting) -> None:
    done = threading.Event()
    court.answer = lambda _: (done.wait(5), None)[1]
    try:
        assert "timed out: 127.0.0.1 was silent too long" in get.failing(court.url, read_timeout=1)
    finally:
        done.set()


def test_a_body_that_trickles_ends_at_the_total_timeout(court: Publisher, get: Getting) -> None:
    done = threading.Event()

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not done.wait(0.1):
            handler.wfile.write(b"a.example\n")

    court.answer = trickle
    try:
        assert "took longer than 1 s (setting fetch.total_timeout)" in get.failing(court.url, total_timeout=1)
    finally:
        done.set()


def test_a_port_where_nobody_listens_is_said(get: Getting) -> None:
    said = get.failing(f"http://127.0.0.1:{free_port()}/list.txt", attempts=1)
    assert "no connection to 127.0.0.1" in said


def test_a_private_host_is_refused_unless_allowed(court: Publisher, get: Getting) -> None:
    assert "is not a public address" in get.failing(court.url, allow_private_hosts=())
    assert court.requests == []


def test_credentials_are_sent_and_follow_a_redirect_within_the_address(
    court: Publisher, get: Getting, secret: str
) -> None:
    court.answer = in_turn(moved("/there"), answering(GOOD))
    assert get(court.url, credentials=BEARER) is not None
    assert [sent["Authorization"] for sent in court.requests] == ["Bearer s3cret"] * 2


def test_credentials_may_have_a_header_of_their_own(court: Publisher, get: Getting, secret: str) -> None:
    court.answer = answering(GOOD)
    assert get(court.url, credentials=Credentials(kind="header", header="X-Key", env="A_TOKEN")) is not None
    assert court.requests[0]["X-Key"] == secret
    assert "Authorization" not in court.requests[0]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_credentials_are_not_sent_to_another_host_or_port(
    court: Publisher, other: Publisher, get: Getting, secret: str, host: str
) -> None:
    other.answer = answering(GOOD)
    court.answer = moved(f"http://{host}:{other.port}/list.txt")
    assert get(court.url, credentials=BEARER, allow_private_hosts=("127.0.0.1", "localhost")) is not None
    assert court.requests[0]["Authorization"] == "Bearer s3cret"
    assert "Authorization" not in other.requests[0]


def test_no_secret_is_ever_in_an_error(court: Publisher, get: Getting, secret: str) -> None:
    url = f"http://127.0.0.1:{court.port}/list.txt?key=hidden"
    for answer in (answering(b"", 500), answering(b"", 403), answering(BOMB), moved("http://["), moved("//10.0.0.1/")):
        court.answer = answer
        said = get.failing(url, credentials=BEARER, max_bytes=10, attempts=1)
        assert not any(word in said for word in ("s3cret", "passw0rd", "hidden")), said


def test_progress_is_told_in_bytes(court: Publisher, tmp_path: Path) -> None:
    told: list[int] = []
    court.answer = answering(GOOD)
    allowed = FetchSettings(allow_private_hosts=("127.0.0.1",))
    fetch(Source(url=court.url), tmp_path / "body", allowed, progress=told.append)
    assert told[-1] == len(GOOD)


def test_a_publisher_that_asks_for_patience_is_given_it_within_the_time(
    court: Publisher, get: Getting, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    stamina.set_testing(False)
    monkeypatch.setattr(time, "sleep", waited.append)
    in_a_while = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    court.answer = in_turn(
        answering(b"", 429, Retry_After="7"), answering(b"", 503, Retry_After=in_a_while), answering(GOOD)
    )
    assert get(court.url) is not None
    assert waited[0] == 7
    assert 25 < waited[1] <= 30


def test_a_publisher_that_asks_for_more_patience_than_there_is_time_is_left_to_the_schedule(
    court: Publisher, get: Getting
) -> None:
    stamina.set_testing(False)
    court.answer = answering(b"", 503, Retry_After="3600")
    said = get.failing(court.url)
    assert "(1 attempts); it asks to be tried again in 3,600 s, which is past fetch.total_timeout" in said
    assert len(court.requests) == 1


def test_a_stream_that_opens_to_nothing_is_counted_on_the_wire(court: Publisher, get: Getting) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Encoding", "gzip")
        handler.end_headers()
        with contextlib.suppress(OSError):
            while True:
                handler.wfile.write(gzip.compress(b"") * 1_000)

    court.answer = endless
    assert "larger than 1,000,000 bytes" in get.failing(court.url, max_bytes=1_000_000)


def test_a_body_announced_too_large_is_not_begun(court: Publisher, get: Getting) -> None:
    court.answer = answering(b"", Content_Length="5000000")
    assert "larger than 1,000,000 bytes" in get.failing(court.url, max_bytes=1_000_000)


@pytest.mark.parametrize("second", ["Transfer-Encoding: chunked", "Content-Length: 9"])
def test_an_answer_of_two_lengths_is_not_believed(court: Publisher, get: Getting, second: str) -> None:
    def two(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(f"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n{second}\r\n\r\n5\r\na.exa\r\n0\r\n\r\n".encode())

    court.answer = two
    said = get.failing(court.url)
    assert "states two lengths" in said or "conflicting Content-Length" in said


def test_a_bomb_costs_little_more_memory_than_its_limit(court: Publisher, get: Getting) -> None:
    court.answer = answering(BOMB, Content_Encoding="gzip")
    tracemalloc.start()
    try:
        get.failing(court.url, max_bytes=20_000_000)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 16_000_000
