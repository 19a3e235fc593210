"""Send a node what no client should, and measure what other callers notice of it.

    python -m bench.abuse [--requests 100000] [--idle 10000] [--slow 200] [--seconds 8]

First malformed requests (bytes changed, cut out, doubled, in streams of several, split at random places): is the worker
still the same process, what did it answer, how did its memory change. Then idle connections and clients that send one
byte a second, while others ask as fast as 32 connections can (wrk, if installed): before, during and after. The worker
has one processor to itself and all clients another, if there are two; what counts is the worker's processor time for a
request. Prints one JSON object; the load average says what else the machine was doing.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import resource
import select
import shutil
import socket
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from bench.asking import wrk
from bench.nodes import Client, load, memory, running_node
from tests.e2e.running import free_port
from tests.node.running import RunningNode, publish, until
from tests.node.running import statuses as statuses_of
from tests.support import compiled, host_rule, listed

GET = b"GET /v1/lookup?domain=pirate.example HTTP/1.1\r\nHost: a\r\n\r\n"
BODY = b'{"items": ["pirate.example", {"url": "http://clean.example/x"}]}'
SEEDS = (
    GET,
    b"GET /v1/lookup?url=http%3A%2F%2Fpirate.example%2Ffilm&explain=1 HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n",
    b"POST /v1/lookup HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY),
    b'POST /v1/openrtb HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"id"\r\n4\r\n: 1}\r\n0\r\n\r\n',
    b"GET /v1/gate HTTP/1.1\r\nHost: a\r\nReferer: http://pirate.example/\r\nConnection: keep-alive\r\n\r\n",
)
NASTY = (
    *(
        b"\r\n",
        b"\n",
        b"\0",
        b"\xff",
        b" ",
        b":",
        b"\r",
        b"HTTP/9.9",
        b"Content-Length: -1\r\n",
        b"Content-Length: 9e9\r\n",
    ),
    *(
        b"Transfer-Encoding: chunked, x\r\n",
        b"Host: b\r\n",
        b"Expect: x\r\n",
        b"ffffffffffffffff\r\n",
        b"%",
        b"\x16\x03\x01",
    ),
    *(
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"Upgrade: h2c\r\nConnection: upgrade\r\n",
        b"A" * 300,
        b"X: " + b"y" * 20_000 + b"\r\n",
    ),
)


def mangled(rng: random.Random) -> bytes:
    """Return a request with something wrong in it."""
    data = bytearray(rng.choice(SEEDS))
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(data) + 1)
        match rng.randrange(4):
            case 0:
                data[place:place] = rng.choice(NASTY)
            case 1:
                del data[place : place + rng.randint(1, 12)]
            case 2 if place < len(data):
                data[place] = rng.randrange(256)
            case _:
                data[place:place] = data[place : place + rng.randint(1, 40)]
    return bytes(data)


def exchanged(port: int, data: bytes, rng: random.Random) -> bytes:
    """Send a stream in pieces and return what comes back."""
    got = b""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client, contextlib.suppress(OSError):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        cuts = sorted(rng.sample(range(1, len(data)), min(rng.choice((0, 0, 1, 3)), len(data) - 1)))
        for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
            client.sendall(data[begin:end])
        client.shutdown(socket.SHUT_WR)
        while block := client.recv(1 << 16):
            got += block
    return got


def malformed(node: RunningNode, count: int) -> dict[str, Any]:
    """Send so many malformed requests, one to four a connection."""
    rng = random.Random(7)
    statuses: Counter[str] = Counter()
    (worker,) = node.workers()
    sent, measured = 0, [memory(worker)]
    began = time.perf_counter()
    while sent < count:
        if sent >= count // 10 * len(measured):
            measured.append(memory(worker))
        many = min(rng.randint(1, 4), count - sent)
        said = exchanged(node.port, b"".join(mangled(rng) for _ in range(many)) or b"\0", rng)
        sent += many
        # A stream that is not a row of whole responses ends the run here, with what came.
        statuses.update([str(status) for status in statuses_of(said)] or ["closed without a word"])
    alive = node.workers() == [worker] and Client(node.port).ask(GET)[0] == 200
    return {
        "sent": sent,
        "seconds": round(time.perf_counter() - began, 1),
        "alive": alive,
        "statuses": dict(sorted(statuses.items())),
        # 505, an HTTP version that is not spoken, is the client's fault too (RFC 9110, 15.6.6).
        "server_errors": sum(number for status, number in statuses.items() if status[0] == "5" and status != "505"),
        "memory_kib": {
            "at the start": measured[0],
            "every tenth": [item["pss"] for item in measured],
            "end": memory(worker),
        },
    }


def crowd(node: RunningNode, idle: int, slow: int, seconds: float) -> dict[str, Any]:
    """Measure well-behaved clients alone, among idle and slow ones, and alone again."""
    if shutil.which("wrk") is None:
        return {"left out": "wrk is not installed"}
    (worker,) = node.workers()
    processors = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(worker, processors[:1])
    os.sched_setaffinity(0, processors[-1:])
    before = memory(worker)
    alone = asked(node.port, worker, seconds)
    kept = [socket.create_connection(("127.0.0.1", node.port), timeout=20) for _ in range(idle + slow)]
    until(lambda: node.supervisor.scoreboard.read(0).get("values", {}).get("connections", 0) >= idle + slow, 30)
    after = memory(worker)
    ended = threading.Event()
    trickle = threading.Thread(target=trickled, args=(kept[:slow], ended))
    trickle.start()
    among = asked(node.port, worker, seconds)
    ended.set()
    trickle.join()
    answered = select_readable(kept[:slow])
    for client in kept:
        client.close()
    until(lambda: node.supervisor.scoreboard.read(0).get("values", {}).get("connections", 0) <= 1, 30)
    again = asked(node.port, worker, seconds)
    os.sched_setaffinity(0, processors)
    return {
        "idle": idle,
        "slow": slow,
        "alone": alone,
        "among them": among,
        "alone again": again,
        **{f"ratio_{name}": round(2 * among[name] / (alone[name] + again[name]), 3) for name in alone},
        "slow clients ended by the node": answered,
        "kib_a_connection": round((after["pss"] - before["pss"]) / (idle + slow), 2),
    }


def asked(port: int, worker: int, seconds: float) -> dict[str, float]:
    """Ask one thing as fast as it is answered; return rate and latency, and the worker's processor time a request."""
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "lines.txt"
        lines.write_text("/v1/lookup?domain=pirate.example\n")
        before = processor_ns(worker)
        turn = wrk(port, lines, seconds)
    used = (processor_ns(worker) - before) / 1000
    count = turn.rate * max(1, round(seconds))
    return {"requests_a_second": round(turn.rate), "p50_us": turn.p50, "p99_us": turn.p99,
            "processor_us": round(used / count, 3)}  # fmt: skip


