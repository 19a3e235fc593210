"""Run a mirror as a process of its own: it needs memory and libraries that a process that answers lookups should not.

The mirror (:mod:`blocklist.distribution`) verifies the signed snapshots of a store and writes the folder that a
follower reads. It ends with the process that started it.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import IO, Any

#: A mirror that ended is started again after so many seconds: twice as many each time, up to the second number.
_RESTART, _LONGEST_RESTART = 1.0, 60.0
#: A mirror that ran for so many seconds is started again at once.
_LONG_LIFE = 60.0
#: Seconds for a mirror to end.
_STOP = 5.0


@dataclass(frozen=True, slots=True)
class MirrorOptions:
    """What a mirror needs: the address of the store, the file with root metadata, and the folder of its cache.

    ``store_options`` is what obstore needs besides the address. ``poll`` and ``look`` are seconds: between two requests
    for a newer list, and between two complete checks.
    """

    url: str
    root: str
    cache: str
    store_options: Mapping[str, str] = field(default_factory=dict)
    poll: float = 2.0
    look: float = 300.0

    def to_json(self) -> str:
        """Return the options as one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> MirrorOptions:
        """Return the options that :meth:`to_json` wrote."""
        return cls(**json.loads(text))


class MirrorProcess:
    """Keeps one mirror running. Its options go through a pipe, as they may contain credentials."""

    def __init__(self, options: MirrorOptions, on_event: Callable[[dict[str, Any]], None]) -> None:
        """``on_event`` gets each event of the mirror, with its ``event`` and fields, in a thread of its own."""
        self._options, self._on_event = options, on_event
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None

    @property
    def pid(self) -> int | None:
        """The id of the process, while it runs."""
        process = self._process
        return process.pid if process and process.poll() is None else None

    def start(self) -> None:
        """Start the mirror, and start it again whenever it ends."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._keep, name="mirror", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the mirror."""
        self._stopping.set()
        process = self._process
        if process and process.poll() is None:
            process.terminate()
        if self._thread:
            self._thread.join(_STOP)
        if process and process.poll() is None:
            process.kill()

    def _keep(self) -> None:
        delay = _RESTART
        while not self._stopping.is_set():
            started = time.monotonic()
            self._run_once()
            delay = _RESTART if time.monotonic() - started > _LONG_LIFE else min(2 * delay, _LONGEST_RESTART)
            self._stopping.wait(delay)

    def _run_once(self) -> None:
        process = self._process = subprocess.Popen(
            [sys.executable, "-m", "blocklist.distribution"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            # Signals of the terminal must not reach it: it ends when this process does.
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        if self._stopping.is_set():
            process.terminate()
        with contextlib.suppress(OSError):
            process.stdin.write(f"{self._options.to_json()}\n".encode())
            process.stdin.flush()
        self._read_events(process.stdout)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()

    def _read_events(self, output: IO[bytes]) -> None:
        for line in output:
            try:
                event = json.loads(line)
            except ValueError:
                event = {"event": "mirror", "level": "warning", "reason": line.decode("utf-8", "replace").rstrip()}
            self._on_event(event)
