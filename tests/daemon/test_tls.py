"""The control plane over HTTPS, and beyond this machine."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from blocklist.config.settings import ServeSettings
from blocklist.daemon.control_server import ControlServer
from blocklist.daemon.server import check_reach
from blocklist.daemon.tls import tls
from blocklist.domain.errors import ConfigurationError, UsageError
from blocklist.service import Service
from blocklist.snapshot.follower import Follower
from blocklist.web.app import create_app
from tests.certificates import certificate
from tests.support import settings_for


@dataclass
class Running:
    port: int
    ca: ssl.SSLContext

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"https://localhost:{self.port}{path}", verify=self.ca, trust_env=False)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("tls")
    certificate("ca", "ca", folder / "ca.pem")
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    pem = str(certificate("localhost", "ca", folder / "server.pem", names))
    service = Service(settings_for(folder / "data"))
    server = ControlServer(
        ("127.0.0.1", 0), create_app(Follower(service.snapshots.folder, 60), service), threads=4, tls=tls(pem, pem)
    )
    server.start()
    yield Running(server.port, ssl.create_default_context(cafile=folder / "ca.pem"))
    server.stop()
    service.close()


def test_pages_come_over_https_with_cookies_that_stay_there(running: Running) -> None:
    answer = running.get("/admin/sign-in")
    assert answer.status_code == 200
    assert answer.headers["Strict-Transport-Security"]
    assert answer.headers["Set-Cookie"].startswith("__Host-blocklist-forms=")
    assert "Secure" in answer.headers["Set-Cookie"]


def test_clients_that_connect_and_say_nothing_keep_nobody_waiting(running: Running) -> None:
    silent = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(3)]
    try:
        started = time.monotonic()
        assert running.get("/healthz").status_code == 200
        assert time.monotonic() - started < 3
    finally:
        for connection in silent:
            connection.close()


def test_whoever_speaks_plain_http_gets_no_page_and_does_no_harm(running: Running) -> None:
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://localhost:{running.port}/admin/sign-in", trust_env=False).raise_for_status()
    assert running.get("/healthz").status_code == 200


def test_a_certificate_without_its_key_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="belong together"):
        tls("a.pem", "")
    with pytest.raises(ConfigurationError, match="No such file"):
        tls(str(tmp_path / "a.pem"), str(tmp_path / "b.pem"))
    (tmp_path / "a.pem").write_text("nonsense")
    with pytest.raises(ConfigurationError, match=r"a\.pem"):
        tls(str(tmp_path / "a.pem"), str(tmp_path / "a.pem"))
    assert tls("", "") is None


@pytest.mark.parametrize("address", ["0.0.0.0:8080", "[::]:8080", "192.0.2.1:8080", "blocklist.example:8080"])
def test_beyond_this_machine_it_listens_over_https_or_behind_a_proxy_only(address: str) -> None:
    with pytest.raises(UsageError, match="in the clear"):
        check_reach(ServeSettings(control=address))
    check_reach(ServeSettings(control=address, behind_proxy=True))
    check_reach(ServeSettings(control=address, tls_certificate="a.pem", tls_key="a.pem"))


@pytest.mark.parametrize("address", ["127.0.0.1:1", "[::1]:1", "localhost:1", "127.9.9.9:1"])
def test_on_this_machine_it_needs_neither(address: str) -> None:
    check_reach(ServeSettings(control=address))
