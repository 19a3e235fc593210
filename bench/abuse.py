"""Send a node what no client should, and measure what other callers notice of it.

    python -m bench.abuse [--requests 100000] [--idle 10000] [--slow 200] [--seconds 20]

First malformed requests (bytes changed, cut out, doubled, in streams of several, split at random places): is the worker
still the same process, what did it answer, how did its memory change. Then idle connections and clients that send one
byte a second, while a well-behaved client measures its answers: before, and during. Prints one JSON object. The figures
that count are the ratios; the load average says what else the machine was doing.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import resource
import select
import socket
import time
from collections import Counter
from typing import Any

from bench.nodes import Client, Sampler, load, memory, percentile, running_node
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
    """Measure a well-behaved client, alone and among idle and slow ones."""
    (worker,) = node.workers()
    alone, kept = sampled(node.port, seconds), []
    before = memory(worker)
    for _ in range(idle + slow):
        client = socket.create_connection(("127.0.0.1", node.port), timeout=20)
        kept.append(client)
    until(lambda: node.supervisor.board.read(0).get("values", {}).get("connections", 0) >= idle + slow, 30)
    slow_ones = kept[:slow]
    sampler = Sampler(node.port, GET)
    sampler.start()
    began = time.perf_counter()
    # Evenly over each second: a burst would hold up the well-behaved client in this very process.
    for turn in range(int(seconds) * slow):
        client = slow_ones[turn % slow]
        place = turn // slow % len(GET)
        with contextlib.suppress(OSError):
            client.sendall(GET[place : place + 1])
        time.sleep(max(0.0, began + (turn + 1) / slow - time.perf_counter()))
    sampler.end()
    during = [took for _, took in sampler.times]
    after = memory(worker)
    answered = select_readable(slow_ones)
    for client in kept:
        client.close()
    figures = {
        name: {"p50_ms": percentile(t, 0.5), "p99_ms": percentile(t, 0.99), "asked": len(t)}
        for name, t in (("alone", alone), ("among them", during))
    }
    return {
        "idle": idle,
        "slow": slow,
        **figures,
        "failures": sampler.failures,
        "ratio_p50": round(percentile(during, 0.5) / percentile(alone, 0.5), 2),
        "ratio_p99": round(percentile(during, 0.99) / percentile(alone, 0.99), 2),
        "slow clients ended by the node": answered,
        "memory_kib": {"before": before, "among them": after},
        "kib_a_connection": round((after["pss"] - before["pss"]) / (idle + slow), 2),
    }


def sampled(port: int, seconds: float) -> list[float]:
    sampler = Sampler(port, GET)
    sampler.start()
    time.sleep(seconds)
    sampler.end()
    return [took for _, took in sampler.times]


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
    parser.add_argument("--seconds", type=float, default=20)
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
