"""Refreshes that run in a thread of their own, while the caller does something else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from pathlib import Path

import structlog

from blocklist.domain.errors import BlocklistError, BusyError, ConflictError
from blocklist.domain.run import Run
from blocklist.service.runs import RunService
from blocklist.store import Store

_LOG = structlog.get_logger("blocklist.service")
#: Refreshes that may run in the background at the same time. Each mostly waits for a publisher's server; the refresher
#: limits how many read and record.
_MOST = 64


class BackgroundService:
    """Refreshes that the caller does not wait for."""

    def __init__(self, store: Store, runs: RunService) -> None:
        self._store = store
        self._runs = runs
        self._slots = threading.BoundedSemaphore(_MOST)
        self._threads: set[threading.Thread] = set()

    def wait(self) -> None:
        """Wait until every refresh in the background has ended."""
        for thread in list(self._threads):
            thread.join()

    def refresh(
        self, name: str, actor: str, *, file: Path | None = None, then: Callable[[], None] = lambda: None
    ) -> Run:
        """Start a refresh in a thread and return its run; ``then`` is called when it has ended.

        While another run of the feed is under way, and no ``file`` is given, that run is returned.

        :raises NotFoundError: there is no such feed.
        :raises ConflictError: another run of the feed is under way, and would not read the file.
        :raises BusyError: the greatest number of background refreshes is under way.
        """
        begun: Future[int] = Future()

        def work() -> None:
            try:
                self._runs.refresh(name, actor, file=file, wait=0, begun=begun.set_result)
            except Exception as error:
                _report(begun, name, error)
            finally:
                then()
                self._store.database.close_thread()
                self._slots.release()
                self._threads.discard(thread)

        if not self._slots.acquire(blocking=False):
            then()
            raise BusyError(f"{_MOST} refreshes are under way already: try again when some have ended")
        # With the context of the request, so that the audit log knows where it came from.
        context = copy_context()
        thread = threading.Thread(target=lambda: context.run(work), name=f"refresh-{name}", daemon=True)
        self._threads.add(thread)
        thread.start()
        try:
            return self._store.runs.get(begun.result())
        except ConflictError:
            under_way = [] if file else self._store.runs.unfinished(self._store.feeds.get(name).id)
            if not under_way:
                raise
            return under_way[-1]


def _report(begun: Future[int], name: str, error: Exception) -> None:
    """Give an error to the caller, who waits for the run to begin; after it began, to the log."""
    if not begun.done():
        begun.set_exception(error)
    elif isinstance(error, BlocklistError):
        # The run keeps its own outcome; this error came after it, such as a full disk while publishing.
        _LOG.error("after a refresh", feed=name, error=str(error))
    else:
        _LOG.exception("after a refresh", feed=name)
