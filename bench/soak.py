"""Ask a node millions of things while its snapshot is replaced, and compare a sample of answers with a naive matcher.

    python -m bench.soak [--requests 10000000] [--at-most 540] [--hosts 100000] [--swap-every 3] [--checked 20]
                         [--swaps 200]

Hosts, URLs, apps and batches are drawn at random, half of them listed; the list has two forms that take turns, so that
an answer from the wrong snapshot is a wrong answer. Then 200 swaps under the full load of wrk (if installed), with the
latency of a steady client beside it, before and during. Prints one JSON object: requests, wrong and failed ones (both
must be 0), the memory of the worker, and the ratio of the 99th percentiles (at most 2).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import shutil
import subprocess
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bench.ingest import hosts
from bench.nodes import Client, Sampler, load, memory, percentile, running_node
from blocklist.domain.listing import Rule, RuleKind, Scope
from blocklist.snapshot.format.layout import HEADER, SECTION, TRAILER_BYTES
from tests.e2e.running import free_port
from tests.node.running import RunningNode, publish, until
from tests.support import compiled, host_rule, listed

#: Requests sent in one go, and the version that the first snapshot has: all have as many digits.
_PIPELINE, _FIRST = 32, 1_000_000
_PATHS = ("/", "/film", "/film/one", "/filmed", "/film/one?v=1", "/a/b/c")


class Naive:
    """The plainest matcher that is right: sets, and a walk over the suffixes of a host."""

    def __init__(self, sites: list[str], pages: list[str], apps: list[str]) -> None:
        self.sites, self.pages, self.apps = frozenset(sites), frozenset(pages), frozenset(apps)

    def lists(self, kind: str, text: str) -> bool:
        if kind == "app":
            return text in self.apps
        host, slash, path = text.removeprefix("https://").partition("/")
        labels = host.split(".")
        if any(".".join(labels[start:]) in self.sites for start in range(len(labels))):
            return True
        parts = (slash + path).partition("?")[0].split("/")
        return kind == "url" and any(host + "/".join(parts[:end]) in self.pages for end in range(2, len(parts) + 1))

    def snapshot(self) -> bytes:
        rules = [
            *map(host_rule, sorted(self.sites)),
            *(Rule(RuleKind.URL, page, Scope.PREFIX) for page in sorted(self.pages)),
            *(Rule(RuleKind.APP, app, Scope.EXACT) for app in sorted(self.apps)),
        ]
        return compiled([listed(rule) for rule in rules], version=_FIRST)


class World:
    """Two lists that take turns, their snapshots, and what may be asked."""

    def __init__(self, count: int) -> None:
        names = hosts(count * 2)
        half = count // 2
        self.names = names
        self.lists = [
            Naive(
                names[:half] + names[start : start + half],
                [f"{name}/film" for name in names[start + half :: 97]],
                [f"com.app{number}" for number in range(start, start + half, 50)],
            )
            for start in (half, count)
        ]
        self._snapshots = [naive.snapshot() for naive in self.lists]
        self.version = _FIRST - 1

    def publish_next(self, folder: Path) -> None:
        """Publish the other list under the next version; the file of the one before the last goes."""
        self.version += 1
        publish(folder, renumbered(self._snapshots[self.version % 2], self.version), self.version)
        for old in sorted(folder.glob("*.snapshot"))[:-2]:
            old.unlink()

    def question(self, rng: random.Random) -> tuple[str, str]:
        draw = rng.random()
        if draw < 0.1:
            return "app", f"com.app{rng.randrange(len(self.names))}"
        host = rng.choice(self.names)
        if draw < 0.3:
            host = rng.choice(("www.", "a.b.", "x-")) + host
        return ("domain", host) if draw < 0.6 else ("url", f"https://{host}{rng.choice(_PATHS)}")


def renumbered(snapshot: bytes, version: int) -> bytes:
    """Return a snapshot under another version: to compile each again would take the processor from the node."""
    data = bytearray(snapshot[:-TRAILER_BYTES])
    magic, format_, count, _, _ = HEADER.unpack_from(data)
    for row in range(HEADER.size, HEADER.size + count * SECTION.size, SECTION.size):
        name, offset, length, _ = SECTION.unpack_from(data, row)
        if name.startswith(b"meta"):
            meta = data[offset : offset + length].replace(b"%d" % _FIRST, b"%d" % version)
            data[offset : offset + length] = meta
            SECTION.pack_into(data, row, name, offset, length, zlib.crc32(meta))
    table = bytes(data[HEADER.size : HEADER.size + count * SECTION.size])
    HEADER.pack_into(data, 0, magic, format_, count, version, zlib.crc32(table))
    return bytes(data) + hashlib.sha256(data).digest()


def request_of(kind: str, text: str) -> bytes:
    return f"GET /v1/lookup?{kind}={quote(text, safe='')} HTTP/1.1\r\nHost: a\r\n\r\n".encode()


def batch_of(items: list[tuple[str, str]]) -> bytes:
    body = json.dumps({"items": [{kind: text} for kind, text in items]}).encode()
    return b"POST /v1/lookup HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def drawn(world: World, rng: random.Random) -> tuple[bytes, list[tuple[str, str]]]:
    if rng.random() < 0.05:
        items = [world.question(rng) for _ in range(10)]
        return batch_of(items), items
    question = world.question(rng)
    return request_of(*question), [question]


def wrong(world: World, questions: list[tuple[str, str]], body: bytes) -> Iterator[tuple[str, str]]:
    """Yield the questions that were answered otherwise than the naive matcher does."""
    said = json.loads(body)
    naive = world.lists[said["version"] % 2]
    for question, result in zip(questions, said.get("results", [said]), strict=True):
        if result["listed"] is not naive.lists(*question):
            yield question


def spread(clients: list[Client], requests: list[bytes]) -> list[tuple[int, bytes]]:
    """Send one request on each connection; return the answers."""
    for client, request in zip(clients, requests, strict=True):
        client.send(request)
    return [client.answer() for client in clients]


def soak(
    node: RunningNode, world: World, requests: int, at_most: float, swap_every: float, checked: int
) -> dict[str, Any]:
    """Ask so many things, for at most so many seconds, and swap snapshots all the while."""
    rng, clients = random.Random(11), [Client(node.port) for _ in range(_PIPELINE)]
    (worker,) = node.workers()
    asked = failed = compared = 0
    mistakes: list[tuple[str, str]] = []
    samples: list[dict[str, int]] = []
    began = time.perf_counter()
    swapped, step = began, max(requests // 20, _PIPELINE)
    # The same thousand streams come again and again: to draw each again would take longer than to answer it.
    streams = [[drawn(world, rng) for _ in range(_PIPELINE)] for _ in range(1_000)]
    while asked < requests and time.perf_counter() - began < at_most:
        if time.perf_counter() - swapped >= swap_every:
            world.publish_next(node.folder)
            swapped = time.perf_counter()
            streams[rng.randrange(len(streams))] = [drawn(world, rng) for _ in range(_PIPELINE)]
        if asked >= len(samples) * step:
            samples.append(memory(worker))
        stream = rng.choice(streams)
        sent = [request for request, _ in stream]
        try:
            # In one stream they go through the parser, one a connection mostly past it.
            answers = clients[0].answers(sent) if rng.random() < 0.3 else spread(clients, sent)
        except OSError:
            failed += 1
            clients = [Client(node.port) for _ in range(_PIPELINE)]
            continue
        asked += len(answers)
        failed += sum(status != 200 for status, _ in answers)
        for (_, questions), (status, body) in zip(stream, answers, strict=True):
            if status == 200 and rng.random() * checked < 1:
                compared += len(questions)
                mistakes += wrong(world, questions, body)
    for client in clients:
        client.close()
    took = time.perf_counter() - began
    samples.append(memory(worker))
    return {
        "requests": asked,
        "seconds": round(took, 1),
        "requests_a_second": round(asked / took),
        "swaps": world.version - _FIRST,
        "failed": failed,
        "compared": compared,
        "wrong": len(mistakes),
        "wrong_ones": mistakes[:10],
        "same_worker": node.workers() == [worker],
        "memory_kib": {
            "first": samples[0],
            "after a tenth": samples[len(samples) // 10],
            "last": samples[-1],
            "pss": [sample["pss"] for sample in samples],
        },
    }


_WRK = """
local hosts = {}
for line in io.lines("%s") do hosts[#hosts + 1] = line end
local made = 0
request = function()
    made = made + 1
    return wrk.format("GET", "/v1/lookup?domain=" .. hosts[made * 7919 %% #hosts + 1])
end
"""


def swaps(node: RunningNode, world: World, count: int, pause: float, usual: float) -> dict[str, Any]:
    """Swap so many times under full load; measure the seconds before and those."""
    if shutil.which("wrk") is None:
        return {"left out": "wrk is not installed"}
    sampler = Sampler(node.port, request_of("domain", "clean.example"))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "hosts").write_text("\n".join(world.names[::7]))
        script = Path(folder) / "ask.lua"
        script.write_text(_WRK % (Path(folder) / "hosts"))
        seconds = int(usual + count * pause + 3)
        command = ["wrk", "-t1", "-c32", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{node.port}"]
        wrk = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        time.sleep(1)
        sampler.start()
        time.sleep(usual)
        began, first = time.perf_counter(), world.version
        versions = threading.Thread(target=_publish_often, args=(node, world, count, pause))
        versions.start()
        versions.join()
        ended = time.perf_counter()
        sampler.end()
        said = wrk.communicate(timeout=60)[0]
    errors = sum(map(int, re.findall(r"(?:connect|read|write|timeout|responses:) (\d+)", said)))
    before = [took for at, took in sampler.times if at < began]
    during = [took for at, took in sampler.times if began <= at <= ended]
    until(lambda: _version(node) == world.version)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    return {
        "swaps": world.version - first,
        "seconds": round(ended - began, 1),
        "load_requests_a_second": float(rate[1]) if rate else None,
        "failed": errors + sampler.failures,
        "usual": {"p50_ms": percentile(before, 0.5), "p99_ms": percentile(before, 0.99), "asked": len(before)},
        "swapping": {"p50_ms": percentile(during, 0.5), "p99_ms": percentile(during, 0.99), "asked": len(during)},
        "ratio_p99": round(percentile(during, 0.99) / percentile(before, 0.99), 2),
    }


def _publish_often(node: RunningNode, world: World, count: int, pause: float) -> None:
    for _ in range(count):
        world.publish_next(node.folder)
        time.sleep(pause)


def _version(node: RunningNode) -> int:
    client = Client(node.port)
    _, body = client.ask(request_of("domain", "clean.example"))
    client.close()
    return int(json.loads(body).get("version", 0))  # 503 has none


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=10_000_000)
    parser.add_argument(
        "--at-most", type=float, default=540.0, help="seconds of the soak, whatever it has asked by then"
    )
    parser.add_argument("--hosts", type=int, default=100_000)
    parser.add_argument("--swap-every", type=float, default=3.0, help="seconds")
    parser.add_argument("--checked", type=int, default=20, help="one answer in so many is compared")
    parser.add_argument("--swaps", type=int, default=200)
    parser.add_argument("--pause", type=float, default=0.3, help="seconds between those swaps")
    parser.add_argument("--usual", type=float, default=20.0, help="seconds of full load before them")
    given = parser.parse_args()
    world = World(given.hosts)
    with running_node(free_port()) as node:
        world.publish_next(node.folder)
        until(lambda: _version(node) == world.version)
        result = {
            "load_average_before": load(),
            "swaps": swaps(node, world, given.swaps, given.pause, given.usual),
            "soak": soak(node, world, given.requests, given.at_most, given.swap_every, given.checked),
            "load_average_after": load(),
        }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
