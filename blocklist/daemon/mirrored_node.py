"""``blocklist node``: a lookup node on any machine. A mirror follows signed snapshots, and workers answer from them."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from blocklist.config.settings import Settings
from blocklist.domain.errors import BlocklistError, DistributionError
from blocklist.node.options import NodeOptions
from blocklist.node.supervisor import Supervisor
from blocklist.snapshot.mirror_process import MirrorOptions, MirrorProcess

_LOG = structlog.get_logger("blocklist.mirror")


def run_node(settings: Settings, url: str, root: Path, cache: Path, started: Callable[[], None] = lambda: None) -> None:
    """Follow the snapshots at an address and answer lookups until SIGTERM or SIGINT; ``started``: it answers.

    :raises BlocklistError: the address is in use, or the mirror cannot start.
    """
    distribution = settings.distribution
    options = MirrorOptions(
        url, str(root.resolve()), str(cache.resolve()), distribution.options, distribution.poll, distribution.look
    )
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    failure: list[str] = []

    def log(event: dict[str, Any]) -> None:
        fields = {name: value for name, value in event.items() if name not in ("event", "at", "level")}
        if event["event"] == "failed" and not (cache / "snapshots" / "current.json").exists():
            # Such as a missing root file. A node that has a list goes on serving it, whatever happens to its mirror.
            failure.append(str(event.get("reason")))
            ended.set()
        level = event.get("level", "error" if event["event"] == "failed" else "info")
        {"error": _LOG.error, "warning": _LOG.warning}.get(level, _LOG.info)(event["event"], **fields)

    workers = settings.serve.workers or len(os.sched_getaffinity(0))
    with contextlib.ExitStack() as stack:
        try:
            (cache / "snapshots").mkdir(parents=True, exist_ok=True)
            node = Supervisor(settings.serve.lookup, workers, NodeOptions.from_settings(settings, cache / "snapshots"))
        except OSError as error:
            raise BlocklistError(
                f"cannot listen on {settings.serve.lookup}, or write {cache}: {error}; choose another with --lookup "
                "HOST:PORT or --cache FOLDER"
            ) from None
        stack.callback(node.stop)
        mirror = MirrorProcess(options, log)
        stack.callback(mirror.stop)
        mirror.start()
        node.start()
        _LOG.info("serving", lookup=settings.serve.lookup, workers=node.workers)
        started()
        ended.wait()
        _LOG.info("stopping")
    if failure:
        raise DistributionError(failure[0])
