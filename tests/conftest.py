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
