"""The same node over every transport: epoll, a Unix socket, asyncio, uvloop without epoll, and TLS."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from blocklist.domain.errors import BlocklistError
from tests.lookup.contract_cases import contract_snapshot
from tests.node.running import RunningNode, node, publish, received, statuses, until

GET = b"GET /v1/lookup?domain=pirate.example HTTP/1.1\r\nHost: a\r\n\r\n"
BATCH = json.dumps({"items": ["https://pirate.example/film"] * 10_000}).encode()
POST = b"POST /v1/lookup HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(BATCH) + BATCH
_CLOSE = b"\r\nConnection: close\r\n\r\n"
#: Programs that run first in a worker and remove epoll, and in one case uvloop too.
_REMOVALS = {
    "asyncio": ("sitecustomize.py", "import select, sys\ndel select.epoll\nsys.modules['uvloop'] = None\n"),
    "no epoll": ("sitecustomize.py", "import select\ndel select.epoll\n"),
}


@dataclass
class Served:
    """A node and its address."""

    running: RunningNode
    context: ssl.SSLContext | None
    path: Path | None = None

    def connect(self) -> socket.socket:
        if self.path:
            client = socket.socket(socket.AF_UNIX)
            client.settimeout(20)
            client.connect(str(self.path))
            return client
        client = self.running.connect()
        return self.context.wrap_socket(client, server_hostname="127.0.0.1") if self.context else client


def certificate(path: Path) -> Path:
    """Write a self-signed certificate for 127.0.0.1, with its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "node")])
    made = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@contextlib.contextmanager
def serving_over(way: str, folder: Path) -> Iterator[Served]:
    lookup: dict[str, Any] = {}
    context = None
    if way == "TLS":
        pem = certificate(folder / "node.pem")
        lookup = {"tls_certificate": str(pem), "tls_key": str(pem)}
        context = ssl.create_default_context(cafile=str(pem))
    if way in _REMOVALS:
        name, text = _REMOVALS[way]
        (folder / "removals").mkdir()
        (folder / "removals" / name).write_text(text)
    publish(folder / "snapshots", contract_snapshot(), 7)
    path = folder / "node.sock" if way == "Unix" else None
    if path:
        lookup = {"unix_socket": str(path)}
    with pytest.MonkeyPatch.context() as patch:
        if way in _REMOVALS:
            patch.setenv("PYTHONPATH", str(folder / "removals"))
        with node(folder / "snapshots", **lookup) as running:
            yield Served(running, context, path)


