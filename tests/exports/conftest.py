"""A service that lists some of everything, under several authorities, with overrides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from blocklist.domain.run import Outcome
from blocklist.domain.verdict import OverrideAction
from blocklist.service import Service
from tests.support import definition, settings_for

Listing = Callable[..., None]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    opened = Service(settings_for(tmp_path / "data", policies={"two": {"min_authorities": 2}, "everything": {}}))
    yield opened
    opened.close()


@pytest.fixture
def lists(service: Service, tmp_path: Path) -> Listing:
    """Let a feed list a body from now on."""

    def listing(feed: str, body: str, **more: Any) -> None:
        path = tmp_path / f"{feed}.txt"
        path.write_text(body)
        if feed not in [known.name for known in service.store.feeds.all()]:
            made = definition(feed, source={"file": str(path)}, guards={"max_removed": 1.0, "max_growth": 1e6}, **more)
            service.feeds.add(made, "tester")
        run = service.runs.refresh(feed, "tester")
        assert run.outcome is Outcome.APPLIED, run.reason

    return listing


@pytest.fixture
def some(service: Service, lists: Listing) -> Service:
    """A court lists hosts, pages, an address and a host alone; an industry body lists one of its own and one more."""
    court = "pirate.example\nfilm.example/watch?v=1\n93.184.216.34\nsub.good.example\ngood.example\nbücher.example\n"
    lists("court", court)
    industry = {"authority": {"name": "Rights Holders", "kind": "industry", "country": "XX"}}
    lists("industry", "pirate.example\nindustry.example\n", **industry)
    lists("narrow", "alone.example\n", rules={"scope": "exact"})
    lists("apps", "com.pirate.app\n", rules={"entries": "apps"})
    for action, target in ((OverrideAction.ALLOW, "good.example"), (OverrideAction.BLOCK, "ours.example")):
        service.overrides.add(action, target, "=cmd|' /C calc'!A0", "tester")
    return service
