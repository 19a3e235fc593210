"""A hundred feeds refreshed side by side by a real service, while a client asks it over and over."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from blocklist.config.settings import Settings
from blocklist.service import Service
from tests.e2e.running import Installation, Publisher, Running, publisher, respond, serving
from tests.support import definition

#: Listed from the beginning on, by a feed that nobody refreshes; and by nobody ever.
ALWAYS, NEVER = "always.example", "never.example"


def marker(feed: int) -> str:
    """Return the site that only this feed lists."""
    return f"marker-{feed}.example"


@dataclass
class Lists:
    """What a publisher answers for each feed: its marker and some sites more."""

    entries: int
    under_way: int = 0
    most_at_once: int = 0
    fetched: set[int] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _enough: threading.Event = field(default_factory=threading.Event)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Send one list; the first few wait for each other, so that they are side by side for certain."""
        feed = int(handler.path.rpartition("-")[2])
        with self._lock:
            self.under_way += 1
            self.most_at_once = max(self.most_at_once, self.under_way)
            self.fetched.add(feed)
            if self.under_way >= 4:
                self._enough.set()
        self._enough.wait(10)
        sites = [marker(feed), *(f"site-{feed}-{number}.example" for number in range(self.entries - 1))]
        respond(handler, "".join(f"{site}\n" for site in sites).encode())
        with self._lock:
            self.under_way -= 1


@dataclass
class Client:
    """Asks over one connection, and keeps how long each answer took, in seconds, and whatever was wrong."""

    address: str
    took: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    listed: set[int] = field(default_factory=set)

    def ask_until(self, ended: threading.Event, feeds: int) -> None:
        """Ask for what is always listed, what never is, and each feed's marker in turn, which never goes again."""
        connection = http.client.HTTPConnection(self.address, timeout=10)
        for feed in itertools.cycle(range(feeds)):
            if ended.is_set():
                break
            for site, expected in ((ALWAYS, True), (NEVER, False), (marker(feed), None)):
                begun = time.perf_counter()
                said = self._ask(connection, site)
                self.took.append(time.perf_counter() - begun)
                if said is None or (expected is not None and said["listed"] is not expected):
                    self.wrong.append(f"{site}: {said}")
                elif expected is None and not said["listed"] and feed in self.listed:
                    self.wrong.append(f"{site} is listed no more")
                elif expected is None and said["listed"]:
                    self.listed.add(feed)
        connection.close()

    def _ask(self, connection: http.client.HTTPConnection, site: str) -> dict[str, Any] | None:
        try:
            connection.request("GET", f"/v1/lookup?domain={site}")
            answer = connection.getresponse()
            body = answer.read()
            return dict(json.loads(body)) if answer.status == 200 else None
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.wrong.append(repr(error))
            connection.close()
            return None


@contextmanager
def service_with(folder: Path, feeds: int, entries: int) -> Iterator[tuple[Running, Lists, Service, Publisher]]:
    """Run a service that lists :data:`ALWAYS`, and whose feeds, added but paused, are a publisher's lists."""
    installation = Installation(folder / "data", {"BLOCKLIST_LOG__LEVEL": "warning"})
    lists = Lists(entries)
    always = folder / "always.txt"
    always.write_text(f"{ALWAYS}\n")
    service = Service(Settings(data_dir=installation.folder))
    service.feeds.add(definition("always", source={"file": str(always)}), "tester")
    service.runs.refresh("always", "tester")
    with publisher() as published:
        published.answer = lists.answer
        for feed in range(feeds):
            url = f"http://127.0.0.1:{published.port}/list-{feed}"
            service.feeds.add(definition(f"feed-{feed}", source={"url": url}), "tester")
            service.feeds.pause(f"feed-{feed}", "tester")
        with serving(installation) as running:
            yield running, lists, service, published
    service.close()


def resume(service: Service, feeds: int) -> None:
    """Let all feeds be due at once."""
    with service.store.database.transaction():
        for feed in range(feeds):
            service.feeds.resume(f"feed-{feed}", "tester")


def have_succeeded(service: Service, feeds: int) -> bool:
    """Return whether each feed's list was recorded."""
    return sum(feed.last_success is not None for feed in service.store.feeds.all()) == feeds + 1
