"""Measure lookups beside what else an operator could run: one list, the same queries, in turns.

    python -m bench.lookups [--entries 1000000] [--seconds 2] [--rounds 3] [--mixes domain,url,case,half,explain]
                            [--peers node,nginx,flask,plain,redis,rbldnsd,unbound] [--only-mixes] [--out docs]

Every server is pinned to processor 0 and has one worker; the clients run on processor 1. All run at once and are asked
in turns, A B C A B C; figures are medians over the rounds, ratios those of one round. First each is asked whether it
answers right. Lines that come again (20,000 of them) are told apart from lines that do not (300,000, each round from
another place): a node remembers what it was asked a moment ago. Before a turn of lines that come again, the node is
asked all of them, so that they do come again however few are asked in a turn.

wrk asks over HTTP, redis-benchmark asks Redis for names that it makes up itself (no pipelining, one SISMEMBER a
request), and a loop over 32 UDP sockets in Python asks the DNS servers. Where a server ran for less than 90 % of the
turn, its client or others on the machine held it up, and the figure says "at least": compare processor times there.
Half load is half of what the peer did with lines that do not come again, with random pauses on each of the 32
connections; Redis is asked by the Python client there.

Prints the tables in Markdown; writes lookups.json and the chart lookups.svg. What is not installed is left out by name.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.asking import CONNECTIONS, Sockets, Turn, family, pss, redis_benchmark, with_cpu, wrk
from bench.ingest import hosts
from bench.nodes import load
from bench.peers import KINDS, REDIS_DRAWN, Kind, Peer, installed, prepare, request_of, running, socket_kind
from bench.queries import FRESH, MIXES, REPEATED, Mix, Query, batches, bid_requests, draw, written
from bench.report import chart, mixes_table, tables

_CHECKED = 300


class Run:
    """One measurement: the list, the queries in their files, and the turns."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self.folder = folder
        self.rounds: int = options.rounds
        self.only_mixes: bool = options.only_mixes
        self.seconds: float = options.seconds
        self.listed = hosts(options.entries)
        self.mixes = [mix for mix in MIXES if mix.name in options.mixes.split(",")]
        rng = random.Random(11)
        self.queries: dict[tuple[float, str], list[Query]] = {}
        for hits in {0.1} | {mix.hits for mix in self.mixes}:
            self.queries[hits, "repeated"] = draw(self.listed, REPEATED, hits, rng)
            self.queries[hits, "fresh"] = draw(self.listed, FRESH, hits, rng)
        for mix in {MIXES[0], *self.mixes}:
            for way in ("repeated", "fresh"):
                queries = self.queries[mix.hits, way]
                self.file(mix, way, "node").write_text(written(map(mix.line, queries)))
                self.file(mix, way, "nginx").write_text(written(map(mix.nginx, queries)))
        for way in ("repeated", "fresh"):
            (folder / f"batch-{way}.txt").write_text(written(batches(self.queries[0.1, way])))
        (folder / "openrtb.txt").write_text(written(bid_requests(self.queries[0.1, "fresh"])))

    def file(self, mix: Mix, way: str, whom: str) -> Path:
        return self.folder / f"{mix.name}-{way}-{whom}.txt"

    def skipped(self, turn: int) -> int:
        """Return where a turn begins in its file, so that no two begin alike."""
        return turn * FRESH // self.rounds

    def http(self, peer: Peer, lines: Path, turn: int, pause: float = 0.0, seconds: float = 0.0) -> Turn:
        seconds = max(1, round(seconds or self.seconds))
        before = peer.cpu()
        return with_cpu(wrk(peer.port, lines, seconds, self.skipped(turn), pause), peer.process.pid, before, seconds)

    def again(self, peer: Peer, lines: Path, turn: int) -> Turn:
        """Ask over HTTP for lines that were asked a moment ago, whatever came in between and however slow all is."""
        asked = 0.0
        while asked < 2.5 * REPEATED:
            asked += wrk(peer.port, lines, self.seconds, int(asked) % REPEATED).rate * self.seconds
        return self.http(peer, lines, turn)

    def domain(self, peer: Peer, way: str, turn: int) -> Turn:
        """Ask a peer for hosts, one in ten of them listed, as fast as it answers."""
        if peer.asked_by == "http":
            ask = self.again if way == "repeated" and peer.name == "node" else self.http
            return ask(peer, self.file(MIXES[0], way, "nginx"), turn)
        if peer.asked_by == "redis":
            keys = REPEATED if way == "repeated" else REDIS_DRAWN
            count = int(redis_benchmark(peer.port, keys, 10_000).rate * self.seconds)
            before = peer.cpu()
            asked = redis_benchmark(peer.port, keys, count)
            return with_cpu(asked, peer.process.pid, before, count / asked.rate)
        return self.sockets(peer, way, turn)

    def sockets(self, peer: Peer, way: str, turn: int, pause: float = 0.0, seconds: float = 0.0) -> Turn:
        seconds = seconds or self.seconds
        queries = self.queries[0.1, way]
        start = self.skipped(turn) % len(queries)
        asked = [*queries[start:], *queries[:start]]
        requests = [request_of(peer.asked_by, query.host, number) for number, query in enumerate(asked)]
        with contextlib.closing(Sockets(peer.port, socket_kind(peer.asked_by), requests)) as client:
            before = peer.cpu()
            return with_cpu(client.run(seconds, pause), peer.process.pid, before, seconds)

    def paced(self, peer: Peer, turn: int, pause: float, seconds: float) -> Turn:
        if peer.asked_by == "http":
            return self.http(peer, self.file(MIXES[0], "fresh", "nginx"), turn, pause, seconds)
        return self.sockets(peer, "fresh", turn, pause, seconds)

    def half(self, peer: Peer, full: float) -> Turn:
        """Ask at half of a rate, in a cycle of request and pause that is measured first."""
        cycle = CONNECTIONS / (full / 2) * 1000
        pause = max(0.05, cycle - 0.2)
        tried = self.paced(peer, 0, pause, 1)
        return self.paced(peer, 1, max(0.05, pause + cycle - CONNECTIONS / tried.rate * 1000), self.seconds)

    def check(self, peer: Peer) -> None:
        for query in self.queries[0.1, "repeated"][:_CHECKED]:
            if peer.covers(query.host) is not query.listed:
                sys.exit(
                    f"wrong answer from {peer.name} for {query.host}: it is {'' if query.listed else 'not '}listed"
                )


