"""Fixtures for every test."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
import structlog
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from blocklist.domain.access import Role
from blocklist.service import Service
from blocklist.snapshot.follower import Follower
from blocklist.store import Store
from blocklist.web.app import create_app
from tests.support import Clock, session_client, settings_for, token_client

# No test may fail because the machine is busy: speed is measured in bench/.
hypothesis.settings.register_profile("blocklist", deadline=None)
hypothesis.settings.load_profile("blocklist")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("BLOCKLIST_"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _logs_as_at_the_start() -> None:
    # A command that ran before in this process has set its own level and where it writes to.
    structlog.reset_defaults()


@pytest.fixture
def clock() -> Iterator[Clock]:
    """The time of day, which stands still at the present second until the test moves it."""
    with time_machine.travel(int(time.time()), tick=False) as traveller:
        yield Clock(traveller)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A control plane over an empty data folder."""
    opened = Service(settings_for(tmp_path / "data"))
    yield opened
    opened.close()


@pytest.fixture
def control_app(service: Service) -> Flask:
    """The application of the control plane over ``service``."""
    return create_app(Follower(service.snapshots.folder, 86_400), service)


@pytest.fixture
def client_as(control_app: Flask, service: Service) -> Callable[[Role | str], FlaskClient]:
    """Return a client of the control plane that shows a token of the role it is called with."""
    return lambda role: token_client(control_app, service, role)


@pytest.fixture
def signed_in_client(control_app: Flask, service: Service) -> FlaskClient:
    """A browser in which an admin is signed in; its forms need no ``csrf`` field, a header proves them."""
    return session_client(control_app, service, Role.ADMIN)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty database."""
    opened = Store(tmp_path / "blocklist.db")
    yield opened
    opened.close()


#: Set in CI, where every program that a test needs is installed; what nobody can install may be missing there too.
_NO_SKIPS = os.environ.get("BLOCKLIST_NO_SKIPS") == "1"
_MAY_SKIP = ("the folder of real published lists is not there", "this machine does not let strace trace")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let a run in which something was skipped fail, where nothing should be."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not _NO_SKIPS or reporter is None:
        return
    reports = reporter.stats.get("skipped", [])
    skipped = [report for report in reports if not any(why in str(report.longrepr) for why in _MAY_SKIP)]
    if skipped:
        reporter.write_line(f"skipped where nothing may be: {', '.join(report.nodeid for report in skipped)}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
