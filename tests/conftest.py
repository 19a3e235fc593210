"""Fixtures for every test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from blocklist.service import Service
from blocklist.store import Store
from tests.support import settings_for


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("BLOCKLIST_"):
            monkeypatch.delenv(name)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A control plane over an empty data folder."""
    opened = Service(settings_for(tmp_path / "data"))
    yield opened
    opened.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty database."""
    opened = Store(tmp_path / "blocklist.db")
    yield opened
    opened.close()


#: Set in CI, where every program that a test needs is installed; the real lists alone are nobody's to install.
_NO_SKIPS = os.environ.get("BLOCKLIST_NO_SKIPS") == "1"
_MAY_SKIP = "the folder of real published lists is not there"


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let a run in which something was skipped fail, where nothing should be."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not _NO_SKIPS or reporter is None:
        return
    skipped = [report for report in reporter.stats.get("skipped", []) if _MAY_SKIP not in str(report.longrepr)]
    if skipped:
        reporter.write_line(f"skipped where nothing may be: {', '.join(report.nodeid for report in skipped)}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