def processor_ns(pid: int) -> int:
    """Return the processor time of a process of one thread, in nanoseconds."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


def trickled(clients: list[socket.socket], ended: threading.Event) -> None:
    """Send a byte a second on each connection, evenly over the second."""
    began, turn = time.perf_counter(), 0
    while clients and not ended.wait(max(0.0, began + turn / len(clients) - time.perf_counter())):
        client, place = clients[turn % len(clients)], turn // len(clients) % len(GET)
        with contextlib.suppress(OSError):
            client.sendall(GET[place : place + 1])
        turn += 1


def select_readable(clients: list[socket.socket]) -> int:
    """Return how many have something to read: an answer, or the end."""
    waiting = select.poll()
    for client in clients:
        waiting.register(client, select.POLLIN)
    return len(waiting.poll(0))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--idle", type=int, default=10_000)
    parser.add_argument("--slow", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=8)
    given = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with running_node(free_port()) as node:
        publish(node.folder, compiled([listed(host_rule("pirate.example"))], version=7), 7)
        until(lambda: Client(node.port).ask(GET)[0] == 200)
        result = {
            "load_average_before": load(),
            "malformed": malformed(node, given.requests),
            "crowd": crowd(node, given.idle, given.slow, given.seconds),
            "load_average_after": load(),
        }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
