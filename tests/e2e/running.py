"""The real thing: the service as a process of its own, and a publisher whose answers a test chooses."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

Answer = Callable[[BaseHTTPRequestHandler], None]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Publisher:
    """A publisher on a loopback port; ``answer`` is called for each request and may be swapped at any time."""

    port: int
    answer: Answer = field(default=lambda handler: respond(handler, b""))
    requests: list[dict[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/list.txt"


def respond(
    handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, headers: dict[str, str] | None = None
) -> None:
    handler.send_response(status)
    headers = headers or {}
    if "Content-Length" not in headers:
        headers["Content-Length"] = str(len(body))
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def publisher() -> Iterator[Publisher]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            published.requests.append(dict(self.headers))
            published.answer(self)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.do_GET()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    published = Publisher(server.server_address[1])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield published
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Installation:
    """A data folder, and the ``blocklist`` command over it."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("BLOCKLIST_")}
        return clean | {"BLOCKLIST_FETCH__ALLOW_PRIVATE_HOSTS": '["127.0.0.1"]'} | self.settings

    def run(self, *arguments: str, status: int = 0, stdin: str | None = None) -> str:
        """Run a command, which must end with this status; return what it printed, standard error after the output."""
        done = subprocess.run(
            [*COMMAND, "--data-dir", str(self.folder), *arguments],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def json(self, *arguments: str, status: int = 0) -> Any:
        """Run a command with --json and return what it printed."""
        text = self.run(*arguments, "--json", status=status)
        return json.JSONDecoder().raw_decode(text)[0]

    @cached_property
    def bearer(self) -> dict[str, str]:
        """The header that lets a program do everything on the control plane."""
        return {"Authorization": f"Bearer {self.json('token', 'create', '--role', 'admin')['token']}"}

    def add(self, name: str, url: str, *options: str, format_: str = "lines") -> None:
        authority = ("--authority", "Test Court", "--kind", "court", "--country", "GB")
        self.run("feed", "add", name, "--url", url, "--format", format_, *authority, *options)


COMMAND = [sys.executable, "-m", "blocklist"]


@dataclass
class Running:
    """A running service."""

    process: subprocess.Popen[str]
    control: str
    lookup: str

    def verdict(self, **query: str) -> dict[str, Any]:
        answer = httpx.get(f"{self.lookup}/v1/lookup", params=query, trust_env=False)
        answer.raise_for_status()
        return dict(answer.json())

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)


@contextmanager
def serving(installation: Installation, wait_ready: bool = True) -> Iterator[Running]:
    """Start the service on free ports; end it at the end, with SIGTERM, and see it go in good order."""
    control, lookup = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    log = (installation.folder.parent / f"{installation.folder.name}.log").open("a")
    process = subprocess.Popen(
        [*COMMAND, "--data-dir", str(installation.folder), "serve", "--control", control, "--lookup", lookup],
        env=installation.environment,
        stdout=log,
        stderr=subprocess.STDOUT,
        text=True,
    )
    running = Running(process, f"http://{control}", f"http://{lookup}")
    try:
        wait_for(lambda: answers(f"{running.lookup}/healthz"), process)
        if wait_ready:
            wait_for(lambda: answers(f"{running.lookup}/readyz"), process)
        yield running
    finally:
        log.close()
        if process.poll() is None:
            process.terminate()
            assert process.wait(20) == 0


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str] | None = None, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert process is None or process.poll() is None, "the service ended"
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.02)
