"""Control planes that many tests look at and none changes: setting one up takes longer than a look at it."""

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
from tests.web.pages.reading import listed

As = Callable[[Role], FlaskClient]


@pytest.fixture(scope="module")
def looked_at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A control plane for all tests of a module."""
    opened = Service(settings_for(tmp_path_factory.mktemp("looked-at") / "data"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def furnished(looked_at: Service, tmp_path_factory: pytest.TempPathFactory) -> Service:
    """It with a list, a run that waits, an entry that waits, and an override."""
    furnish(looked_at, tmp_path_factory.mktemp("lists"))
    return looked_at


@pytest.fixture(scope="module")
def looking(looked_at: Service) -> As:
    """Return a client that looks at it in the role it is called with."""
    app = create_app(Follower(looked_at.snapshots.folder, 86_400), looked_at)
    clients = {role: token_client(app, looked_at, role) for role in (Role.VIEWER, Role.ADMIN)}
    return lambda role: clients[role]


def furnish(service: Service, folder: Path) -> None:
    """Give a control plane a list, a run that waits, an entry that waits, and an override."""
    ten = "".join(f"pirate{number}.example\n" for number in range(9)) + "pirate.example\nyoutube.com\n"
    listed(service, folder, ten)
    assert str(listed(service, folder, "pirate.example\n").outcome) == "held"
    service.overrides.add(OverrideAction.BLOCK, "other.example", "a reason", "a test")
