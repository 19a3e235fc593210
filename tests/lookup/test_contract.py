"""The contract over a real socket, against the Flask application. contract_cases.py works with any other server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest

from blocklist import Snapshot
from blocklist.daemon.control_server import ControlServer
from blocklist.web.app import create_app
from tests.lookup.contract_cases import CASES, WITHOUT_SNAPSHOT, Case, answered, check, contract_snapshot
from tests.lookup.test_resolver import Holder


@contextmanager
def flask_server(holder: Holder, gate_unknown: Literal["allow", "block"] = "allow") -> Iterator[str]:
    server = ControlServer(("127.0.0.1", 0), create_app(holder, gate_unknown=gate_unknown), threads=2)
    server.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.stop()


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    with flask_server(Holder(Snapshot(Path("in memory"), contract_snapshot()))) as base:
        yield base


@pytest.fixture(scope="module")
def served_without_snapshot() -> Iterator[str]:
    with flask_server(Holder(None)) as base:
        yield base


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_an_answer_is_what_the_contract_says(served: str, case: Case) -> None:
    check(case, answered(served, case))


@pytest.mark.parametrize("case", WITHOUT_SNAPSHOT, ids=[case.name for case in WITHOUT_SNAPSHOT])
def test_without_a_snapshot_all_verdicts_are_unknown(served_without_snapshot: str, case: Case) -> None:
    check(case, answered(served_without_snapshot, case))


def test_the_names_of_cases_are_unique() -> None:
    names = [case.name for case in [*CASES, *WITHOUT_SNAPSHOT]]
    assert len(names) == len(set(names))


def test_forward_authentication_can_block_unknown_pages_and_states_the_verdict() -> None:
    with flask_server(Holder(Snapshot(Path("in memory"), contract_snapshot())), "block") as base:
        got = answered(base, Case("no page", "GET", "/v1/gate", 403))
        clean = answered(base, Case("clean", "GET", "/v1/gate?url=a.example", 204))
    assert (got.status, got.body, got.headers["blocklist-verdict"]) == (403, b"", "unknown")
    assert "blocklist-rule" not in got.headers
    assert clean.status == 204
