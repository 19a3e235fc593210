"""Lookups in one's own process: ours, a set with a walk over suffixes, SQLite, and the bare trie.

    python -m bench.in_process [--entries 1000000] [--rounds 3]

makes a list, compiles it and measures; bench.lookups runs it over a folder that it made itself. Each way is asked some
thousand hosts at a time, all ways in turns, and times are those of the processor: what others do on the machine counts
little. It runs itself once more for the memory of each way: in one process they would take what another gave back.
Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import marisa_trie

from bench.asking import pss
from bench.ingest import hosts
from bench.nodes import load
from bench.queries import draw, url_of
from blocklist import Snapshot
from blocklist.domain.clock import now
from blocklist.snapshot.compile.compiler import Compiler
from blocklist.snapshot.compile.listing_rows import BareHosts
from blocklist.snapshot.repository import SnapshotRepository
from tests.support import DEFAULT_POLICY, source

_QUERIES = 100_000
#: Hosts asked in one go, and hosts handed to the compiler together.
_ASKED, _BLOCK = 2_500, 4_096
Ask = Callable[[str], object]
_BARE = "marisa_trie.prefixes alone"


def _set(folder: Path) -> Ask:
    with (folder / "list.txt").open() as lines:
        sites = {line.strip() for line in lines}

    def ask(host: str) -> bool:
        while host not in sites:
            _, dot, host = host.partition(".")
            if not dot:
                return False
        return True

    return ask


def _sqlite(folder: Path) -> Ask:
    execute = sqlite3.connect(folder / "plain.db").execute

    def ask(host: str) -> object:
        labels = host.split(".")
        names = [".".join(labels[start:]) for start in range(len(labels))]
        marks = ",".join("?" * len(names))
        return execute(f"SELECT 1 FROM sites WHERE host IN ({marks}) LIMIT 1", names).fetchone()

    return ask


def _trie(folder: Path) -> Ask:
    if not (folder / "bare.trie").exists():
        with (folder / "list.txt").open() as lines:
            marisa_trie.Trie([line.strip()[::-1] + "." for line in lines]).save(str(folder / "bare.trie"))
    prefixes = marisa_trie.Trie().mmap(str(folder / "bare.trie")).prefixes
    return lambda host: prefixes(host[::-1] + ".")


def _snapshot(folder: Path) -> Ask:
    pointer = SnapshotRepository(folder / "data" / "snapshots").pointer()
    assert pointer
    return Snapshot.open(folder / "data" / "snapshots" / pointer.file).lookup


WAYS: dict[str, Callable[[Path], Ask]] = {
    "Snapshot.lookup": _snapshot,
    _BARE: _trie,
    "Python set, suffix walk": _set,
    "sqlite3, one statement": _sqlite,
}


def correct(ask: Ask, host: str, listed: bool) -> bool:
    said = ask(host)
    return bool(getattr(said, "listed", said)) is listed


def measure(folder: Path, rounds: int, count: int = _QUERIES) -> dict[str, Any]:
    """Return for each way microseconds a lookup, memory in MiB, and milliseconds to open."""
    listed = (folder / "list.txt").read_text().split()
    rng = random.Random(3)
    hits, misses = draw(listed, count // 2, 1.0, rng), draw(listed, count // 2, 0.0, rng)
    mixes = {
        "listed": [query.host for query in hits],
        "not_listed": [query.host for query in misses],
        "mixed": [query.host for query in draw(listed, count // 2, 0.1, rng)],
        "url": [url_of(query) for query in draw(listed, count // 2, 0.1, rng)],
    }
    del listed
    _trie(folder)  # written beforehand: to build it is not to open it
    (folder / "asked.txt").write_text("".join(f"{host}\n" for host in mixes["listed"]))
    asks = {name: way(folder) for name, way in WAYS.items()}
    for name, ask in asks.items():
        wrong = [query for query in [*hits[:1000], *misses[:1000]] if not correct(ask, query.host, query.listed)]
        if wrong:
            sys.exit(f"wrong answer from {name}: {wrong[0]}")
    command = [sys.executable, "-m", "bench.in_process", str(folder)]
    result: dict[str, Any] = {
        name: json.loads(subprocess.run([*command, name], check=True, stdout=subprocess.PIPE).stdout) for name in WAYS
    }
    for mix, targets in mixes.items():
        shown = {name: ask for name, ask in asks.items() if mix != "url" or name == "Snapshot.lookup"}
        times = _in_turns(shown, targets, rounds)
        for name, took in times.items():
            result[name][f"{mix}_us"] = statistics.median(took)
        if _BARE in times:
            pairs = zip(times["Snapshot.lookup"], times[_BARE], strict=True)
            result["Snapshot.lookup"][f"{mix}_of_bare"] = statistics.median(ours / bare for ours, bare in pairs)
    return result


def opened(folder: Path, name: str) -> dict[str, float]:
    """Open one way and ask it all; return the milliseconds to open and the memory in MiB."""
    before, began = pss([os.getpid()]), time.perf_counter()
    ask = WAYS[name](folder)
    took = time.perf_counter() - began
    with (folder / "asked.txt").open() as hosts:
        for host in hosts:
            ask(host.rstrip())
    return {"open_ms": took * 1000, "pss_mib": pss([os.getpid()]) - before}


def _in_turns(asks: dict[str, Ask], targets: list[str], rounds: int) -> dict[str, list[float]]:
    """Return microseconds of processor a call, a figure each turn; the loop's own time is in it, for all alike."""
    times: dict[str, list[float]] = {name: [] for name in asks}
    for start in list(range(0, len(targets), _ASKED)) * rounds:
        some = targets[start : start + _ASKED]
        for name, ask in asks.items():
            began = time.thread_time()
            for target in some:
                ask(target)
            times[name].append((time.thread_time() - began) / len(some) * 1e6)
    return times


def make(folder: Path, entries: int) -> dict[str, Any]:
    """Make what is measured: a list of hosts, its snapshot, and a table of it; return what the snapshot took."""
    listed = hosts(entries)
    (folder / "list.txt").write_text("".join(f"{host}\n" for host in listed))
    with sqlite3.connect(folder / "plain.db") as database:
        database.execute("CREATE TABLE sites (host TEXT PRIMARY KEY) WITHOUT ROWID")
        database.executemany("INSERT INTO sites VALUES (?)", ((host,) for host in listed))
    began = time.process_time()
    compiler = Compiler({1: source()}, [DEFAULT_POLICY])
    compiler.add_bare_hosts(_blocks(listed))
    pointer = SnapshotRepository(folder / "data" / "snapshots").publish(compiler, 1, now(), 1)
    size = (folder / "data" / "snapshots" / pointer.file).stat().st_size
    return {
        "entries": entries,
        "snapshot_bytes_per_host": size / entries,
        "compile_processor_seconds": time.process_time() - began,
    }


def _blocks(listed: list[str]) -> Iterator[BareHosts]:
    moment = now()
    for start in range(0, len(listed), _BLOCK):
        yield BareHosts(" ".join(listed[start : start + _BLOCK]), 1, "subtree", moment)


def main() -> None:
    """Measure as the arguments say, and print the figures."""
    if len(sys.argv) == 3 and not sys.argv[1].startswith("-"):
        place, what = Path(sys.argv[1]), sys.argv[2]
        print(json.dumps(measure(place, int(what)) if what.isdigit() else opened(place, what)))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        before = load()
        result = make(Path(folder), options.entries) | {"ways": measure(Path(folder), options.rounds)}
        print(json.dumps(result | {"load_before": before, "load_after": load()}, indent=1))


if __name__ == "__main__":
    main()
