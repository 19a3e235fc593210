"""A node answers as in the contract, with the same bytes as the Flask application."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from blocklist import Snapshot
from tests.lookup.contract_cases import CASES, WITHOUT_SNAPSHOT, Case, answered, check, contract_snapshot
from tests.lookup.test_contract import flask_server
from tests.lookup.test_resolver import Holder
from tests.node.running import RunningNode, node

#: Headers that belong to the answer, not to the server.
_COMPARED = ("content-type", "content-length", "cache-control", "allow", "blocklist-rule", "blocklist-feeds")


@pytest.fixture(scope="module")
def flask() -> Iterator[str]:
    with flask_server(Holder(Snapshot(Path("in memory"), contract_snapshot()))) as base:
        yield base


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_node_and_the_flask_application_answer_the_same_bytes(serving: RunningNode, flask: str, case: Case) -> None:
    ours, theirs = answered(serving.base, case), answered(flask, case)
    check(case, ours)
    assert (ours.status, ours.body) == (theirs.status, theirs.body)
    assert [ours.headers.get(name) for name in _COMPARED] == [theirs.headers.get(name) for name in _COMPARED]
    # Once more: now the head is known, and no parser is used.
    assert answered(serving.base, case).body == ours.body


def test_without_a_snapshot_a_node_answers_unknown(tmp_path: Path) -> None:
    with node(tmp_path) as running:
        for case in WITHOUT_SNAPSHOT:
            check(case, answered(running.base, case))


def test_head_gives_the_headers_of_get_and_no_body(serving: RunningNode, flask: str) -> None:
    for target in ("/v1/lookup?domain=pirate.example", "/healthz", "/v1/gate?url=pirate.example", "/nope"):
        head = Case("head", "HEAD", target, 200)
        ours, theirs = answered(serving.base, head), answered(flask, head)
        assert (ours.status, ours.body) == (theirs.status, b"")
        assert ours.headers["content-length"] == theirs.headers["content-length"]
