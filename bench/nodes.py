"""What the measurements of a running node share: its start, its memory, and a client that counts its own time."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from blocklist.node.supervisor import Supervisor
from tests.node.running import RunningNode, node_options


@contextmanager
def running_node(port: int) -> Iterator[RunningNode]:
    """Run a node of one worker over a folder that is removed afterwards; nothing is published there yet."""
    with tempfile.TemporaryDirectory() as folder:
        supervisor = Supervisor(f"127.0.0.1:{port}", 1, node_options(folder))
        try:
            supervisor.start()
            yield RunningNode(port, Path(folder), supervisor)
        finally:
            supervisor.stop()


def memory(pid: int) -> dict[str, int]:
    """Return the RSS and PSS of a process in KiB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return {
        name.lower(): int(line.split()[1]) for line in lines for name in ("Rss", "Pss") if line.startswith(f"{name}:")
    }


def load() -> float:
    return round(os.getloadavg()[0], 2)


def percentile(times: list[float], share: float) -> float:
    """Return a percentile in milliseconds."""
    return round(sorted(times)[min(len(times) - 1, int(len(times) * share))] * 1000, 3) if times else 0.0


class Client:
    """Sends requests over one connection and reads each answer by its length."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """Return the status and the body of the answer.

        :raises OSError: the connection ended instead.
        """
        self.send(request)
        return self.answer()

    def send(self, request: bytes) -> None:
        self._socket.sendall(request)

    def answers(self, requests: list[bytes]) -> list[tuple[int, bytes]]:
        """Send requests one after another without waiting; return their answers."""
        self._socket.sendall(b"".join(requests))
        return [self.answer() for _ in requests]

    def answer(self) -> tuple[int, bytes]:
        while b"\r\n\r\n" not in self._rest:
            self._more()
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        while len(self._rest) < length:
            self._more()
        body, self._rest = self._rest[:length], self._rest[length:]
        return int(head[9:12]), body

    def close(self) -> None:
        self._socket.close()

    def _more(self) -> None:
        block = self._socket.recv(1 << 18)
        if not block:
            raise ConnectionError("the node closed the connection")
        self._rest += block


class Sampler(threading.Thread):
    """A steady client: asks one thing at an even pace and keeps when it asked and how long each answer took."""

    def __init__(self, port: int, request: bytes, pause: float = 0.002) -> None:
        super().__init__(daemon=True)
        self.times: list[tuple[float, float]] = []
        self.failures = 0
        self._client, self._request, self._pause = Client(port), request, pause
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.is_set():
            began = time.perf_counter()
            try:
                status, _ = self._client.ask(self._request)
            except OSError:
                self.failures += 1
                return
            self.times.append((began, time.perf_counter() - began))
            self.failures += status != 200
            time.sleep(self._pause)

    def end(self) -> None:
        self._ended.set()
        self.join()
        self._client.close()
