"""Refreshes that go on while whoever asked for them watches, or does something else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from pathlib import Path

import structlog

from blocklist.config.settings import Settings
from blocklist.domain.errors import BlocklistError, BusyError, ConflictError
from blocklist.domain.run import Run
from blocklist.service.runs import RunTasks

_LOG = structlog.get_logger("blocklist.service")
#: Refreshes that go on in the background at once. Most of each is waiting for a publisher; how many read and record,
#: the refresher limits.
_MOST = 64


class BackgroundTasks(RunTasks):
    """What is begun here ends by itself."""

    def __init__(self, settings: Settings) -> None:
        """Open the data folder: see :class:`.Publishing`."""
        super().__init__(settings)
        self._places = threading.BoundedSemaphore(_MOST)
        self._under_way: set[threading.Thread] = set()

    def close(self) -> None:
        """Wait for what goes on in the background, since it uses the database, then let go of that."""
        for thread in list(self._under_way):
            thread.join()
        super().close()

    def start_refresh(
        self, name: str, actor: str, *, file: Path | None = None, then: Callable[[], None] = lambda: None
    ) -> Run:
        """Begin a refresh and return its run, which goes on in a thread; ``then`` is called when it is over.

        While another run of the feed is under way, and no ``file`` is brought, that one is returned.

        :raises NotFoundError: there is no such feed.
        :raises ConflictError: another run of the feed is under way, and would not read the file.
        :raises BusyError: as many refreshes as may go on in the background are under way.
        """
        begun: Future[int] = Future()

        def work() -> None:
            try:
                self.refresh(name, actor, file=file, wait=0, begun=begun.set_result)
            except Exception as error:
                _tell(begun, name, error)
            finally:
                then()
                self.store.database.close_thread()
                self._places.release()
                self._under_way.discard(thread)

        if not self._places.acquire(blocking=False):
            then()
            raise BusyError(f"{_MOST} refreshes are under way already: try again when some have ended")
        # With the context of the request, so that the audit log knows where it came from.
        context = copy_context()
        thread = threading.Thread(target=lambda: context.run(work), name=f"refresh-{name}", daemon=True)
        self._under_way.add(thread)
        thread.start()
        try:
            return self.store.runs.get(begun.result())
        except ConflictError:
            under_way = [] if file else self.store.runs.unfinished(self.store.feeds.get(name).id)
            if not under_way:
                raise
            return under_way[-1]


def _tell(begun: Future[int], name: str, error: Exception) -> None:
    """Say what went wrong: to whoever waits for the run to begin, or where it began, in the log."""
    if not begun.done():
        begun.set_exception(error)
    elif isinstance(error, BlocklistError):
        # What became of the run is kept with it; this came after it, such as a full disk while publishing.
        _LOG.error("after a refresh", feed=name, error=str(error))
    else:
        _LOG.exception("after a refresh", feed=name)
