"""Clients that send or read slowly, or say nothing, keep nobody else waiting."""

from __future__ import annotations

import contextlib
import socket
import ssl
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from blocklist.daemon import control_server, wsgi_bridge
from blocklist.daemon.control_server import ControlServer
from blocklist.daemon.tls import tls
from blocklist.domain.access import Role
from blocklist.service import Service
from blocklist.snapshot.follower import Follower
from blocklist.web.app import create_app
from tests.certificates import certificate
from tests.support import settings_for

#: How long a request may take while slow clients are connected, in seconds (median).
ALLOWED = 0.3


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    certificate("ca", "ca", folder / "ca.pem")
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    return certificate("localhost", "ca", folder / "server.pem", names)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    opened = Service(settings_for(tmp_path / "data"))
    yield opened
    opened.close()


@contextlib.contextmanager
def serving(service: Service, context: ssl.SSLContext | None = None) -> Iterator[int]:
    server = ControlServer(
        ("127.0.0.1", 0),
        create_app(Follower(service.snapshots.folder, 60), service),
        threads=8,
        max_upload=100_000_000,
        tls=context,
    )
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


def connected(port: int, first: bytes = b"") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(first)
    return connection


def median_seconds(get: Callable[[str], httpx.Response]) -> float:
    seconds = []
    for path in ["/healthz", "/admin/sign-in"] * 5:
        begun = time.perf_counter()
        assert get(path).status_code == 200
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"GET /admin/sign-in HTTP/1.1\r\nHost: x\r\nX: ",
        b"POST /v1/lookup HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{",
        b"POST /v1/feeds/a/refresh HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ],
    ids=["silent", "in the head", "in the body", "in a chunk"],
)
def test_four_hundred_slow_clients_keep_nobody_waiting(service: Service, first: bytes) -> None:
    with serving(service) as port, contextlib.ExitStack() as stack:
        slow = [stack.enter_context(connected(port, first)) for _ in range(400)]
        stop = threading.Event()

        def drip() -> None:
            while not stop.wait(0.5):
                for connection in slow if first else ():
                    with contextlib.suppress(OSError):
                        connection.send(b"a")

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
                assert median_seconds(client.get) < ALLOWED
        finally:
            stop.set()
            dripping.join()


def test_four_hundred_clients_that_never_end_a_handshake_or_a_head_keep_nobody_waiting(
    service: Service, pem: Path
) -> None:
    trusted = ssl.create_default_context(cafile=pem.with_name("ca.pem"))
    with serving(service, tls(str(pem), str(pem))) as port, contextlib.ExitStack() as stack:
        for number in range(200):
            stack.enter_context(connected(port, b"\x16\x03\x01" if number % 2 else b""))
        for _ in range(200):
            encrypted = trusted.wrap_socket(connected(port), server_hostname="localhost")
            stack.enter_context(encrypted).sendall(b"GET / HTTP/1.1\r\n")
        with httpx.Client(base_url=f"https://localhost:{port}", trust_env=False, verify=trusted) as client:
            assert median_seconds(client.get) < ALLOWED


def test_clients_that_never_read_keep_nobody_waiting(service: Service) -> None:
    large = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
    with serving(service) as port, contextlib.ExitStack() as stack:
        for _ in range(20):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            connection.connect(("127.0.0.1", port))
            connection.sendall(large * 40)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
            # The responses that fit into the buffers of the sockets are made first.
            assert client.get("/healthz").status_code == 200
            assert median_seconds(client.get) < ALLOWED


def test_slow_uploads_of_people_who_may_not_upload_are_refused_at_once(service: Service) -> None:
    head = b"POST /v1/feeds/a/refresh HTTP/1.1\r\nHost: x\r\nContent-Length: 90000000\r\n\r\n"
    with serving(service) as port, contextlib.ExitStack() as stack:
        slow = [stack.enter_context(connected(port, head)) for _ in range(40)]
        for connection in slow:
            assert connection.recv(12) == b"HTTP/1.1 401"


def test_slow_uploads_of_an_admin_keep_nobody_else_waiting(service: Service) -> None:
    _, token = service.tokens.create(Role.ADMIN, "test")
    head = f"POST /v1/feeds/a/refresh HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
    with serving(service) as port, contextlib.ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(connected(port, head.encode() + b"Content-Length: 90000000\r\n\r\nab"))
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            assert median_seconds(client.get) < ALLOWED


def refused(port: int, first: bytes) -> bytes:
    with connected(port, first) as connection:
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_a_head_that_does_not_arrive_in_time_gets_408(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_server, "HEAD_TIME", 0.2)
    with serving(service) as port:
        assert refused(port, b"GET / HTTP/1.1\r\nHost: x\r\n").startswith(b"HTTP/1.1 408")
        assert refused(port, b"") == b"", "who sent nothing gets nothing"
        first = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        assert b"HTTP/1.1 408" in refused(port, first + b"GET /"), "the same for a second request"
        with connected(port, first) as connection:
            received = b""
            while not received.endswith(b'{"status":"ok"}\n'):
                received += connection.recv(65_536)
            connection.sendall(b"\r\n")
            assert connection.recv(65_536).startswith(b"HTTP/1.1 408"), "and after empty lines between requests"


def test_a_body_that_does_not_arrive_in_time_gets_408(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wsgi_bridge, "BODY_TIME", 0.2)
    with serving(service) as port:
        head = b"POST /v1/lookup HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
        assert refused(port, head + b"{").startswith(b"HTTP/1.1 408")


def test_a_client_that_never_reads_is_disconnected(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_server, "WRITE_TIME", 0.2)
    page = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
    with serving(service) as port, connected(port, page * 200) as connection, pytest.raises(OSError):
        for _ in range(100):
            time.sleep(0.1)
            connection.sendall(page)


def test_a_head_without_end_is_refused(service: Service) -> None:
    with serving(service) as port, connected(port, b"GET / HTTP/1.1\r\nHost: x\r\n") as connection:
        with contextlib.suppress(OSError):
            for number in range(10_000):
                connection.sendall(b"X-%d: %b\r\n" % (number, b"a" * 90))
        with contextlib.suppress(OSError):
            assert connection.recv(12) in (b"HTTP/1.1 431", b"")


def test_connections_over_the_limit_are_refused_with_a_reason(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_server, "_MAX_CONNECTIONS", 3)
    with serving(service) as port, contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(connected(port))
        time.sleep(0.2)
        assert b"503" in refused(port, b"")