def side_by_side(run: Run, kinds: tuple[Kind, ...]) -> Iterator[tuple[str, Any]]:
    """Start all peers, ask them in turns, and yield what each part gave."""
    with contextlib.ExitStack() as stack:
        peers = {kind.name: stack.enter_context(running(kind, run.folder, run.listed[0])) for kind in kinds}
        for peer in peers.values():
            run.check(peer)
        if run.only_mixes:
            yield "mixes", mixes(run, peers)
            return
        ways = [(peer, way) for way in ("repeated", "fresh") for peer in peers.values()]
        asked = turns(run.rounds, {(peer.name, way): _asking(run.domain, peer, way) for peer, way in ways})
        yield (
            "peers",
            {
                peer.name: {
                    **{way: asked[peer.name, way] for way in ("repeated", "fresh")},
                    "half": asdict(run.half(peer, asked[peer.name, "fresh"]["rate"])),
                    "pss_mib": peer.memory(),
                    "first_answer_seconds": peer.first_answer,
                }
                for peer in peers.values()
            },
        )
        yield "mixes", mixes(run, peers)
        yield "posts", posts(run, peers)
        # At last: what it remembers is full then.
        yield "worker_pss_mib", _workers_memory(peers["node"])


def turns(rounds: int, asks: dict[Any, Callable[[int], Turn]]) -> dict[Any, dict[str, float]]:
    """Ask each in turn, so many rounds; return medians, and the ratios to nginx's turns of the same kind."""
    took: dict[Any, list[Turn]] = {key: [] for key in asks}
    for number in range(rounds):
        for key, ask in asks.items():
            took[key].append(ask(number))
    result = {}
    for key, own in took.items():
        fields = {name: statistics.median(getattr(turn, name) for turn in own) for name in asdict(own[0])}
        peer = took.get(("nginx", *key[1:]))
        if peer:
            for name in ("rate", "p99", "cpu"):
                # Ten milliseconds is the step of the kernel's count: a short turn may show no time at all.
                pairs = [(getattr(a, name), getattr(b, name)) for a, b in zip(own, peer, strict=True)]
                fields[f"{name}_to_nginx"] = statistics.median(a / b if b else 0.0 for a, b in pairs)
        result[key] = fields
    return result


def _asking(ask: Callable[[Peer, str, int], Turn], peer: Peer, way: str) -> Callable[[int], Turn]:
    return lambda turn: ask(peer, way, turn)


def _http(run: Run, peer: Peer, lines: Path) -> Callable[[int], Turn]:
    return lambda turn: run.http(peer, lines, turn)


