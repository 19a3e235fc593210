"""Fixtures for the tests of signed snapshots."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from blocklist.snapshot.compile import delta
from tests.distribution.s3 import S3, s3_server
from tests.distribution.signed import Publishing


@pytest.fixture(autouse=True)
def _small_snapshots_get_deltas_too() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delta, "MIN_RULES", 0)
        yield


@pytest.fixture
def publishing(tmp_path: Path) -> Publishing:
    """A publisher with keys, over an empty store that is a folder."""
    return Publishing.begun(tmp_path / "control")


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    """An S3 server without buckets."""
    with s3_server() as server:
        yield server
