"""Lookups in one's own process: ours, a set with a walk over suffixes, SQLite, and the bare trie.

Run by bench.lookups as a program of its own, which runs itself once more for the memory of each way: in one process
they would take what another gave back. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import marisa_trie

from bench.asking import pss
from bench.queries import draw, url_of
from blocklist import Snapshot
from blocklist.snapshot.folder import SnapshotFolder

_QUERIES = 100_000
Ask = Callable[[str], object]


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
    pointer = SnapshotFolder(folder / "data" / "snapshots").pointer()
    assert pointer
    return Snapshot.open(folder / "data" / "snapshots" / pointer.file).lookup


WAYS: dict[str, Callable[[Path], Ask]] = {
    "Snapshot.lookup": _snapshot,
    "marisa_trie.prefixes alone": _trie,
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
        "url": [url_of(query) for query in draw(listed, count // 2, 0.1, rng)],
    }
    del listed
    _trie(folder)  # written beforehand: to build it is not to open it
    (folder / "asked.txt").write_text("".join(f"{host}\n" for host in mixes["listed"]))
    asks = {name: make(folder) for name, make in WAYS.items()}
    for name, ask in asks.items():
        wrong = [query for query in [*hits[:1000], *misses[:1000]] if not correct(ask, query.host, query.listed)]
        if wrong:
            sys.exit(f"wrong answer from {name}: {wrong[0]}")
    command = [sys.executable, "-m", "bench.in_process", str(folder)]
    result: dict[str, Any] = {
        name: json.loads(subprocess.run([*command, name], check=True, stdout=subprocess.PIPE).stdout) for name in WAYS
    }
    times: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds):
        for mix, targets in mixes.items():
            for name, ask in asks.items():
                if mix != "url" or name == "Snapshot.lookup":
                    times.setdefault((name, mix), []).append(_timed(ask, targets))
    for (name, mix), took in times.items():
        result[name][f"{mix}_us"] = statistics.median(took)
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


def _timed(ask: Ask, targets: list[str]) -> float:
    """Return microseconds a call; the loop's own time is in it, for all alike."""
    began = time.perf_counter()
    for target in targets:
        ask(target)
    return (time.perf_counter() - began) / len(targets) * 1e6


if __name__ == "__main__":
    place, what = Path(sys.argv[1]), sys.argv[2]
    print(json.dumps(measure(place, int(what)) if what.isdigit() else opened(place, what)))
