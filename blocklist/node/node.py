"""The state of one worker: the snapshot that it follows, its connections, its clock, and what it reports."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from blocklist.node.http.open_connections import OpenConnections
from blocklist.node.http.request_handler import RequestHandler
from blocklist.node.metrics import Counters, exposition
from blocklist.node.options import NodeOptions
from blocklist.node.scoreboard import Scoreboard
from blocklist.snapshot.follower import Follower
from blocklist.snapshot.reader import Snapshot

#: Seconds between ticks.
TICK = 0.2
#: Ticks between two reports, unless something important changes.
_TICKS_PER_REPORT = 8


class Node:
    """Keeps the request handler of one worker up to date. Made and used in the worker's running event loop."""

    def __init__(self, options: NodeOptions, scoreboard: Scoreboard, slot: int, log_event: Callable[..., None]) -> None:
        """``slot`` is the worker's place on the scoreboard. ``log_event`` gets an event's name, level and fields.

        :raises ConfigurationError: the token file cannot be read.
        """
        self._loop = asyncio.get_running_loop()
        self._scoreboard, self._slot, self._log_event = scoreboard, slot, log_event
        self._counters = Counters()
        self._counters.restore(scoreboard.read(slot))
        self._follower = Follower(Path(options.folder), options.snapshot.max_age, self._log_refused_snapshot)
        #: The update to a new snapshot, while one is under way.
        self._update: Iterator[None] | None = None
        self._served: Snapshot | None = None
        self.handler = RequestHandler(options, self._follower, self._counters, self._metrics, log_event)
        self.connections = OpenConnections(self.handler, options.lookup.max_connections)
        self._ticks = 0
        self._tick()

    def report(self) -> None:
        """Write counts and gauges to the scoreboard."""
        snapshot = self._follower.snapshot
        gauges = {
            "reported_at": time.time(),
            "snapshot_version": snapshot.version if snapshot else 0,
            "snapshot_age_seconds": round(self._follower.age, 1) if snapshot else 0,
            "snapshot_stale": int(self._follower.stale),
        }
        self._scoreboard.write(self._slot, self._counters.state() | gauges)

    def _tick(self) -> None:
        self.handler.tick(self._loop.time())
        if self._update is None:
            self._update = self._follower.poll_steps()
            self._continue_update()
        self._serve_newest()
        if self._ticks % _TICKS_PER_REPORT == 0:
            self.report()
        self._ticks += 1
        self.connections.check_deadlines()
        self._loop.call_later(TICK, self._tick)

    def _continue_update(self) -> None:
        assert self._update is not None
        try:
            for _ in self._update:
                # The next step comes after the requests that wait.
                self._loop.call_soon(self._continue_update)
                return
        except Exception as error:  # whatever is wrong with a new snapshot, the current one continues to serve
            self._log_refused_snapshot(f"{type(error).__name__}: {error}")
        self._update = None
        self._serve_newest()

    def _serve_newest(self) -> None:
        snapshot = self._follower.snapshot
        if snapshot is not self._served:
            if self._served is not None:
                self._counters.values["swaps"] += 1
            self._served = snapshot
            self.handler.release_snapshot()
            # At once: the overview page compares versions and must not warn during the seconds after a swap.
            self.report()
        self.handler.refresh_cache()

    def _log_refused_snapshot(self, reason: str) -> None:
        self._counters.values["refused_snapshots"] += 1
        self._log_event("snapshot refused", level="error", reason=reason)

    def _metrics(self) -> bytes:
        self.report()
        return exposition(self._scoreboard.read_all())
