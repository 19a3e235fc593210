"""The schedule: due times live in the database, APScheduler only keeps the clock and the workers."""

from __future__ import annotations

import threading
import time

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from blocklist.definitions.definition import definition_of
from blocklist.domain.clock import now
from blocklist.domain.errors import BlocklistError
from blocklist.service import Service
from blocklist.status.feed_status import state_of

_LOG = structlog.get_logger("blocklist.schedule")
#: Seconds between looks at the database: a feed added elsewhere is picked up within it.
_TICK = 1
#: Runs under way for each that may be reading: the rest of them wait for publishers.
_FETCHING_EACH = 8
#: Seconds between two samples of what lookup nodes were asked.
_SAMPLED = 60
#: Seconds between looks at what is wrong, where somebody is told.
_NOTICED = 5
#: Seconds before a snapshot that could not be published is tried again.
_PUBLISH_AGAIN = 30


class Scheduler:
    """Refreshes each feed when it is due, and publishes what a process that died left unpublished."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._running: set[str] = set()
        self._lock = threading.Lock()
        self._publish_after = 0.0
        self._stale: set[str] = set()
        # A fetch waits for its publisher and costs nothing else: it must not take a place from feeds that answer. What
        # is heavy, reading and recording, has its own limit in the refresher.
        workers = _FETCHING_EACH * service.settings.refresh.concurrent
        self._clock = BackgroundScheduler(
            executors={
                "default": ThreadPoolExecutor(1),
                "refresh": ThreadPoolExecutor(workers),
                # Apart from the rest: a minute is a minute also while a snapshot is compiled.
                "upkeep": ThreadPoolExecutor(1),
                "notify": ThreadPoolExecutor(1),
            },
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone="UTC",
        )
        self._clock.add_job(self.tick, "interval", seconds=_TICK, id="tick")

    def start(self) -> None:
        """Begin."""
        sampler = self._service.statistics.sampler(self._service.read_scoreboard)
        self._clock.add_job(sampler.sample, "interval", seconds=_SAMPLED, id="sample", executor="upkeep")
        if self._service.settings.notify.channels:
            self._clock.add_job(
                self._service.notifier.tick, "interval", seconds=_NOTICED, id="notify", executor="notify"
            )
        self._clock.start()

    def stop(self, *, wait: bool = False) -> None:
        """Begin no more runs; one that is under way ends with the process and is tried again after the next start.

        Who closes the service afterwards must ``wait`` for the runs under way: closing a database in use is a crash.
        """
        self._clock.shutdown(wait=wait)

    def tick(self) -> None:
        """Start a run for each feed that is due and not running, and publish what lags behind."""
        try:
            self._start_due()
            self._publish_behind()
            self._tell_stale()
        except BlocklistError as error:
            _LOG.error("schedule", error=str(error))

    def _start_due(self) -> None:
        for feed in self._service.feeds.due(now()):
            source = definition_of(feed).source
            if source.url is None and source.file is None:
                continue
            with self._lock:
                if feed.name in self._running:
                    continue
                self._running.add(feed.name)
            self._clock.add_job(self._refresh, args=[feed.name], executor="refresh")

    def _refresh(self, name: str) -> None:
        begun: list[int] = []
        try:
            self._service.runs.refresh(name, "schedule", wait=0, begun=begun.append)
        except BlocklistError as error:
            self._tell_failure(name, begun, str(error))
        finally:
            with self._lock:
                self._running.discard(name)

    def _tell_failure(self, name: str, begun: list[int], reason: str) -> None:
        """Write one line: whether a run never began, was not recorded, or was and is not served yet."""
        if not begun:
            _LOG.warning("run not started", feed=name, reason=reason)
        elif reason == self._service.publisher.failure:
            _LOG.error("run recorded, snapshot not published", feed=name, run=begun[0], reason=reason)
        else:
            _LOG.error("run not finished", feed=name, run=begun[0], reason=reason)

    def _tell_stale(self) -> None:
        """Write one line when a feed becomes stale, and one when its list is known to be current again."""
        feeds = self._service.feeds.all()
        stale = {feed.name for feed in feeds if state_of(feed) == "stale"}
        for feed in feeds:
            if feed.name in stale - self._stale:
                _LOG.warning("feed stale", feed=feed.name, last_success=feed.last_success)
            elif feed.name in self._stale - stale:
                _LOG.info("feed no longer stale", feed=feed.name, last_success=feed.last_success)
        self._stale = stale

    def _publish_behind(self) -> None:
        if time.monotonic() >= self._publish_after and self._service.publisher.is_behind():
            self._publish_after = time.monotonic() + _PUBLISH_AGAIN
            self._service.publisher.publish()
