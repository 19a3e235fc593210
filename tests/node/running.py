"""A real node over a folder of snapshots: worker processes and their supervisor, on a free port."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from blocklist.config.settings import Settings
from blocklist.domain.clock import now
from blocklist.node.options import NodeOptions
from blocklist.node.supervisor import Supervisor
from tests.e2e.running import free_port


@dataclass
class RunningNode:
    """A running node."""

    port: int
    folder: Path
    supervisor: Supervisor

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def workers(self) -> list[int]:
        """The process ids of the workers."""
        return [worker.process.pid for worker in self.supervisor._workers if worker.process]


def node_options(folder: Path | str, **lookup: Any) -> NodeOptions:
    """Return the options of a node over a folder; ``lookup`` holds settings of that section."""
    return replace(NodeOptions.from_settings(Settings.model_validate({"lookup": lookup})), folder=str(folder))


@contextmanager
def node(folder: Path, workers: int = 1, **lookup: Any) -> Iterator[RunningNode]:
    """Run a node; ``lookup`` holds settings of that section."""
    folder.mkdir(exist_ok=True)
    port = free_port()
    supervisor = Supervisor(f"127.0.0.1:{port}", workers, node_options(folder, **lookup))
    try:
        supervisor.start()
        yield RunningNode(port, folder, supervisor)
    finally:
        supervisor.stop()


def publish(folder: Path, data: bytes, version: int, confirmed_at: str | None = None) -> Path:
    """Write a snapshot and the pointer to it, as the control plane does."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{version:08d}-{os.urandom(8).hex()}.snapshot"
    path.write_bytes(data)
    pointer = {"file": path.name, "version": version, "sha256": data[-32:].hex(), "confirmed_at": confirmed_at or now()}
    beside = folder / "current.part"
    beside.write_text(json.dumps(pointer))
    beside.rename(folder / "current.json")
    return path


def exchange(node: RunningNode, data: bytes, *, pieces: int | None = None) -> bytes:
    """Send bytes (``pieces`` at a time), end the sending side, and return everything received."""
    with node.connect() as client:
        try:
            for start in range(0, len(data), pieces or len(data) or 1):
                client.sendall(data[start : start + (pieces or len(data))])
            client.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused before the end: the error can still be read
        return received(client)


def received(client: socket.socket) -> bytes:
    """Return everything received until the other side closes."""
    got = bytearray()
    try:
        while block := client.recv(65_536):
            got += block
    except ConnectionResetError:
        pass
    return bytes(got)


def statuses(data: bytes) -> list[int]:
    """Return the statuses of the responses in a stream, in order."""
    found = []
    while data:
        head, _, rest = data.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        assert lines[0].startswith(b"HTTP/1.1 "), data[:200]
        found.append(int(lines[0].split(b" ")[1]))
        headers = {line.split(b":")[0].lower(): line.split(b":", 1)[1].strip() for line in lines[1:]}
        length = int(headers.get(b"content-length", b"0"))
        assert len(rest) >= length, data[:200]
        data = rest[length:]
    return found


def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not become true in time"
        time.sleep(0.01)
