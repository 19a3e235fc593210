"""Valid and invalid HTTP/1.1: each violation gets a 4xx or a closed connection, and the node continues."""

from __future__ import annotations

import json
import random
import socket
import time
from pathlib import Path

import pytest

from blocklist.lookup.limits import MAX_BYTES
from blocklist.node.http import connection
from tests.http_violations import VIOLATIONS, WHOLE
from tests.lookup.contract_cases import contract_snapshot
from tests.node.running import RunningNode, exchange, node, publish, received, statuses, until

GET = b"GET /v1/lookup?domain=pirate.example HTTP/1.1\r\nHost: a\r\n\r\n"
CLEAN = b"GET /v1/lookup?domain=clean.example HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /v1/lookup HTTP/1.1\r\nHost: a\r\n"


def posted(body: bytes, headers: bytes = b"") -> bytes:
    return POST + headers + b"Content-Length: %d\r\n\r\n" % len(body) + body


def asks_well(node: RunningNode) -> bool:
    """Whether a valid request is still answered."""
    return statuses(exchange(node, GET)) == [200]


def test_a_connection_stays_open_and_responses_come_in_order(serving: RunningNode) -> None:
    answers = exchange(serving, GET + CLEAN + posted(b'{"items": ["pirate.example"]}') + CLEAN + GET)
    assert statuses(answers) == [200] * 5
    order = [b'"verdict":"listed"', b'"verdict":"not_listed"', b'"results"', b'"verdict":"not_listed"']
    places = [answers.index(word) for word in order[:3]]
    assert places == sorted(places)


def test_requests_split_at_any_byte_get_the_same_responses(serving: RunningNode) -> None:
    stream = GET + posted(b'{"items": ["pirate.example"]}') + CLEAN
    whole = exchange(serving, stream)
    for cut in range(1, len(stream)):
        with serving.connect() as client:
            client.sendall(stream[:cut])
            client.sendall(stream[cut:])
            client.shutdown(socket.SHUT_WR)
            assert statuses(received(client)) == statuses(whole) == [200] * 3
    assert statuses(exchange(serving, stream, pieces=1)) == [200] * 3


def test_a_chunked_body_is_read(serving: RunningNode) -> None:
    chunks = b'5\r\n{"ite\r\n18;x=y\r\nms": ["pirate.example"]}\r\n0\r\nHost: trailer\r\n\r\n'
    answer = exchange(serving, POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + CLEAN)
    assert statuses(answer) == [200, 200]
    assert b'"listed":true' in answer


def test_a_client_that_expects_100_continue_gets_it_before_the_body(serving: RunningNode) -> None:
    body = b'{"items": ["pirate.example"]}'
    with serving.connect() as client:
        client.sendall(POST + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(body)
        assert client.recv(4096).startswith(b"HTTP/1.1 200 ")


def test_a_connection_is_closed_if_the_client_asks_for_it(serving: RunningNode) -> None:
    for ending in (b"HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", b"HTTP/1.0\r\n\r\n"):
        with serving.connect() as client:
            client.sendall(b"GET /healthz " + ending)
            answer = received(client)
        assert statuses(answer) == [200]
        assert b"Connection: close" in answer


def test_an_http_1_0_client_may_keep_its_connection_open(serving: RunningNode) -> None:
    with serving.connect() as client:
        for _ in range(2):
            client.sendall(b"GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            assert b"Connection: keep-alive" in client.recv(4096)


@pytest.mark.parametrize(
    ("request_", "status", "detail"),
    [
        (b"rubbish\r\n\r\n", 400, b"not a valid HTTP/1.1 request"),
        (b"GET /healthz HTTP/1.1\r\n\r\n", 400, b"exactly one Host"),
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, b"exactly one Host"),
        (b"GET /healthz HTTP/1.1\r\nHost : a\r\n\r\n", 400, b"not a valid HTTP/1.1"),
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n", 400, b"not a valid HTTP/1.1"),
        (POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", 400, b"not a valid HTTP/1.1"),
        (POST + b"Content-Length: -5\r\n\r\nabcdef", 400, b"not a valid HTTP/1.1"),
        (
            POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            b"not a valid HTTP/1.1",
        ),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400, b"not a valid HTTP/1.1"),
        (POST + b"Content-Length: %d\r\n\r\n" % (MAX_BYTES + 1), 413, b"in parts"),
        (POST + b"Content-Length: 99999999999999999999999999\r\n\r\n", 400, b""),
        (POST + b"Expect: miracles\r\nContent-Length: 1\r\n\r\nx", 417, b"100-continue"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, b"POST it"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", 431, b"65,536"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 9_000 + b"\r\n", 0, b""),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X%d: y\r\n" % n for n in range(300)) + b"\r\n", 431, b"200"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0, b""),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200, 400, b"not a valid HTTP/1.1"),
    ],
)
def test_a_violation_gets_a_clear_error_and_the_connection_is_closed(
    serving: RunningNode, request_: bytes, status: int, detail: bytes
) -> None:
    answer = exchange(serving, request_ + GET)
    found = statuses(answer)
    assert found and all(400 <= code < 500 for code in found[:1]), answer[:300]
    assert status in (0, found[0])
    assert detail in answer
    assert len(found) == 1, "what follows a broken request was answered"
    assert asks_well(serving)


