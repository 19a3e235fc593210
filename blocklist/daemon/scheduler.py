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


class Scheduler:
    """Refreshes each feed when it is due, and publishes what a process that died left unpublished."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._running: set[str] = set()
        self._lock = threading.Lock()
        self._publish_after = 0.0
        self._stale: set[str] = set()
        # A fetch mostly waits for its publisher: a slow publisher must not block the feeds of others. So there are 8
        # workers for each run that may read and record, the heavy part, which has its own limit in the refresher.
        workers = 8 * service.settings.refresh.concurrent
        self._clock = BackgroundScheduler(
            executors={
                "default": ThreadPoolExecutor(1),
                "refresh": ThreadPoolExecutor(workers),
                # Separate, so that samples are taken on time while a snapshot is compiled.
                "upkeep": ThreadPoolExecutor(1),
                "notify": ThreadPoolExecutor(1),
                # A store that does not answer must delay nothing else.
                "distribution": ThreadPoolExecutor(1),
            },
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone="UTC",
        )
        # A feed that another process added is found within this time.
        self._clock.add_job(self.tick, "interval", seconds=1, id="tick")

    def start(self) -> None:
        """Start the schedule."""
        sampler = self._service.statistics.sampler(self._service.read_scoreboard)
        self._clock.add_job(sampler.sample, "interval", seconds=60, id="sample", executor="upkeep")
        if self._service.settings.notify.channels:
            self._clock.add_job(self._service.notifier.tick, "interval", seconds=5, id="notify", executor="notify")
        if self._service.distribution.enabled:
            send = self._service.distribution.tick
            self._clock.add_job(send, "interval", seconds=1, id="distribution", executor="distribution")
        self._clock.start()

    def stop(self, *, wait: bool = False) -> None:
        """Start no more runs. A run under way ends with the process, and is tried again after the next start.

        A caller that closes the service afterwards must ``wait`` for the runs under way, since they use the database.
        """
        self._clock.shutdown(wait=wait)

    def tick(self) -> None:
        """Start a run for each feed that is due and not running, and publish what lags behind."""
        try:
            self._start_due()
            self._publish_behind()
            self._log_stale()
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
            reason = str(error)
            if not begun:
                _LOG.warning("run not started", feed=name, reason=reason)
            elif reason == self._service.publisher.failure:
                _LOG.error("run recorded, snapshot not published", feed=name, run=begun[0], reason=reason)
            else:
                _LOG.error("run not finished", feed=name, run=begun[0], reason=reason)
        finally:
            with self._lock:
                self._running.discard(name)

    def _log_stale(self) -> None:
        """Write one line when a feed becomes stale, and one when it no longer is."""
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
            self._publish_after = time.monotonic() + 30
            self._service.publisher.publish()
