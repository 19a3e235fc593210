"""The clients of the lookup measurements: wrk for HTTP, redis-benchmark, and sockets of our own for the rest."""

from __future__ import annotations

import csv
import heapq
import json
import math
import os
import random
import select
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from bench.nodes import percentile

CONNECTIONS = 32
_SCRIPT = Path(__file__).with_name("wrk.lua")
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn gave: requests a second, microseconds, and the server's processor time."""

    rate: float
    p50: float
    p99: float
    #: Processor time of the server for one request, in microseconds, and the share of the turn that it was busy.
    cpu: float = 0.0
    busy: float = 0.0


def family(root: int) -> list[int]:
    """Return a process and all below it."""
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            todo += map(int, task.read_text().split())
    return found


def pss(pids: list[int]) -> float:
    """Return the proportional memory of processes, in MiB."""
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def cpu_seconds(root: int) -> float:
    """Return the processor time that a process and those below it have taken."""
    total = 0
    for pid in family(root):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / _TICK


def with_cpu(turn: Turn, root: int, before: float, seconds: float) -> Turn:
    used = cpu_seconds(root) - before
    return replace(turn, cpu=used / (turn.rate * seconds) * 1e6, busy=used / seconds)


def wrk(port: int, lines: Path, seconds: float, skip: int = 0, mean_pause: float = 0.0) -> Turn:
    """Ask over HTTP as fast as 32 connections can, or with a pause on each (mean, in milliseconds)."""
    script = _SCRIPT
    if mean_pause:
        # wrk takes the name of a function for the wish to pause.
        script = lines.with_suffix(".paced.lua")
        script.write_text(_SCRIPT.read_text().replace("function paused()", "function delay()"))
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "-s", str(script)]
    command += [f"http://127.0.0.1:{port}/", "--", str(lines), str(skip), str(mean_pause)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"wrk failed: {done.stderr or done.stdout}")
    said = json.loads(done.stdout.rstrip().rpartition("\n")[2])
    if said.pop("failed"):
        sys.exit(f"requests to port {port} failed, or were answered with an error:\n{done.stdout}")
    return Turn(**said)


def redis_benchmark(port: int, keys: int, count: int) -> Turn:
    """Ask Redis with its own client, without pipelining, for random members of ``keys`` names."""
    command = ["redis-benchmark", "-p", str(port), "-c", str(CONNECTIONS), "-n", str(count), "-r", str(keys), "--csv"]
    out = subprocess.run([*command, *SISMEMBER], capture_output=True, text=True, check=True).stdout
    row = next(csv.DictReader(out[out.index('"test"') :].splitlines()))
    latency = {name: float(row[f"{name}_latency_ms"]) * 1000 for name in ("p50", "p99")}
    return Turn(float(row["rps"]), **latency)


#: redis-benchmark draws twelve digits for the last part.
SISMEMBER = ("SISMEMBER", "listed", "site-__rand_int__.example")


def redis_member(number: int) -> str:
    return f"site-{number:012d}.example"


class Sockets:
    """A client in plain Python: 32 sockets, one small request under way on each, one packet an answer."""

    def __init__(self, port: int, kind: socket.SocketKind, requests: list[bytes]) -> None:
        self._requests, self._at = requests, 0
        self._poll, self._sockets = select.epoll(), {}
        for _ in range(CONNECTIONS):
            made = socket.socket(socket.AF_INET, kind)
            made.connect(("127.0.0.1", port))
            if kind == socket.SOCK_STREAM:
                made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets[made.fileno()] = made
            self._poll.register(made.fileno(), select.EPOLLIN)

    def run(self, seconds: float, mean_pause: float = 0.0) -> Turn:
        """Ask for so long, each socket again at once or after a pause (mean, in milliseconds)."""
        rng, times, sent = random.Random(5), [], dict.fromkeys(self._sockets, 0.0)
        began = now = time.perf_counter()
        due = [(began, number) for number in self._sockets]
        under_way = 0
        while under_way or now - began < seconds:
            while due and due[0][0] <= now and now - began < seconds:
                number = heapq.heappop(due)[1]
                self._at = (self._at + 1) % len(self._requests)
                sent[number] = time.perf_counter()
                self._sockets[number].send(self._requests[self._at])
                under_way += 1
            if not under_way and now - began < seconds:
                time.sleep(max(0.0, due[0][0] - now))
            # epoll counts in milliseconds: where a request is soon due, it must not wait for a whole one.
            wait = 1.0 if not due else 0.0
            events = self._poll.poll(wait, CONNECTIONS)
            now = time.perf_counter()
            if not events and wait:
                sys.exit("an answer did not come within a second")
            for number, _ in events:
                self._sockets[number].recv(4096)
                under_way -= 1
                now = time.perf_counter()
                times.append(now - sent[number])
                pause = -math.log(1 - rng.random()) * mean_pause / 1000 if mean_pause else 0.0
                heapq.heappush(due, (now + pause, number))
        took = time.perf_counter() - began
        return Turn(len(times) / took, percentile(times, 0.5) * 1000, percentile(times, 0.99) * 1000)

    def close(self) -> None:
        self._poll.close()
        for made in self._sockets.values():
            made.close()