@pytest.mark.parametrize("name", VIOLATIONS)
def test_what_breaks_a_rule_of_http_is_refused_and_the_connection_closed(serving: RunningNode, name: str) -> None:
    found = statuses(exchange(serving, VIOLATIONS[name] + WHOLE))
    assert len(found) == 1, "what follows a broken request was answered"
    assert 400 <= found[0] < 500
    assert asks_well(serving)


def test_a_body_over_the_limit_without_a_length_is_refused(serving: RunningNode) -> None:
    with serving.connect() as client:
        client.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        block = b"%x\r\n" % 65_536 + b"a" * 65_536 + b"\r\n"
        try:
            for _ in range(2 * MAX_BYTES // 65_536):
                client.sendall(block)
        except OSError:
            pass
        assert statuses(received(client))[:1] in ([413], [])
    assert asks_well(serving)


def test_an_upgrade_is_ignored_and_the_request_is_answered(serving: RunningNode) -> None:
    asked = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    assert statuses(exchange(serving, asked)) == [200]


def test_the_absolute_form_is_understood(serving: RunningNode) -> None:
    asked = b"GET http://node/v1/lookup?domain=pirate.example HTTP/1.1\r\nHost: node\r\n\r\n"
    assert b'"listed":true' in exchange(serving, asked)


def test_a_large_batch_and_later_requests_are_answered_in_order(serving: RunningNode) -> None:
    items = json.dumps({"items": ["pirate.example"] * 5_000}).encode()
    answers = exchange(serving, posted(items) + GET + posted(items) + CLEAN)
    assert statuses(answers) == [200] * 4
    assert answers.count(b'"results"') == 2
    assert answers.rstrip().endswith(b'"stale":false}')


def test_a_client_that_never_reads_responses_is_not_read_from(serving: RunningNode) -> None:
    items = json.dumps({"items": ["pirate.example"] * 10_000}).encode()
    with serving.connect() as client:
        client.settimeout(2)
        try:
            for _ in range(200):
                client.sendall(posted(items))
        except TimeoutError:
            pass
        else:
            pytest.fail("the node read everything and held the answers")
        assert asks_well(serving)


def test_a_slow_client_gets_408_and_is_disconnected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The limits cannot be configured. Tested is that one applies to a client that sends byte by byte.
    assert connection.HEAD_TIME <= 10
    publish(tmp_path, contract_snapshot(), 7)
    with node(tmp_path) as running, running.connect() as slow:
        slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n")
        started = time.monotonic()
        slow.settimeout(30)
        while time.monotonic() - started < 25:
            try:
                slow.sendall(b"X: y\r\n")
            except OSError:
                break
            slow.settimeout(0.5)
            try:
                if answer := slow.recv(4096):
                    assert answer.startswith(b"HTTP/1.1 408 ")
                    break
            except TimeoutError:
                continue
        assert 5 < time.monotonic() - started < 20
        assert asks_well(running)


def test_fuzzed_requests_get_valid_responses_and_never_a_5xx(serving: RunningNode) -> None:
    rng = random.Random(11)
    seeds = [GET, CLEAN, posted(b'{"items": ["pirate.example"]}'), b"GET /v1/gate HTTP/1.1\r\nHost: a\r\n\r\n",
             posted(b"{}", b"Transfer-Encoding: chunked\r\n")]  # fmt: skip
    for _ in range(1_500):
        stream = bytearray(b"".join(rng.choices(seeds, k=rng.randint(1, 4))))
        for _ in range(rng.randint(1, 6)):
            place = rng.randrange(len(stream))
            stream[place : place + rng.choice((0, 1, 1, 8))] = rng.randbytes(rng.choice((0, 1, 1, 3)))
        for status in statuses(exchange(serving, bytes(stream))):
            assert 200 <= status < 500
    assert asks_well(serving)


def test_many_idle_connections_stay_open(serving: RunningNode) -> None:
    idle = [serving.connect() for _ in range(300)]
    try:
        until(lambda: serving.supervisor.scoreboard.read(0)["values"]["connections"] >= 300)
        assert asks_well(serving)
    finally:
        for client in idle:
            client.close()