@pytest.fixture(scope="module", params=["sockets", "Unix", "asyncio", "no epoll", "TLS"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def served(way: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving_over(way, tmp_path_factory.mktemp("served")) as made:
        yield made


def test_each_way_uses_its_transport(served: Served, way: str) -> None:
    (worker,) = served.running.workers()
    uvloop = "uvloop" in Path(f"/proc/{worker}/maps").read_text()
    polls = [link for link in Path(f"/proc/{worker}/fd").iterdir() if "eventpoll" in str(link.readlink())]
    assert (uvloop, len(polls)) == {
        "sockets": (False, 1),
        "Unix": (False, 1),
        "asyncio": (False, 0),
        "no epoll": (True, 1),
        "TLS": (True, 1),
    }[way]


def test_a_connection_serves_cached_and_parsed_requests_in_turn(served: Served) -> None:
    with served.connect() as client:
        for _ in range(3):
            client.sendall(GET)
            assert b'"listed":true' in client.recv(4_096)
            client.sendall(GET.replace(b"domain=pirate", b"app=x"))
            assert b'"listed":false' in client.recv(4_096)


def test_a_slow_reader_gets_every_byte_in_order(served: Served) -> None:
    with served.connect() as client:
        # A node with unsent responses reads no more requests, and a Unix socket buffers few of them.
        sending = threading.Thread(target=client.sendall, args=((POST + GET) * 4,))
        sending.start()
        if not served.path:
            sending.join()  # an SSL socket must not be used by two threads at a time
        time.sleep(0.3)
        got = bytearray()
        while got.count(b"HTTP/1.1 200 ") < 8 or not got.endswith(b'"stale":false}\n'):
            got += client.recv(4_096 if len(got) < 100_000 else 1 << 20)
        sending.join()
    assert statuses(bytes(got)) == [200] * 8
    assert got.count(b'"verdict":"listed"') == 4 * 10_000 + 4


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 131_072, 196_608])
@pytest.mark.parametrize("ending", [False, True])
def test_requests_that_exactly_fill_one_read_are_answered(served: Served, size: int, ending: bool) -> None:
    many = GET * (size // len(GET))
    padding = GET.replace(b"\r\n\r\n", b"\r\nX: " + b"x" * (size - len(many) - 5) + b"\r\n\r\n")
    many = many[len(GET) :] + padding
    assert len(many) == size
    with served.connect() as client:
        client.sendall(many)
        if ending and not served.context:
            client.shutdown(socket.SHUT_WR)
        got = bytearray()
        while got.count(b'"stale":false}\n') < size // len(GET):
            got += client.recv(1 << 20)
        if ending and not served.context:
            assert client.recv(1) == b""
    assert statuses(bytes(got)) == [200] * (size // len(GET))


def test_the_rest_of_a_request_is_read_after_urgent_data_or_a_passed_descriptor(served: Served, way: str) -> None:
    (worker,) = served.running.workers()
    with served.connect() as client, open(os.devnull) as file:  # noqa: PTH123
        client.sendall(GET)
        assert client.recv(4_096)
        # Everything arrives before the worker reads.
        os.kill(worker, signal.SIGSTOP)
        if way == "Unix":
            socket.send_fds(client, [GET[:20]], [file.fileno()])
        else:
            client.sendall(GET[:20])
            if not served.context:
                client.send(b"!", socket.MSG_OOB)
        client.sendall(GET[20:])
        time.sleep(0.05)
        os.kill(worker, signal.SIGCONT)
        assert b'"listed":true' in client.recv(4_096)


def test_a_client_that_has_ended_its_sending_side_gets_its_responses(served: Served) -> None:
    with served.connect() as client:
        client.sendall(POST + GET.replace(b"\r\n\r\n", _CLOSE))
        if not served.context:  # Python cannot end only one side of a TLS connection
            client.shutdown(socket.SHUT_WR)
        assert statuses(received(client)) == [200, 200]


def test_a_client_that_leaves_without_its_responses_is_removed(served: Served) -> None:
    def others() -> int:
        with served.connect() as client:
            client.sendall(GET.replace(b"/v1/lookup?domain=pirate.example", b"/metrics").replace(b"\r\n\r\n", _CLOSE))
            answer = received(client)
        return int(float(answer.partition(b'blocklist_connections{worker="0"} ')[2].split()[0])) - 1

    until(lambda: others() == 0)
    leaving = [served.connect() for _ in range(20)]
    for client in leaving:
        client.settimeout(0.02)
        with contextlib.suppress(TimeoutError):  # until the node reads no more
            client.sendall(POST + POST)
    assert others() == 20
    for number, client in enumerate(leaving):
        if number % 2:  # reset the connection
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
    until(lambda: others() == 0)
    with served.connect() as client:
        client.sendall(GET)
        assert b'"listed":true' in client.recv(4_096)


def test_a_refused_client_can_read_the_error_while_it_still_sends(served: Served) -> None:
    with served.connect() as client:
        client.sendall(b"rubbish\r\n\r\n" + b"x" * 100_000)
        answer = bytearray()
        with contextlib.suppress(ConnectionResetError):
            while block := client.recv(65_536):
                answer += block
    assert statuses(bytes(answer)) == [400]


def test_an_unusable_certificate_prevents_the_start(tmp_path: Path) -> None:
    (tmp_path / "node.pem").write_text("no certificate")
    with (
        pytest.raises(BlocklistError, match=r"lookup\.tls_certificate: .* cannot be used"),
        node(tmp_path / "snapshots", tls_certificate=str(tmp_path / "node.pem")),
    ):
        pass
