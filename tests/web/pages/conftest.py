"""Control planes that many tests read and none changes, because creating one is slow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from blocklist.domain.access import Role
from blocklist.domain.verdict import OverrideAction
from blocklist.service import Service
from blocklist.snapshot.follower import Follower
from blocklist.web.app import create_app
from tests.support import settings_for, token_client
from tests.web.pages.html import listed

As = Callable[[Role], FlaskClient]


@pytest.fixture(scope="module")
def shared_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A control plane for all tests of a module."""
    opened = Service(settings_for(tmp_path_factory.mktemp("looked-at") / "data"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def populated(shared_service: Service, tmp_path_factory: pytest.TempPathFactory) -> Service:
    """The shared control plane with a list, a held run, a held entry, and an override."""
    populate(shared_service, tmp_path_factory.mktemp("lists"))
    return shared_service


@pytest.fixture(scope="module")
def read_only_client(shared_service: Service) -> As:
    """Return a client of the shared control plane with the role it is called with."""
    app = create_app(Follower(shared_service.snapshots.folder, 86_400), shared_service)
    clients = {role: token_client(app, shared_service, role) for role in (Role.VIEWER, Role.ADMIN)}
    return lambda role: clients[role]


def populate(service: Service, folder: Path) -> None:
    """Add a list, a held run, a held entry, and an override to a control plane."""
    ten = "".join(f"pirate{number}.example\n" for number in range(9)) + "pirate.example\nyoutube.com\n"
    listed(service, folder, ten)
    assert str(listed(service, folder, "pirate.example\n").outcome) == "held"
    service.overrides.add(OverrideAction.BLOCK, "other.example", "a reason", "a test")
