"""The control plane's server: what a client sends that the application does not read."""

from __future__ import annotations

import re
import socket
import tracemalloc
from collections.abc import Iterator

import pytest

from blocklist.daemon.control_server import ControlServer
from blocklist.service import Service
from blocklist.snapshot.follower import Follower
from blocklist.web.app import create_app
from tests.http_violations import VIOLATIONS, WHOLE
from tests.support import settings_for

HIDDEN = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    service = Service(settings_for(tmp_path_factory.mktemp("server") / "data"))
    server = ControlServer(("127.0.0.1", 0), create_app(Follower(service.snapshots.folder, 60), service), threads=2)
    server.start()
    yield server.port
    server.stop()
    service.close()


def answers(port: int, request: bytes) -> list[bytes]:
    """Return the status of each answer to what is sent on one connection, which the service closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        received = b"".join(iter(lambda: connection.recv(65_536), b""))
    return re.findall(rb"HTTP/1\.1 (\d{3})", received)


def sent(path: str, headers: str, body: bytes) -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n".encode() + body


@pytest.mark.parametrize("path", ["/v1/tokens", "/admin/access", "/nowhere"])
def test_what_a_refused_request_brings_in_chunks_is_no_further_request(port: int, path: str) -> None:
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN)
    assert len(answers(port, sent(path, "Transfer-Encoding: chunked", body) + HIDDEN)) == 2


def test_what_a_refused_request_brings_is_no_further_request_and_the_next_one_is_answered(port: int) -> None:
    assert answers(port, sent("/v1/tokens", f"Content-Length: {len(HIDDEN)}", HIDDEN) + HIDDEN) == [b"401", b"200"]


@pytest.mark.parametrize(
    "headers", ["Content-Length: 5\r\nTransfer-Encoding: chunked", "Content-Length: +5", "Content-Length: -5"]
)
def test_a_body_whose_length_may_be_read_in_two_ways_is_refused(port: int, headers: str) -> None:
    assert answers(port, sent("/v1/lookup", headers, b"0\r\n\r\n" + HIDDEN)) == [b"400"]


def test_the_body_of_a_refused_request_is_not_held_in_memory(port: int) -> None:
    size = 64 << 20
    tracemalloc.start()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(sent("/v1/tokens", f"Content-Length: {size}", b""))
            block = bytes(1 << 20)
            for _ in range(size >> 20):
                connection.sendall(block)
            assert connection.recv(12) == b"HTTP/1.1 401"
        assert tracemalloc.get_traced_memory()[1] < size // 4
    finally:
        tracemalloc.stop()


def test_a_client_of_http_1_0_gets_a_length_and_no_chunks(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"GET /openapi.json HTTP/1.0\r\n\r\n")
        received = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"chunked" not in head
    assert f"content-length: {len(body)}".encode() in head.lower()


def test_headers_with_an_underscore_cannot_name_the_client(port: int) -> None:
    def status(forwarded: str) -> bytes:
        head = f"GET /v1/feeds HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong\r\n{forwarded}\r\n"
        return answers(port, f"{head}Connection: close\r\n\r\n".encode())[0]

    found = [status(f"X_Forwarded_For: 192.0.2.{number}") for number in range(60)]
    assert found[-1] == b"429", "rotating the address must not get round the limit of wrong tokens"


@pytest.mark.parametrize("name", VIOLATIONS)
def test_what_breaks_a_rule_of_http_is_refused_and_the_connection_closed(port: int, name: str) -> None:
    found = answers(port, VIOLATIONS[name] + WHOLE)
    assert len(found) == 1, "what follows a broken request was answered"
    assert found[0].startswith(b"4")
