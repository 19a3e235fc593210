"""Starts the workers of a node, replaces those that end within a second, and stops them in order.

The supervisor owns the listening sockets: one for each worker, all on the same port (``SO_REUSEPORT``). Connections
that wait for a worker that died are accepted by its replacement. docs/adr says why no process manager is used.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import structlog

from blocklist.domain.errors import BlocklistError
from blocklist.node.metrics import exposition
from blocklist.node.options import NodeOptions
from blocklist.node.scoreboard import Scoreboard

_LOG = structlog.get_logger("blocklist.node")
_BACKLOG = 4_096
#: Seconds for workers to become ready, and to end after SIGTERM.
_START, _STOP = 30.0, 8.0
#: A worker that ends within so many seconds of its start is replaced only after as many.
_SHORT_LIFE = 1.0


@dataclass
class _Worker:
    slot: int
    sockets: list[socket.socket]
    process: subprocess.Popen[bytes] | None = None
    ready: bool = False
    failure: str = ""


class Supervisor:
    """The workers of one node."""

    def __init__(self, address: str, workers: int, options: NodeOptions) -> None:
        """Bind the address, ``HOST:PORT``, and the Unix socket if the options name one.

        :raises OSError: an address cannot be bound.
        """
        self._options = options
        self._stopping = threading.Event()
        self._unix = Path(options.lookup.unix_socket) if options.lookup.unix_socket else None
        self.scoreboard = Scoreboard.create(workers)
        host, _, port = address.rpartition(":")
        shared = [_unix_listener(self._unix)] if self._unix else []
        self._workers = [
            _Worker(slot, [listener, *shared])
            for slot, listener in enumerate(_listeners(host.strip("[]"), int(port), workers))
        ]
        self._threads: list[threading.Thread] = []

    @property
    def workers(self) -> int:
        """Number of workers."""
        return len(self._workers)

    def start(self) -> None:
        """Start the workers and wait until all are ready.

        :raises BlocklistError: a worker cannot start, with the reason.
        """
        for worker in self._workers:
            thread = threading.Thread(target=self._keep, args=(worker,), name=f"worker-{worker.slot}", daemon=True)
            thread.start()
            self._threads.append(thread)
        end = time.monotonic() + _START
        while not all(worker.ready for worker in self._workers):
            failure = next((worker.failure for worker in self._workers if worker.failure), "")
            if failure or time.monotonic() > end:
                self.stop()
                raise BlocklistError(f"the lookup node cannot start: {failure or 'a worker is not ready in time'}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop the workers after their last responses; kill those that do not end."""
        self._stopping.set()
        for worker in self._workers:
            if worker.process and worker.process.poll() is None:
                worker.process.terminate()
        end = time.monotonic() + _STOP
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        for worker in self._workers:
            if worker.process and worker.process.poll() is None:
                worker.process.kill()
            for listener in worker.sockets:
                listener.close()
        if self._unix:
            self._unix.unlink(missing_ok=True)

    def metrics(self) -> bytes:
        """Return the metrics of all workers in Prometheus' text format."""
        return exposition(self.scoreboard.read_all())

    def _keep(self, worker: _Worker) -> None:
        while not self._stopping.is_set():
            started = time.monotonic()
            self._run_once(worker)
            if self._stopping.is_set():
                return
            _LOG.error("worker ended", worker=worker.slot, status=worker.process and worker.process.returncode)
            if time.monotonic() - started < _SHORT_LIFE:
                self._stopping.wait(_SHORT_LIFE)

    def _run_once(self, worker: _Worker) -> None:
        process = worker.process = self._start_process(worker)
        if self._stopping.is_set():
            process.terminate()
        assert process.stdout is not None
        for line in process.stdout:
            self._handle_event(worker, line)
        process.wait()
        for pipe in (process.stdout, process.stdin):
            with contextlib.suppress(OSError):
                assert pipe is not None
                pipe.close()

    def _start_process(self, worker: _Worker) -> subprocess.Popen[bytes]:
        descriptors = [listener.fileno() for listener in worker.sockets]
        arguments = {
            "options": self._options.to_json(),
            "sockets": ",".join(map(str, descriptors)),
            "scoreboard": self.scoreboard.descriptor,
            "slots": self.scoreboard.slots,
            "slot": worker.slot,
        }
        command = [sys.executable, "-m", "blocklist.node.worker"]
        command += [f"--{name}={value}" for name, value in arguments.items()]
        return subprocess.Popen(  # noqa: S603 - our own interpreter and program
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=(*descriptors, self.scoreboard.descriptor),
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            # Signals of the terminal must not reach the workers: the service decides what to do about them.
            start_new_session=True,
        )

    def _handle_event(self, worker: _Worker, line: bytes) -> None:
        try:
            fields = json.loads(line)
        except ValueError:
            _LOG.warning("worker", output=line.decode("utf-8", "replace").rstrip())
            return
        event, level = fields.pop("event"), fields.pop("level", "info")
        if event == "ready":
            worker.ready = True
        elif event == "failed" and not worker.ready:
            worker.failure = str(fields.get("reason"))
        else:
            log = {"error": _LOG.error, "warning": _LOG.warning}.get(level, _LOG.info)
            log(event, worker=worker.slot, **fields)


def _listeners(host: str, port: int, count: int) -> list[socket.socket]:
    """Return ``count`` listening sockets that share an address.

    First a socket without ``SO_REUSEPORT`` is bound for a moment, so that two services never share a port unnoticed.

    :raises OSError: the address cannot be bound.
    """
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        probe.listen(1)
        address = probe.getsockname()
    sockets = []
    for _ in range(count):
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
        sockets.append(listener)
    return sockets


def _unix_listener(path: Path) -> socket.socket:
    """Return a listening Unix socket; one that an ended service left at the path is replaced.

    :raises OSError: a process listens there, or no socket can be made at the path.
    """
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            if path.is_socket():
                path.unlink()
        else:
            raise OSError(98, f"Address already in use: {path}")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(_BACKLOG)
    return listener
