"""A node over the snapshot of the contract, for several modules."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lookup.contract_cases import contract_snapshot
from tests.node.running import RunningNode, node, publish


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    folder = tmp_path_factory.mktemp("snapshots")
    publish(folder, contract_snapshot(), 7)
    with node(folder) as running:
        yield running
