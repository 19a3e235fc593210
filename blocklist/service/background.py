"""Refreshes that go on while whoever asked for them watches, or does something else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from pathlib import Path

import structlog

from blocklist.config import Settings
from blocklist.errors import BlocklistError, ConflictError
from blocklist.service.runs import RunTasks
from blocklist.vocabulary import Run

_LOG = structlog.get_logger("blocklist.service")
#: Seconds that a run may take to begin.
_BEGINS_WITHIN = 10
_LOOK_EVERY = 0.02


class BackgroundTasks(RunTasks):
    """What is begun here ends by itself."""

    def __init__(self, settings: Settings) -> None:
        """Begin with nothing under way; see :class:`.Publishing`."""
        super().__init__(settings)
        self._under_way: set[threading.Thread] = set()

    def close(self) -> None:
        """Wait for what is under way, then let go of the database: closing one in use is a crash."""
        for thread in tuple(self._under_way):
            thread.join()
        super().close()

    def start_refresh(
        self, name: str, actor: str, *, file: Path | None = None, then: Callable[[], None] = lambda: None
    ) -> Run:
        """Begin a refresh and return its run, which goes on in a thread; ``then`` is called when it is over.

        While another run of the feed is under way, and no ``file`` is brought, that one is returned.

        :raises NotFoundError: there is no such feed.
        :raises ConflictError: another run of the feed is under way, and would not read the file.
        """
        feed = self.store.feeds.get(name)
        last = self.store.runs.last_id(feed.id)
        failed: list[BlocklistError] = []

        def work() -> None:
            try:
                self.refresh(name, actor, file=file, wait=0)
            except BlocklistError as error:
                failed.append(error)
                _LOG.warning("run not started", feed=name, reason=str(error))
            finally:
                then()
                self._under_way.discard(threading.current_thread())

        # With the context of the request, so that the audit log knows where it came from.
        context = copy_context()
        thread = threading.Thread(target=lambda: context.run(work), name=f"refresh-{name}", daemon=True)
        self._under_way.add(thread)
        thread.start()
        end = time.monotonic() + _BEGINS_WITHIN
        while time.monotonic() < end and not failed:
            if (newest := self.store.runs.last_id(feed.id)) > last:
                return self.store.runs.get(newest)
            time.sleep(_LOOK_EVERY)
        under_way = [] if file else self.store.runs.unfinished(feed.id)
        if under_way:
            return under_way[-1]
        raise failed[0] if failed else ConflictError(f"the refresh of {name} did not begin in time: try again")
