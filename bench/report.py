"""The figures of bench.lookups as tables in Markdown and as a chart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from bench.chart import bars
from bench.peers import KINDS
from bench.queries import MIXES

#: Below this share of a turn the server did not have its processor to itself, or waited for its client.
_BUSY = 0.9


def rate(turn: dict[str, float]) -> str:
    """Return requests a second, "at least" where the server was not what held them up."""
    return f"{'at least ' if turn['busy'] < _BUSY else ''}{turn['rate']:,.0f}"


def ratio(turn: dict[str, float], name: str = "rate") -> str:
    value = turn.get(f"{name}_to_nginx")
    return f"{value:.2f}" if value else "-"


def _latency(turn: dict[str, float]) -> str:
    return f"{turn['p50']:,.0f} / {turn['p99']:,.0f}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def tables(result: dict[str, Any]) -> str:
    """Return all that was measured, in Markdown."""
    parts = [
        f"{result['date']}, {result['machine']}; {result['entries']:,} hosts, {result['rounds']} rounds of"
        f" {result['seconds']} seconds; load average {result['load_before']} before, {result['load_after']} after"
        " (the measurement itself makes 1 to 2).",
        _peers(result["peers"]),
        *([f"Left out, not installed: {'; '.join(result['left_out'])}."] if result["left_out"] else []),
        mixes_table(result["mixes"]),
        _node(result),
        _in_process(result["in_process"]),
    ]
    return "\n\n".join(parts)


def _peers(peers: dict[str, Any]) -> str:
    heads = (
        "`domain=`, 10 % listed",
        "requests/s, lines repeated",
        "of nginx",
        "requests/s, never repeated",
        "of nginx",
        "processor µs for a request",
        "p50 / p99 in µs, full load",
        "p50 / p99 in µs, half load",
        "memory, MiB",
        "first answer, s",
    )
    rows = []
    for kind in KINDS:
        if kind.name in peers:
            own = peers[kind.name]
            again, fresh = own["repeated"], own["fresh"]
            rows.append(
                [
                    *(kind.says, rate(again), ratio(again), rate(fresh), ratio(fresh)),
                    *(f"{fresh['cpu']:.1f}", _latency(fresh), _latency(own["half"])),
                    *(f"{own['pss_mib']:,.0f}", f"{own['first_answer_seconds']:.1f}"),
                ]
            )
    return _table(heads, rows)


def mixes_table(mixes: dict[str, Any]) -> str:
    """Return how the node and nginx compare in every way of asking, in Markdown."""
    each = ("of nginx", "p99, of nginx", "processor time, of nginx")
    heads = ("request to the node", "repeated, requests/s", *each, "never repeated, requests/s", *each)
    rows = []
    for mix in MIXES:
        if mix.name in mixes:
            again, fresh = mixes[mix.name]["repeated"], mixes[mix.name]["fresh"]
            cells = [[rate(turn), ratio(turn), ratio(turn, "p99"), ratio(turn, "cpu")] for turn in (again, fresh)]
            rows.append([mix.says, *cells[0], *cells[1]])
    return _table(heads, rows)


def _node(result: dict[str, Any]) -> str:
    posts = result["posts"]
    batches = [("hosts repeated", posts["batch-repeated"]), ("hosts never repeated", posts["batch-fresh"])]
    rows = [
        [
            *(f"`POST /v1/lookup`, batches of 100, {says}", f"{turn['rate'] * 100:,.0f} verdicts/s"),
            _processor(turn, 100),
        ]
        for says, turn in batches
    ]
    bids = posts["openrtb"]
    rows.append(["`POST /v1/openrtb`, 3 kB", f"{bids['rate']:,.0f} requests/s", _processor(bids, 1)])
    for says, rates in result["two_workers"].items():
        said = f"{rates['one']:,.0f} to {rates['two']:,.0f} requests/s"
        rows.append(
            [
                f"{says}, one worker to two",
                said,
                f"{rates['ratio']:.2f} times one worker, the client on the same processors; processor time of a"
                f" request {rates['cpu_one']:.1f} and {rates['cpu_two']:.1f} µs",
            ]
        )
    rows.append(["the node's worker alone, after all of these", f"{result['worker_pss_mib']:,.0f} MiB", ""])
    return _table(("", "", "for comparison"), rows)


def _processor(turn: dict[str, float], each: int) -> str:
    """Return what a second of the server's processor gives, and the rate beside nginx's single requests."""
    if not turn["cpu"]:
        return ""
    said = f"{1e6 / turn['cpu'] * each:,.0f} in a second of processor time"
    times = turn.get("rate_to_nginx")
    return f"{said}; {times * each:.2f} times nginx's single requests" if times else said


def _in_process(ways: dict[str, Any]) -> str:
    mixes = {
        "mixed": "10 % listed",
        "listed": "all listed",
        "not_listed": "none listed",
        "url": "whole URL, 10 % listed",
    }
    heads = ["in process, µs for a lookup"]
    for mix, says in mixes.items():
        heads += [says] if mix == "url" else [says, "of bare"]
    rows = []
    for name, own in ways.items():
        row = [re.sub(r"^\w+\.\w+", r"`\g<0>`", name)]
        for mix in mixes:
            figures = [own.get(f"{mix}_us"), *([] if mix == "url" else [own.get(f"{mix}_of_bare")])]
            row += ["-" if figure is None else f"{figure:.2f}" for figure in figures]
        rows.append([*row, f"{own['pss_mib']:,.0f}", f"{own['open_ms']:,.1f}"])
    return _table([*heads, "memory, MiB", "to open, ms"], rows)


def chart(result: dict[str, Any]) -> str:
    """Return the requests a second of all peers as SVG."""
    rows = [
        (kind.says.replace("`", "").split(",")[0], [result["peers"][kind.name][way]["rate"] for way in _WAYS])
        for kind in KINDS
        if kind.name in result["peers"]
    ]
    title = f"Requests a second, {result['entries']:,} hosts, one worker on one processor ({result['date']})"
    return bars(title, list(_WAYS.values()), rows)


_WAYS = {"repeated": "lines repeated", "fresh": "lines never repeated"}
