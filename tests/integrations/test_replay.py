"""The script that replays bid requests, run as its user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from blocklist import Snapshot
from tests.lookup.contract_cases import contract_snapshot
from tests.lookup.test_contract import flask_server
from tests.lookup.test_resolver import Holder

_SCRIPT = Path(__file__).parents[2] / "docs" / "integrations" / "replay_bid_requests.py"


@pytest.fixture(scope="module")
def node() -> Iterator[str]:
    with flask_server(Holder(Snapshot(Path("in memory"), contract_snapshot()))) as base:
        yield base


def replay(lines: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(_SCRIPT), "-", *options],
        input=lines,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_it_counts_verdicts_and_prints_listed_requests(node: str) -> None:
    requests = [
        {"id": "1", "site": {"page": "https://pirate.example/"}},
        {"id": "2", "site": {"page": "https://news.example/"}},
        {"id": "3"},
    ]
    done = replay("\n".join(map(json.dumps, requests)) + "\n\n", "--node", node)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["requests"], summary["verdicts"]) == (3, {"listed": 1, "not_listed": 1, "unknown": 1})
    assert 0 < summary["p50_ms"] <= summary["p99_ms"] <= summary["max_ms"]
    assert done.stderr == "line 1: site.page is listed: pirate.example (it-agcom)\n"


def test_it_counts_the_sellers_that_carried_listed_pages(node: str) -> None:
    chain = {"nodes": [{"asi": "ssp.example", "sid": "17"}, {"asi": "x.example"}]}
    request = {"site": {"page": "https://pirate.example/"}, "source": {"schain": chain}}
    done = replay(f"{json.dumps(request)}\n" * 2, "--node", node)
    assert json.loads(done.stdout)["sellers"] == {"ssp.example 17": 2, "x.example": 2}
    assert done.stderr.splitlines()[1].endswith("pirate.example (it-agcom), sold by ssp.example 17, x.example")


def test_a_request_without_a_verdict_is_reported_and_fails_the_run(node: str) -> None:
    done = replay('{"site": {"page": "a.example"}}\nnonsense\n', "--node", node)
    assert done.returncode == 1
    assert json.loads(done.stdout)["verdicts"] == {"not_listed": 1, "error": 1}
    assert "line 2: the body is not JSON" in done.stderr
    assert replay("{}\n", "--node", node, "--policy", "nope").returncode == 1