def mixes(run: Run, peers: dict[str, Peer]) -> dict[str, Any]:
    """Ask the node and nginx for the same hosts in every way of asking."""
    asks: dict[Any, Callable[[int], Turn]] = {}
    for mix in run.mixes:
        for way in ("repeated", "fresh"):
            for name in [name for name in ("node", "nginx") if name in peers]:
                ask = run.again if way == "repeated" and name == "node" else run.http
                lines = run.file(mix, way, name)
                asks[name, mix.name, way] = lambda turn, ask=ask, peer=peers[name], lines=lines: ask(peer, lines, turn)  # type: ignore[misc]
    asked = turns(run.rounds, asks)
    return {mix.name: {way: asked["node", mix.name, way] for way in ("repeated", "fresh")} for mix in run.mixes}


def posts(run: Run, peers: dict[str, Peer]) -> dict[str, Any]:
    """Post batches of a hundred and bid requests to the node, with nginx's single requests in between."""
    files = {name: run.folder / f"{name}.txt" for name in ("batch-repeated", "batch-fresh", "openrtb")}
    asks: dict[Any, Callable[[int], Turn]] = {}
    for name, lines in files.items():
        asks["node", name] = _http(run, peers["node"], lines)
        if "nginx" in peers:
            asks["nginx", name] = _http(run, peers["nginx"], run.file(MIXES[0], "fresh", "nginx"))
    asked = turns(run.rounds, asks)
    return {name: asked["node", name] for name in files}


def two_workers(run: Run, kinds: tuple[Kind, ...]) -> dict[str, Any]:
    """Ask two workers and one, of the node and of nginx.

    The client uses the same two processors: of single requests it takes more than the servers do, which says little of
    two workers. Batches of a hundred it writes a hundred times less often.
    """
    result = {}
    for kind in [kind for kind in kinds if kind.name in ("node", "nginx")]:
        ways = {f"{kind.name}, single requests": MIXES[0]} | ({"node, batches": None} if kind.name == "node" else {})
        with contextlib.ExitStack() as stack:
            peers = {
                number: stack.enter_context(running(kind, run.folder, run.listed[0], processors, workers))
                for number, processors, workers in (("one", "0", 1), ("two", "0,1", 2))
            }
            for says, mix in ways.items():
                lines = run.file(mix, "fresh", "nginx") if mix else run.folder / "batch-fresh.txt"
                asks = {(number,): _http(run, peer, lines) for number, peer in peers.items()}
                asked = turns(run.rounds, asks)
                rates = {number: asked[number,]["rate"] for number in peers}
                took = {f"cpu_{number}": asked[number,]["cpu"] for number in peers}
                result[says] = rates | took | {"ratio": rates["two"] / rates["one"]}
    return result


def _workers_memory(node: Peer) -> float:
    """Return the memory of the node's worker alone, in MiB."""
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in family(node.process.pid)}
    return sum(pss([pid]) for pid, command in commands.items() if b"blocklist.node.worker" in command)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Measure everything, and return the figures."""
    kinds, left_out = installed()
    kinds = tuple(kind for kind in kinds if kind.name in {"node", *options.peers.split(",")})
    result: dict[str, Any] = {
        "entries": options.entries,
        "seconds": options.seconds,
        "rounds": options.rounds,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} processors, Python {platform.python_version()}",
        "left_out": left_out,
        "load_before": load(),
    }
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    all_processors = os.sched_getaffinity(0)
    try:
        _say("preparing the list, the queries and the peers' files")
        run = Run(folder, options)
        prepare(folder, run.listed, kinds)
        if len(all_processors) > 1:
            os.sched_setaffinity(0, {1})
        for name, value in side_by_side(run, kinds):
            _say(f"measured: {name}")
            result[name] = value
        os.sched_setaffinity(0, all_processors)
        if options.only_mixes:
            return result | {"load_after": load()}
        result["two_workers"] = two_workers(run, kinds)
        _say("measured: two workers")
        command = ["taskset", "-c", "0", sys.executable, "-m", "bench.in_process", str(folder), str(options.rounds)]
        result["in_process"] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    finally:
        os.sched_setaffinity(0, all_processors)
        shutil.rmtree(folder, ignore_errors=True)
    result["load_after"] = load()
    return result


def _say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


def main() -> None:
    """Measure, print the tables, and write the figures and the chart."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mixes", default=",".join(mix.name for mix in MIXES))
    parser.add_argument("--peers", default=",".join(kind.name for kind in KINDS))
    parser.add_argument("--only-mixes", action="store_true", help="print the table of ways of asking, and no more")
    parser.add_argument("--out", type=Path, default=Path("docs"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    result = measure(options)
    if options.only_mixes:
        print(f"load average {result['load_before']} before, {result['load_after']} after")
        print(mixes_table(result["mixes"]))
        return
    (options.out / "lookups.json").write_text(json.dumps(_rounded(result), indent=1) + "\n")
    (options.out / "lookups.svg").write_text(chart(result))
    print(tables(result))


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
