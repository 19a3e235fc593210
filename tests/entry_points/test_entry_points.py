"""Every way to ask gives the same verdict: over HTTP, in bid requests, at the gate, in process, on the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from blocklist import Snapshot
from blocklist.daemon.control_server import ControlServer
from blocklist.service import Service
from blocklist.snapshot.follower import Follower
from blocklist.web.app import create_app
from tests.entry_points.entry_points import (
    EntryPoint,
    Outcome,
    Server,
    command_line,
    in_process,
    in_process_batch,
)
from tests.entry_points.generated import apps, pages
from tests.entry_points.rows import APPS, BIDS, DOMAINS, PAGES, PENDING, BidRow, Row
from tests.entry_points.world import VERSION, snapshot_bytes
from tests.node.running import node, publish
from tests.support import settings_for

_SEED = 20_261_126


@dataclass(frozen=True)
class Columns:
    """The entry points for each kind of target."""

    pages: list[EntryPoint]
    domains: list[EntryPoint]
    apps: list[EntryPoint]
    servers: list[Server]


@pytest.fixture(scope="module")
def columns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Columns]:
    """A node and a control plane, each a real server, and a command line, all over one data folder."""
    data_dir = tmp_path_factory.mktemp("installation") / "data"
    with ExitStack() as stack:
        service = Service(settings_for(data_dir))
        stack.callback(service.close)
        folder = service.snapshots.folder
        path = publish(folder, snapshot_bytes(), VERSION)
        app = create_app(Follower(folder, 86_400), service)
        control_server = ControlServer(("127.0.0.1", 0), app, threads=2)
        control_server.start()
        stack.callback(control_server.stop)
        running = stack.enter_context(node(folder))
        nodes, control = Server("node", running.port), Server("control plane", control_server.port)
        yield _columns(nodes, control, Snapshot.open(path), str(data_dir))


def _columns(nodes: Server, control: Server, snapshot: Snapshot, data_dir: str) -> Columns:
    return Columns(
        pages=[
            *(nodes.get("url"), nodes.get_minimal("url"), nodes.single("url"), nodes.batch("url"), nodes.batch(None)),
            *(nodes.openrtb("site", "page"), nodes.openrtb("openrtb", "request", "context", "site", "page")),
            *(nodes.gate(None), nodes.gate("X-Page-URL"), nodes.gate("Referer")),
            *(control.get("url"), control.batch("url")),
            *(in_process("lookup", snapshot.lookup), in_process_batch(snapshot), command_line(data_dir)),
        ],
        domains=[
            *(nodes.get("domain"), nodes.get_minimal("domain"), nodes.single("domain"), nodes.batch("domain")),
            *(nodes.openrtb("site", "domain"), nodes.openrtb("site", "publisher", "domain")),
            *(nodes.openrtb("source", "schain", "nodes", "0", "asi"), control.get("domain"), control.batch("domain")),
            in_process("lookup_host", snapshot.lookup_host),
        ],
        apps=[
            *(nodes.get("app"), nodes.single("app"), nodes.batch("app"), nodes.openrtb("app", "bundle")),
            *(
                nodes.openrtb("openrtb", "request", "context", "app", "bundle"),
                control.get("app"),
                control.batch("app"),
            ),
            *(in_process("lookup_app", snapshot.lookup_app), command_line(data_dir, "app:")),
        ],
        servers=[nodes, control],
    )


def _table(entry_points: Sequence[EntryPoint], targets: Sequence[str]) -> dict[str, dict[str, Outcome]]:
    """Return the outcome of each target at each entry point that can carry it."""
    table: dict[str, dict[str, Outcome]] = {target: {} for target in targets}
    for entry_point in entry_points:
        carried = [target for target in table if entry_point.carries(target)]
        for target, outcome in zip(carried, entry_point.ask(carried), strict=True):
            table[target][entry_point.name] = outcome
    return table


def _wrong(entry_points: Sequence[EntryPoint], rows: Sequence[Row]) -> list[str]:
    table = _table(entry_points, [row.target for row in rows])
    return [
        f"{row.target!r}: {name}: {outcome.verdict} {outcome.rule} via {outcome.via!s}"
        for row in rows
        for name, outcome in table[row.target].items()
        if not _is_right(row, outcome)
    ]


def _is_right(row: Row, outcome: Outcome) -> bool:
    rule = outcome.rule == row.rule if row.rule else True
    return (
        outcome.verdict == row.verdict and rule and (outcome.via is not None if row.via else outcome.via in (None, ""))
    )


def _disagreements(entry_points: Sequence[EntryPoint], targets: Sequence[str]) -> tuple[list[str], dict[str, int]]:
    """Return the targets on which the entry points disagree, and how many got each verdict."""
    found: list[str] = []
    counts: dict[str, int] = {}
    for target, outcomes in _table(entry_points, targets).items():
        first = next(iter(outcomes.values()))
        others = {name: outcome for name, outcome in outcomes.items() if outcome != first}
        counts[first.verdict] = counts.get(first.verdict, 0) + 1
        if others:
            found.append(f"{target!r}: {first}; but {others}")
    return found, counts


def _expected(name: str) -> pytest.MarkDecorator:
    """Return the mark for the test of a group: one in :data:`PENDING` must fail."""
    return pytest.mark.xfail(name in PENDING, strict=True, reason="not right at every entry point yet")


def _groups(kind: str, groups: Mapping[str, Any]) -> list[Any]:
    return [
        pytest.param(rows, id=f"{kind}: {name}", marks=_expected(f"{kind}: {name}")) for name, rows in groups.items()
    ]


@pytest.mark.parametrize("rows", _groups("pages", PAGES))
def test_a_page_gets_its_verdict_at_every_entry_point(columns: Columns, rows: list[Row]) -> None:
    wrong = _wrong(columns.pages, rows)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("rows", _groups("domains", DOMAINS))
def test_a_domain_gets_its_verdict_at_every_entry_point(columns: Columns, rows: list[Row]) -> None:
    wrong = _wrong(columns.domains, rows)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("rows", _groups("apps", APPS))
def test_an_app_gets_its_verdict_at_every_entry_point(columns: Columns, rows: list[Row]) -> None:
    wrong = _wrong(columns.apps, rows)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("rows", _groups("bids", BIDS))
def test_a_bid_request_gets_its_answer_from_every_server(columns: Columns, rows: list[BidRow]) -> None:
    for row in rows:
        for server in columns.servers:
            status, answer = server.answer(row.body, row.headers)
            assert status == row.status, (row.body, answer)
            assert {name: answer.get(name) for name in row.answer} == row.answer, (row.body, answer)


def test_no_target_stands_twice_in_the_tables() -> None:
    for groups in (PAGES, DOMAINS, APPS):
        targets = [row.target for rows in groups.values() for row in rows]
        assert sorted(targets) == sorted(set(targets))


@_expected("pages: generated")
def test_five_thousand_generated_pages_get_one_verdict_each(columns: Columns) -> None:
    found, counts = _disagreements(columns.pages, pages(5_000, _SEED))
    assert not found, "\n".join(found)
    assert min(counts["listed"], counts["not_listed"], counts["unknown"]) > 500


@_expected("domains: generated")
def test_generated_domains_get_one_verdict_each(columns: Columns) -> None:
    found, counts = _disagreements(columns.domains, pages(1_000, _SEED + 1))
    assert not found, "\n".join(found)
    assert min(counts["listed"], counts["not_listed"], counts["unknown"]) > 100


@_expected("apps: generated")
def test_generated_apps_get_one_verdict_each(columns: Columns) -> None:
    found, counts = _disagreements(columns.apps, apps(1_000, _SEED + 2))
    assert not found, "\n".join(found)
    assert min(counts["listed"], counts["not_listed"]) > 100
