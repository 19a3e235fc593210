"""A control plane with a feed, a held run and a held entry, and clients that check every response."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from blocklist.domain.access import Role
from blocklist.service import Service
from tests.support import definition, token_for
from tests.web.api.checked import CheckedClient, checked_client

#: Enough that a list without most of them is held.
SITES = [f"pirate-{number}.example" for number in range(10)]


@pytest.fixture
def api_as(control_app: Flask, service: Service) -> Callable[[Role], CheckedClient]:
    """Return a client of the role it is called with."""
    return lambda role: checked_client(control_app, token_for(service, role))


@pytest.fixture
def api(api_as: Callable[[Role], CheckedClient]) -> CheckedClient:
    """A client with the role admin."""
    return api_as(Role.ADMIN)


@pytest.fixture
def listing(tmp_path: Path) -> Path:
    """The file that the feed ``court`` reads."""
    path = tmp_path / "list.txt"
    path.write_text("\n".join([*SITES, "archive.org"]) + "\n")
    return path


@pytest.fixture
def court(service: Service, listing: Path) -> str:
    """A feed after its first run: ten sites and one held entry."""
    service.feeds.add(definition(source={"file": str(listing)}), "test")
    service.runs.refresh("court", "test")
    return "court"


@pytest.fixture
def held(service: Service, court: str, listing: Path) -> int:
    """A run that would remove nine of the ten sites, and waits for review."""
    listing.write_text(f"{SITES[0]}\nnew.example\n")
    return service.runs.refresh(court, "test").id
