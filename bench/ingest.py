"""Measure a refresh from bytes to a served snapshot, beside what else an operator could do with the same list.

    python -m bench.ingest [--entries 1000000] [--points 500000,1000000,2000000,5000000] [--into FILE]

The list is published on a loopback port, and every refresh is the command, started again: the first one, one that gets
304, one of the same bytes, and one with 1 % of the hosts replaced. Peers in the same run: a bare SQLite table filled
with ``executemany`` (the least that keeps a list on disk), and those installed of nginx (``map``), unbound (response
policy zone) and rbldnsd, from their start to their first right answer. ``--points`` measures our refreshes and the bare
table only, for lists of these lengths. Prints one JSON object; times in seconds, memory in MiB. The figures that count
are the ratios and the processor time: how long this machine takes is this machine's business.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from bench import peers
from bench.nodes import load
from blocklist.config.logs import configure_logs
from blocklist.config.settings import LogSettings, Settings
from blocklist.service import Service

PARTS = ("mo", "vi", "tor", "rent", "str", "eam", "pi", "rate", "flix", "hd", "free", "watch", "anime", "sport", "live")
ENDINGS = ("com", "net", "org", "io", "ru", "co.uk", "com.br", "info", "tv", "cc", "me", "xyz", "site", "online", "app")
_POLLS = 21
_LOADED = ("nginx", "unbound", "rbldnsd")

BARE_SQLITE = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[2])
database.execute("PRAGMA journal_mode = WAL")
database.execute("CREATE TABLE sites (host TEXT PRIMARY KEY)")
with open(sys.argv[1]) as lines, database:
    database.executemany("INSERT OR IGNORE INTO sites VALUES (?)", ((line.strip(),) for line in lines))
"""

#: A small process in between: Linux counts the memory of whoever starts a program to that program's most.
_MEASURE = """
import json, os, subprocess, sys, time
began = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(json.dumps([time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024]))
sys.exit(status != 0)
"""


def hosts(count: int) -> list[str]:
    """Return so many distinct host names, the same in every run."""
    rng = random.Random(7)
    seen: dict[str, None] = {}
    while len(seen) < count:
        name = "".join(rng.choice(PARTS) for _ in range(rng.randint(2, 5)))
        seen[f"{name}-{rng.randint(10000, 99999999)}.{rng.choice(ENDINGS)}"] = None
    return list(seen)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command took: seconds, seconds of processor time, and the most memory it had, in MiB."""

    seconds: float
    processor: float
    memory: float

    def named(self, name: str) -> dict[str, float]:
        return {f"{name}_seconds": self.seconds, f"{name}_processor": self.processor, f"{name}_memory": self.memory}


def measured(command: list[str], env: dict[str, str] | None = None) -> Cost:
    """Run a command and return what it took."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, *command], check=False, capture_output=True, text=True, env=env
    )
    if done.returncode:
        sys.exit(f"{command[:4]} failed: {done.stderr}")
    return Cost(*json.loads(done.stdout))


class _File(BaseHTTPRequestHandler):
    """Publishes one file, with an ETag; a file ``.always`` beside it lets no request have 304."""

    protocol_version = "HTTP/1.1"

    def __init__(self, path: Path, *rest: Any) -> None:
        self._path = path
        super().__init__(*rest)

    def do_GET(self) -> None:
        found = self._path.stat()
        tag = f'"{found.st_mtime_ns:x}-{found.st_size:x}"'
        known = self.headers.get("If-None-Match") == tag and not self._path.with_suffix(".always").exists()
        self.send_response(304 if known else 200)
        self.send_header("ETag", tag)
        self.send_header("Content-Length", "0" if known else str(found.st_size))
        self.end_headers()
        if not known:
            self.wfile.write(self._path.read_bytes())

    def log_message(self, *_: object) -> None:
        """Say nothing: the figures are the output."""


