"""Publishers that every test of fetching shares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina

from tests.e2e.running import Publisher, publisher
from tests.fetch.asking import Getting


@pytest.fixture(autouse=True)
def _no_waiting_between_tries() -> Iterator[None]:
    stamina.set_testing(True, attempts=3, cap=True)
    yield
    stamina.set_testing(False)


@pytest.fixture(scope="module")
def publishers() -> Iterator[tuple[Publisher, Publisher]]:
    with publisher() as one, publisher() as two:
        yield one, two


@pytest.fixture
def court(publishers: tuple[Publisher, Publisher]) -> Publisher:
    publishers[0].requests.clear()
    return publishers[0]


@pytest.fixture
def other(publishers: tuple[Publisher, Publisher]) -> Publisher:
    publishers[1].requests.clear()
    return publishers[1]


@pytest.fixture
def get(tmp_path: Path) -> Getting:
    return Getting(tmp_path)


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("A_TOKEN", "s3cret")
    return "s3cret"
