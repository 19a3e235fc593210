"""HTTPS with an authority of the test's own: certificates, client certificates, and a proxy in between."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from blocklist.definitions.source import Credentials
from blocklist.domain.errors import FetchError
from blocklist.fetch.credentials import load_secret
from tests.certificates import certificate
from tests.e2e.running import Publisher
from tests.fetch.asking import GOOD, Getting, answering


class Secure:
    """A publisher over TLS that notes the name it was asked for and the client's certificate."""

    def __init__(self, folder: Path, client: bool = False) -> None:
        self.seen: list[Any] = []
        self.names: list[str | None] = []
        secure = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                shown = self.connection.getpeercert() if isinstance(self.connection, ssl.SSLSocket) else None
                secure.seen.append((self.headers["Host"], shown))
                answering(GOOD)(self)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Say nothing: a client that does not trust us breaks off."""

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem")
        context.sni_callback = lambda _, name, __: self.names.append(name)
        if client:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(folder / "ca.pem")
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = int(self.server.server_address[1])
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tls")
    certificate("ca", "ca", made / "ca.pem")
    localhost = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.9"))]
    certificate("localhost", "ca", made / "server.pem", localhost)
    certificate("client", "ca", made / "client.pem", [x509.DNSName("client.example")])
    return made


@pytest.fixture
def secure(folder: Path) -> Iterator[Secure]:
    opened = Secure(folder)
    yield opened
    opened.close()


@pytest.fixture
def choosy(folder: Path) -> Iterator[Secure]:
    opened = Secure(folder, client=True)
    yield opened
    opened.close()


def url(secure: Secure, host: str = "localhost") -> str:
    return f"https://{host}:{secure.port}/list.txt"


LOCAL: dict[str, Any] = {"allow_private_hosts": ("localhost", "127.0.0.1"), "attempts": 1}


def test_an_authority_of_ones_own_is_trusted_and_the_certificate_checked_against_the_name(
    secure: Secure, folder: Path, get: Getting
) -> None:
    assert "CERTIFICATE_VERIFY_FAILED" in get.failing(url(secure), **LOCAL)
    trusting = LOCAL | {"ca_file": str(folder / "ca.pem")}
    assert get(url(secure), **trusting) is not None
    assert secure.seen[0][0] == f"localhost:{secure.port}"
    assert secure.names[-1] == "localhost"
    get.into.unlink()
    assert "mismatch" in get.failing(url(secure, "127.0.0.1"), **trusting)


def test_an_authority_that_cannot_be_read_is_said(secure: Secure, tmp_path: Path, get: Getting) -> None:
    assert "fetch.ca_file" in get.failing(url(secure), ca_file=str(tmp_path / "none.pem"), **LOCAL)
    (tmp_path / "no.pem").write_text("nothing")
    assert "fetch.ca_file" in get.failing(url(secure), ca_file=str(tmp_path / "no.pem"), **LOCAL)


@pytest.mark.parametrize("place", ["env", "file"])
def test_a_client_certificate_is_shown_to_its_publisher_alone(
    choosy: Secure, court: Publisher, folder: Path, get: Getting, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    trusting = LOCAL | {"ca_file": str(folder / "ca.pem")}
    monkeypatch.setenv("A_CERTIFICATE", (folder / "client.pem").read_text())
    where = {"env": "A_CERTIFICATE"} if place == "env" else {"file": str(folder / "client.pem")}
    credentials = Credentials.model_validate({"kind": "certificate", **where})
    assert get(url(choosy), credentials=credentials, **trusting) is not None
    assert choosy.seen[0][1]["subject"] == ((("commonName", "client"),),)
    get.into.unlink()
    get.failing(url(choosy), **trusting)
    # Through a redirect from another origin, the certificate stays at home.
    court.answer = answering(b"", 302, Location=url(choosy))
    get.failing(court.url, credentials=credentials, **trusting)
    assert len(choosy.seen) == 1


def test_a_client_certificate_that_is_none_is_said_without_its_key(folder: Path, tmp_path: Path) -> None:
    for text in ("nothing", (folder / "client.pem").read_text().partition("-----BEGIN PRIVATE")[0]):
        (tmp_path / "client.pem").write_text(text)
        secret = load_secret(Credentials(kind="certificate", file=str(tmp_path / "client.pem")))
        with pytest.raises(FetchError, match=r"the file .*client\.pem does not contain a client certificate"):
            secret.load_into(ssl.create_default_context())


class Proxy:
    """An HTTP proxy that opens tunnels and notes what for."""

    def __init__(self, answer: bytes = b"HTTP/1.1 200 OK\r\n\r\n") -> None:
        self.asked: list[str] = []
        self._ended: dict[frozenset[socket.socket], socket.socket] = {}
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            self.asked.append(head.decode())
            client.sendall(self._answer)
            if b" 200 " not in self._answer:
                client.close()
                continue
            host, _, port = head.split()[1].decode().rpartition(":")
            target = socket.create_connection((host, int(port)))
            for one, two in ((client, target), (target, client)):
                threading.Thread(target=self._pump, args=(one, two), daemon=True).start()

    def _pump(self, one: socket.socket, two: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while block := one.recv(65_536):
                two.sendall(block)
        with contextlib.suppress(OSError):
            two.shutdown(socket.SHUT_WR)
        # The other direction may still be under way: the last of the two lets go.
        if self._ended.setdefault(frozenset((one, two)), one) is not one:
            one.close()
            two.close()

    def close(self) -> None:
        # A socket that a thread waits on is only let go by shutting it down.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def test_a_proxy_is_asked_for_the_checked_address_and_tls_checks_the_name(
    secure: Secure, court: Publisher, folder: Path, get: Getting
) -> None:
    proxy = Proxy()
    settings = LOCAL | {"ca_file": str(folder / "ca.pem"), "proxy": f"http://me:pr0xy@127.0.0.1:{proxy.port}"}
    assert get(url(secure), **settings) is not None
    assert proxy.asked[-1].startswith(f"CONNECT 127.0.0.1:{secure.port} HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic bWU6cHIweHk=" in proxy.asked[-1]
    assert (secure.names[-1], secure.seen[-1][0]) == ("localhost", f"localhost:{secure.port}")
    court.answer = answering(GOOD)
    assert get(court.url, **settings) is not None
    assert proxy.asked[-1].startswith(f"CONNECT 127.0.0.1:{court.port} ")
    assert court.requests[0]["Host"] == f"127.0.0.1:{court.port}"
    assert "Proxy-Authorization" not in court.requests[0]
    proxy.close()


def test_a_proxy_that_refuses_or_is_not_there_is_said_without_its_password(court: Publisher, get: Getting) -> None:
    proxy = Proxy(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
    address = f"http://me:pr0xy@127.0.0.1:{proxy.port}"
    said = get.failing(court.url, proxy=address, attempts=1)
    assert f"the proxy 127.0.0.1:{proxy.port} (setting fetch.proxy) answered 407" in said
    proxy.close()
    away = get.failing(court.url, proxy=address, attempts=1)
    assert f"the proxy 127.0.0.1:{proxy.port} (setting fetch.proxy): " in away
    assert "pr0xy@" not in said + away
    assert court.requests == []


@pytest.mark.parametrize("proxy", ["proxy:3128", "socks5://p:1", "http://", "http://p:1/path", "http://[::1"])
def test_what_is_no_proxy_is_refused(court: Publisher, get: Getting, proxy: str) -> None:
    with pytest.raises(ValueError, match="not the address of a proxy"):
        get(court.url, proxy=proxy)
