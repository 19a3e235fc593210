"""A service whose news a test reads where they arrive, and a clock that it moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from blocklist.service import Service
from tests.notify.receiving import SECRET, Hook, hook
from tests.support import Clock, definition, settings_for


class Told:
    """A service, its notifier, and a receiver of webhooks."""

    def __init__(self, service: Service, receiver: Hook, clock: Clock, folder: Path) -> None:
        self.service = service
        self.notifier = service.notifier
        self.hook = receiver
        self.clock = clock
        self._folder = folder

    def tick(self, after: float = 0) -> None:
        """Let time pass, and look."""
        self.clock.advance(after)
        self.notifier.tick()

    def feed(self, name: str, body: str | None = "good.example\n", **more: Any) -> None:
        """Add a feed that reads a file; without a body there is no such file."""
        path = self._folder / f"{name}.txt"
        if body is not None:
            path.write_text(body)
        self.service.feeds.add(definition(name, source={"file": str(path)}, **more), "tester")

    def publish(self, name: str, body: str) -> None:
        """Let a feed's publisher publish something, and refresh the feed."""
        (self._folder / f"{name}.txt").write_text(body)
        self.service.runs.refresh(name, "tester")


Telling = Callable[..., Told]


@pytest.fixture
def receiver() -> Iterator[Hook]:
    with hook() as opened:
        yield opened


@pytest.fixture
def telling(tmp_path: Path, receiver: Hook, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Telling]:
    """Make a service with one webhook and the settings given; news are not gathered unless they say so."""
    opened: list[Service] = []
    monkeypatch.setenv("HOOK_SECRET", SECRET)

    def make(fetch: dict[str, Any] | None = None, **notify: Any) -> Told:
        channel = {"url": receiver.url, "secret_env": "HOOK_SECRET", "events": notify.pop("events", [])}
        settings = settings_for(
            tmp_path / "data",
            fetch={"allow_private_hosts": ["127.0.0.1"]} if fetch is None else fetch,
            notify={"gather": 0, "pause": 0, "webhook": {"ops": channel}, **notify},
        )
        service = Service(settings)
        opened.append(service)
        return Told(service, receiver, clock, tmp_path)

    yield make
    for service in opened:
        service.close()