@contextmanager
def published(path: Path) -> Iterator[str]:
    """Publish a file on a loopback port and give its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_File, path))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/list.txt"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def refreshes(listed: list[str], folder: Path) -> dict[str, float]:
    """Measure our refreshes of a list, and a bare SQLite table of it."""
    path = folder / "list.txt"
    path.write_text("\n".join(listed) + "\n")
    env = os.environ | {"BLOCKLIST_FETCH__ALLOW_PRIVATE_HOSTS": '["127.0.0.1"]'}
    ours = [sys.executable, "-m", "blocklist", "--data-dir", str(folder / "data")]
    court = ["--authority", "Benchmark", "--kind", "court", "--country", "GB"]
    bare = measured([sys.executable, "-c", BARE_SQLITE, str(path), str(folder / "bare.db")])
    with published(path) as address:
        measured([*ours, "feed", "add", "bench", "--url", address, "--format", "lines", *court], env)
        full = measured([*ours, "refresh", "bench"], env)
        not_modified = measured([*ours, "refresh", "bench"], env)
        polls, worked = _polls(folder / "data")
        path.with_suffix(".always").touch()
        same = measured([*ours, "refresh", "bench"], env)
        path.with_suffix(".always").unlink()
        hundredth = max(1, len(listed) // 100)
        path.write_text("\n".join([*listed[hundredth:], *(f"new-{n}.example" for n in range(hundredth))]) + "\n")
        churn = measured([*ours, "refresh", "bench"], env)
    newest = max((folder / "data" / "snapshots").glob("*.snapshot"))
    return {
        "entries": len(listed),
        **full.named("full"),
        **not_modified.named("not_modified"),
        "poll_304_in_process_median_ms": statistics.median(polls) * 1000,
        "poll_304_in_process_most_ms": max(polls) * 1000,
        "poll_304_in_process_median_processor_ms": statistics.median(worked) * 1000,
        **same.named("same_bytes"),
        **churn.named("churn_1_percent"),
        **bare.named("bare_sqlite"),
        "full_microseconds_an_entry": full.seconds / len(listed) * 1e6,
        "full_processor_microseconds_an_entry": full.processor / len(listed) * 1e6,
        "full_over_bare_sqlite": full.seconds / bare.seconds,
        "full_over_bare_sqlite_processor": full.processor / bare.processor,
        "same_bytes_over_full": same.seconds / full.seconds,
        "churn_over_full": churn.seconds / full.seconds,
        "churn_over_full_processor": churn.processor / full.processor,
        "snapshot_bytes_per_host": newest.stat().st_size / len(listed),
    }


def _polls(data: Path) -> tuple[list[float], list[float]]:
    """Return the seconds, and those of the processor, of refreshes that end with 304 in a service that runs."""
    service = Service(Settings.model_validate({"data_dir": data, "fetch": {"allow_private_hosts": ["127.0.0.1"]}}))
    times, worked = [], []
    try:
        for _ in range(_POLLS):
            # The publisher is a thread of this process: its part of the processor's time is in the figure.
            began, busy = time.perf_counter(), time.process_time()
            service.runs.refresh("bench", "bench")
            times.append(time.perf_counter() - began)
            worked.append(time.process_time() - busy)
    finally:
        service.close()
    return times, worked


def loads(listed: list[str], folder: Path) -> dict[str, float]:
    """Measure the peers that are installed from their start to their first right answer."""
    kinds = tuple(kind for kind in peers.KINDS if kind.name in _LOADED and shutil.which(kind.program))
    peers.write_lists(folder, listed, kinds)
    asked = listed[len(listed) // 2]
    result: dict[str, float] = {}
    for kind in kinds:
        with peers.running(kind, folder, asked, processors="0-1") as peer:
            result |= {
                f"{kind.name}_load_seconds": peer.first_answer,
                f"{kind.name}_load_processor": peer.cpu(),
                f"{kind.name}_load_memory": peer.memory(),
            }
    return result


def main() -> None:
    """Measure, and print what was measured."""
    configure_logs(LogSettings(), quiet=True)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--points", help="lengths of lists, with commas between")
    parser.add_argument("--into", type=Path, help="a file for the figures too")
    chosen = parser.parse_args()
    result: dict[str, Any] = {"load_before": load(), "processors": os.cpu_count(), "python": sys.version.split()[0]}
    if chosen.points:
        result["points"] = [_in_a_folder(int(point)) for point in chosen.points.split(",")]
    else:
        result |= _in_a_folder(chosen.entries, beside=True)
    result["load_after"] = load()
    said = json.dumps(result, indent=1)
    if chosen.into:
        chosen.into.write_text(said + "\n")
    print(said)


def _in_a_folder(entries: int, *, beside: bool = False) -> dict[str, float]:
    listed = hosts(entries)
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        result = refreshes(listed, folder) | (loads(listed, folder) if beside else {})
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if "nginx_load_seconds" in result:
        result["full_over_nginx_load"] = result["full_seconds"] / result["nginx_load_seconds"]
    return {name: round(value, 3) for name, value in result.items()}


if __name__ == "__main__":
    main()
