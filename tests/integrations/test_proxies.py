"""The examples of docs/integrations/ in nginx and HAProxy, in front of a test ad server."""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from blocklist import Snapshot
from tests.e2e.running import free_port
from tests.lookup.contract_cases import contract_snapshot
from tests.lookup.test_contract import flask_server
from tests.lookup.test_resolver import Holder

_EXAMPLES = Path(__file__).parents[2] / "docs" / "integrations"
_NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
_HAPROXY = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
_WITHOUT = {
    "nginx": pytest.mark.skipif(_NGINX is None, reason="nginx is not installed"),
    "haproxy": pytest.mark.skipif(_HAPROXY is None, reason="haproxy is not installed"),
}
_GATE_FAILS = pytest.mark.parametrize(("path", "served"), [("/ads/", False), ("/ads-fail-open/", True)])


@pytest.fixture(scope="module")
def ad_server() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ad")

        def log_message(self, format: str, *args: object) -> None:
            """Write no log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def node() -> Iterator[str]:
    with flask_server(Holder(Snapshot(Path("in memory"), contract_snapshot()))) as base:
        yield base.removeprefix("http://")


@pytest.fixture(scope="module")
def node_without_snapshot() -> Iterator[str]:
    with flask_server(Holder(None)) as base:
        yield base.removeprefix("http://")


@pytest.fixture(scope="module")
def silent_node() -> Iterator[str]:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        yield f"127.0.0.1:{silent.getsockname()[1]}"


def _example(name: str, node: str, ad_server: str, address: str) -> str:
    """Return an example with its addresses replaced; all of them must be in it."""
    text = (_EXAMPLES / name).read_text("utf-8")
    for written, wanted in (("127.0.0.1:8081", node), ("127.0.0.1:9000", ad_server), ("127.0.0.1:8000", address)):
        assert written in text, (name, written)
        text = text.replace(written, wanted)
    return text


@contextmanager
def _proxy(program: str, folder: Path, node: str, ad_server: str) -> Iterator[str]:
    address = f"127.0.0.1:{free_port()}"
    if program == "nginx":
        (folder / "example.conf").write_text(_example("nginx.conf", node, ad_server, address), "utf-8")
        temporary = " ".join(
            f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "nginx.conf").write_text(
            f"daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/log; events {{}}\n"
            f"http {{ access_log off; {temporary} include {folder}/example.conf; }}\n",
            "utf-8",
        )
        command = [_NGINX or "", "-p", str(folder), "-e", f"{folder}/log", "-c", str(folder / "nginx.conf")]
    else:
        (folder / "haproxy.cfg").write_text(_example("haproxy.cfg", node, ad_server, address), "utf-8")
        shutil.copy(_EXAMPLES / "blocklist.lua", folder)
        command = [_HAPROXY or "", "-db", "-f", "haproxy.cfg"]
    with (folder / "output").open("w+") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
        try:
            _wait(address, process, folder)
            yield address
        finally:
            process.terminate()
            process.wait(10)


def _wait(address: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    host, _, port = address.partition(":")
    end = time.monotonic() + 20
    while True:
        try:
            socket.create_connection((host, int(port)), 1).close()
            return
        except OSError:
            assert process.poll() is None, (folder / "output").read_text()
            assert time.monotonic() < end
            time.sleep(0.02)


def _ask(address: str, target: str, headers: dict[str, str] | None = None) -> tuple[int, bytes, str | None]:
    connection = http.client.HTTPConnection(address, timeout=20)
    try:
        connection.request("GET", target, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.read(), response.getheader("Blocklist-Rule")
    finally:
        connection.close()


_SERVED = (200, b"ad", None)
_PROXIES = pytest.mark.parametrize("program", [pytest.param(name, marks=mark) for name, mark in _WITHOUT.items()])


@_PROXIES
def test_a_listed_page_gets_no_ad_and_a_clean_one_does(program: str, tmp_path: Path, node: str, ad_server: str) -> None:
    with _proxy(program, tmp_path, node, ad_server) as address:
        for path in ("/ads/", "/ads-fail-open/"):
            assert _ask(address, f"{path}?page=https%3A%2F%2Fwww.pirate.example%2Ffilm") == (204, b"", "pirate.example")
            assert _ask(address, path, {"Referer": "https://pirate.example/"}) == (204, b"", "pirate.example")
            assert _ask(address, path, {"Origin": "https://pirate.example"}) == (204, b"", "pirate.example")
            assert _ask(address, f"{path}?page=https%3A%2F%2Fnews.example%2F%26policy%3Dx") == _SERVED
            assert _ask(address, path, {"Referer": "https://news.example/"}) == _SERVED
            assert _ask(address, path) == _SERVED
            url = "http%3A%2F%2Fvideo.example%2Fwatch%3Flist%3D2%26v%3D1"
            assert _ask(address, f"{path}?page={url}&x=1") == (204, b"", "video.example/watch?v=1")


@_PROXIES
def test_a_page_url_header_of_the_client_is_ignored(program: str, tmp_path: Path, node: str, ad_server: str) -> None:
    with _proxy(program, tmp_path, node, ad_server) as address:
        headers = {"X-Page-URL": "https://news.example/", "Referer": "https://pirate.example/"}
        assert _ask(address, "/ads/", headers) == (204, b"", "pirate.example")


@_PROXIES
@_GATE_FAILS
def test_a_failing_node_blocks_or_allows_as_configured_for_the_path(
    program: str,
    path: str,
    served: bool,
    tmp_path: Path,
    ad_server: str,
    silent_node: str,
    node_without_snapshot: str,
) -> None:
    down = f"127.0.0.1:{free_port()}"
    for number, failing in enumerate((down, silent_node, node_without_snapshot)):
        folder = tmp_path / str(number)
        folder.mkdir()
        with _proxy(program, folder, failing, ad_server) as address:
            status, body, _ = _ask(address, path, {"Referer": "https://news.example/"})
            assert (status, body) == ((200, b"ad") if served else (204, b""))
