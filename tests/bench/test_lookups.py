"""The parts of the lookup measurements: a figure is worth nothing if the questions or the answers are wrong."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import dns.message
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.asking import Turn, redis_member
from bench.chart import bars
from bench.in_process import WAYS, correct
from bench.ingest import hosts
from bench.lookups import turns
from bench.peers import REDIS_DRAWN, ZONE, request_of
from bench.plain_flask import fill, plain
from bench.queries import MIXES, Mix, batches, bid_requests, draw, written
from bench.report import rate, ratio
from blocklist.lookup.http import Request
from blocklist.lookup.resolver import Resolver
from blocklist.lookup.routes import Routes
from blocklist.snapshot.follower import Follower
from tests.node.running import publish
from tests.support import compiled, host_rule, listed

_LISTED = hosts(300)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the ways in process read, and the plain application."""
    made = tmp_path_factory.mktemp("bench")
    (made / "list.txt").write_text(written(_LISTED))
    fill(made / "plain.db", _LISTED)
    (made / "data").mkdir()
    publish(made / "data" / "snapshots", compiled([listed(host_rule(host)) for host in _LISTED]), 1)
    return made


@pytest.fixture(scope="module")
def routes(folder: Path) -> Routes:
    return Routes(Resolver(Follower(folder / "data" / "snapshots", 1e9)), lambda: b"")


def _answer(routes: Routes, line: str) -> dict[str, object]:
    path, _, body = line.partition("\t")
    parts = urlsplit(path)
    request = Request("POST" if body else "GET", parts.path, parts.query.encode(), {}, body.encode())
    answered = routes.answer(request)
    assert answered.status == 200, answered
    said = json.loads(answered.body) if isinstance(answered.body, bytes) else answered.body
    assert isinstance(said, dict)
    return said


@pytest.mark.parametrize("hits", [0.0, 0.1, 0.5, 1.0])
def test_queries_are_distinct_and_as_many_are_listed_as_was_asked_for(hits: float) -> None:
    queries = draw(_LISTED, 2_000, hits, random.Random(1))
    assert len({query.host for query in queries}) == 2_000
    assert sum(query.listed for query in queries) / 2_000 == pytest.approx(hits, abs=0.05)


@pytest.mark.parametrize("mix", MIXES, ids=[mix.name for mix in MIXES])
def test_every_mix_is_answered_by_the_service_as_the_queries_expect(mix: Mix, routes: Routes) -> None:
    queries = draw(_LISTED, 200, mix.hits, random.Random(2))
    assert [_answer(routes, mix.line(query))["listed"] for query in queries] == [query.listed for query in queries]


@pytest.mark.parametrize("mix", MIXES, ids=[mix.name for mix in MIXES])
def test_nginx_is_asked_for_the_same_hosts(mix: Mix) -> None:
    for query in draw(_LISTED, 50, mix.hits, random.Random(3)):
        (asked,) = parse_qs(urlsplit(mix.nginx(query)).query)["domain"]
        assert asked.lower() == query.host


def test_batches_hold_a_hundred_hosts_each_and_are_answered_in_order(routes: Routes) -> None:
    queries = draw(_LISTED, 250, 0.5, random.Random(4))
    lines = list(batches(queries))
    assert len(lines) == 2
    results = [result for line in lines for result in _answer(routes, line)["results"]]  # type: ignore[attr-defined]
    assert [result["listed"] for result in results] == [query.listed for query in queries[:200]]


def test_bid_requests_have_three_thousand_bytes_and_are_blocked_where_the_site_is_listed(routes: Routes) -> None:
    queries = draw(_LISTED, 50, 0.5, random.Random(5))
    for line, query in zip(bid_requests(queries), queries, strict=True):
        assert 2_950 <= len(line.partition("\t")[2].encode()) <= 3_300
        assert _answer(routes, line)["block"] is query.listed


@pytest.mark.parametrize("name", WAYS)
def test_every_way_in_process_answers_right_and_a_wrong_answer_is_seen(name: str, folder: Path) -> None:
    ask = WAYS[name](folder)
    for query in draw(_LISTED, 200, 0.5, random.Random(6)):
        assert correct(ask, query.host, query.listed)
        assert not correct(ask, query.host, not query.listed)


def test_the_plain_application_answers_right(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_FOLDER", str(folder))
    client = plain().test_client()
    for query in draw(_LISTED, 50, 0.5, random.Random(7)):
        assert client.get(MIXES[0].nginx(query)).get_json()["listed"] is query.listed


@pytest.mark.parametrize(("kind", "asked"), [("dns", "www.pirate.example."), ("dnsbl", f"www.pirate.example.{ZONE}.")])
def test_dns_requests_are_read_as_what_they_ask(kind: str, asked: str) -> None:
    message = dns.message.from_wire(request_of(kind, "www.pirate.example", 70_000))
    assert message.question[0].to_text() == f"{asked} IN A"


def test_a_redis_request_is_one_command_and_members_are_named_as_redis_benchmark_names_them() -> None:
    assert request_of("redis", "a.example", 0) == b"*3\r\n$9\r\nSISMEMBER\r\n$6\r\nlisted\r\n$9\r\na.example\r\n"
    assert redis_member(REDIS_DRAWN) == "site-000001000000.example"


def test_ratios_are_those_of_one_round_and_each_is_asked_in_turn() -> None:
    order: list[str] = []
    rates = {"node": iter([50.0, 90.0, 20.0]), "nginx": iter([100.0, 100.0, 10.0])}

    def ask(name: str) -> Turn:
        order.append(name)
        return Turn(next(rates[name]), 1, 2, 3, 0.95)

    asked = turns(3, {("node", "x"): lambda _: ask("node"), ("nginx", "x"): lambda _: ask("nginx")})
    assert order == ["node", "nginx"] * 3
    assert (asked["node", "x"]["rate"], asked["node", "x"]["rate_to_nginx"]) == (50.0, 0.9)


def test_a_server_that_was_not_busy_did_at_least_so_much() -> None:
    assert rate({"rate": 1234.4, "busy": 0.5}) == "at least 1,234"
    assert rate({"rate": 1234.4, "busy": 0.99}) == "1,234"
    assert ratio({"rate": 1}) == "-"


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.text(st.characters(codec="utf-8", exclude_categories=["C"])), st.floats(1, 1e7)),
        min_size=1,
        max_size=9,
    )
)
def test_a_chart_is_well_formed_and_has_a_bar_and_a_figure_for_every_value(rows: list[tuple[str, float]]) -> None:
    root = ElementTree.fromstring(bars("a < b & c", ["one", "two"], [(name, [value, value]) for name, value in rows]))
    texts = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]
    bars_drawn = [e for e in root.iter("{http://www.w3.org/2000/svg}rect") if e.get("fill") != "#ffffff"]
    assert len(bars_drawn) == 2 + 2 * len(rows)
    figures = [f"{value:,.0f}" for _, value in rows for _ in range(2)]
    assert Counter(figures) <= Counter(texts)
    assert all(float(bar.get("x", "")) + float(bar.get("width", "")) <= 900 for bar in bars_drawn)


@pytest.mark.parametrize("rows", [[], [("a", [0.0, 0.0])], [("a", [1.0])]])
def test_a_chart_without_figures_is_refused(rows: list[tuple[str, list[float]]]) -> None:
    with pytest.raises(ValueError, match="a chart needs"):
        bars("title", ["one", "two"], rows)
