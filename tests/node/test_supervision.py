"""Workers that die and are replaced; snapshots that are swapped or refused; settings of a node."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from blocklist.domain.errors import BlocklistError
from blocklist.node.supervisor import Supervisor
from tests.lookup.contract_cases import contract_snapshot
from tests.node.running import RunningNode, exchange, node, node_options, publish, received, statuses, until
from tests.snapshot.test_forward_compatibility import TOO_NEW_POINTER
from tests.support import compiled, listed, rule

GET = b"GET /v1/lookup?domain=pirate.example HTTP/1.1\r\nHost: a\r\n\r\n"


def version(running: RunningNode, host: str = "pirate.example") -> tuple[int, bool]:
    client = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
    client.request("GET", f"/v1/lookup?domain={host}")
    body = json.loads(client.getresponse().read())
    client.close()
    return body["version"], body["listed"]


def metrics(running: RunningNode) -> dict[str, float]:
    client = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
    client.request("GET", "/metrics")
    lines = client.getresponse().read().decode().splitlines()
    client.close()
    return {name: float(value) for name, value in (x.rsplit(" ", 1) for x in lines if not x.startswith("#"))}


def small(number: int) -> bytes:
    return compiled([listed(rule(f"v{number}.example"))], version=number)


def test_a_killed_worker_is_replaced_within_a_second_and_its_counts_continue(tmp_path: Path) -> None:
    publish(tmp_path, contract_snapshot(), 7)
    with node(tmp_path) as running:
        for _ in range(5):
            assert version(running) == (7, True)
        until(lambda: metrics(running)['blocklist_lookups_total{policy="default",verdict="listed"}'] == 5)
        (before,) = running.workers()
        time.sleep(1.1)  # a worker that ends within a second of its start is replaced only after another second
        os.kill(before, signal.SIGKILL)
        # The listening socket stays open: a client that connects now waits and is answered.
        started = time.monotonic()
        assert version(running) == (7, True)
        assert time.monotonic() - started < 5
        assert running.workers() != [before]
        assert metrics(running)['blocklist_lookups_total{policy="default",verdict="listed"}'] == 6


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    publish(tmp_path, contract_snapshot(), 7)
    program = (
        "import sys, time\n"
        "from blocklist.node.supervisor import Supervisor\n"
        "from tests.node.running import node_options\n"
        f"s = Supervisor('127.0.0.1:0', 2, node_options({str(tmp_path)!r})); s.start()\n"
        "print(*(w.process.pid for w in s._workers), flush=True); time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    workers = [int(word) for word in parent.stdout.readline().split()]
    assert len(workers) == 2
    parent.kill()
    parent.wait()
    parent.stdout.close()

    def gone(pid: int) -> bool:
        with contextlib.suppress(OSError):
            return "zombie" in Path(f"/proc/{pid}/status").read_text()
        return True

    until(lambda: all(map(gone, workers)))


def test_every_worker_serves_a_new_snapshot_within_a_second(tmp_path: Path) -> None:
    publish(tmp_path, small(1), 1)
    with node(tmp_path, workers=2) as running:
        for number in range(2, 5):
            publish(tmp_path, small(number), number)
            published = time.monotonic()
            until(lambda: all(version(running, f"v{number}.example") == (number, True) for _ in range(8)), 5)  # noqa: B023
            assert time.monotonic() - published < 3  # a second, plus time for a busy machine


def test_no_request_fails_while_snapshots_are_swapped(tmp_path: Path) -> None:
    publish(tmp_path, small(1), 1)
    with node(tmp_path) as running:
        ended, asked, failures = threading.Event(), [0], []

        def ask() -> None:
            client = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
            seen = 0
            while not ended.is_set():
                client.request("GET", "/v1/lookup?domain=clean.example")
                answer = client.getresponse()
                body = json.loads(answer.read())
                if answer.status != 200 or body["version"] < seen:
                    failures.append(body)
                seen = body["version"]
                asked[0] += 1
            client.close()

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for number in range(2, 22):
            old = publish(tmp_path, small(number), number)
            time.sleep(0.1)
            old.exists()
        until(lambda: version(running)[0] == 21)
        ended.set()
        for thread in threads:
            thread.join()
        assert not failures and asked[0] > 100
        assert metrics(running)["blocklist_swaps_total"] >= 5


@pytest.mark.parametrize("what", ["damaged", "cut", "older", "missing", "no pointer", "newer pointer"])
def test_a_bad_snapshot_is_refused_and_the_old_one_continues_to_serve(tmp_path: Path, what: str) -> None:
    publish(tmp_path, small(5), 5)
    with node(tmp_path) as running:
        data = bytearray(small(6))
        if what == "damaged":
            data[-40] ^= 1
        if what == "cut":
            del data[len(data) // 2 :]
        path = publish(tmp_path, small(4) if what == "older" else bytes(data), 4 if what == "older" else 6)
        if what == "missing":
            path.unlink()
            publish(tmp_path, bytes(data), 6).unlink()
        if what == "no pointer":
            (tmp_path / "current.json").write_text("{")
        if what == "newer pointer":
            (tmp_path / "current.json").write_text(TOO_NEW_POINTER)
        until(lambda: metrics(running)["blocklist_refused_snapshots_total"] >= 1)
        assert version(running, "v5.example") == (5, True)
        publish(tmp_path, small(9), 9)
        until(lambda: version(running, "v9.example") == (9, True))


def test_a_request_under_way_is_answered_before_the_node_stops(tmp_path: Path) -> None:
    publish(tmp_path, contract_snapshot(), 7)
    with node(tmp_path) as running:
        batch = json.dumps({"items": ["https://pirate.example/a?b=%20c"] * 10_000}).encode()
        with running.connect() as client:
            client.sendall(b"POST /v1/lookup HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(batch) + batch)
            time.sleep(0.02)
            threading.Thread(target=running.supervisor.stop).start()
            answer = received(client)
        assert statuses(answer) == [200]
        assert answer.count(b'"verdict":"listed"') == 10_000


def test_a_replaced_snapshot_is_unmapped(tmp_path: Path) -> None:
    def mapped() -> set[str]:
        (worker,) = running.workers()
        lines = Path(f"/proc/{worker}/maps").read_text().splitlines()
        return {line.rpartition("/")[2][:8] for line in lines if ".snapshot" in line}

    publish(tmp_path / "snapshots", contract_snapshot(), 7)
    with node(tmp_path / "snapshots") as running:
        batch = b'{"items": ["pirate.example"]}'
        asked = b"POST /v1/lookup HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(batch) + batch
        for version in range(8, 11):
            assert statuses(exchange(running, GET + asked + GET.replace(b" HTTP", b"&explain=1 HTTP"))) == [200] * 3
            publish(tmp_path / "snapshots", compiled([listed(rule("pirate.example"))], version=version), version)
            until(lambda version=version: mapped() == {f"{version:08}"})  # type: ignore[misc]


def test_a_unix_socket_answers_and_is_removed_at_the_end(tmp_path: Path) -> None:
    import socket

    publish(tmp_path / "snapshots", contract_snapshot(), 7)
    path = tmp_path / "node.sock"
    with node(tmp_path / "snapshots", workers=2, unix_socket=str(path)), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(GET)
        assert b'"listed":true' in client.recv(4096)
    assert not path.exists()


def test_a_configured_token_is_required(tmp_path: Path) -> None:
    publish(tmp_path / "snapshots", contract_snapshot(), 7)
    (tmp_path / "token").write_text("correct-horse\n")
    with node(tmp_path / "snapshots", token_file=str(tmp_path / "token")) as running:
        right = GET[:-2] + b"Authorization: Bearer correct-horse\r\n\r\n"
        health = GET.replace(b"/v1/lookup?domain=pirate.example", b"/healthz")
        for _ in range(2):
            assert statuses(exchange(running, GET)) == [401]
            assert b"WWW-Authenticate: Bearer" in exchange(running, GET)
            assert statuses(exchange(running, right)) == [200]
            assert statuses(exchange(running, right.replace(b"horse", b"hors"))) == [401]
            # /healthz needs no token: its headers must not become known ones for other paths.
            assert statuses(exchange(running, health)) == [200]
            bid = b"POST /v1/openrtb HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
            assert statuses(exchange(running, bid)) == [401]
            allowed = bid.replace(b"Content", b"Authorization: Bearer correct-horse\r\nContent")
            assert statuses(exchange(running, allowed)) == [200]
        assert statuses(exchange(running, GET.replace(b"/v1/lookup?domain=pirate.example", b"/metrics"))) == [401]


def test_pages_of_a_configured_origin_may_read_answers(tmp_path: Path) -> None:
    publish(tmp_path, contract_snapshot(), 7)
    with node(tmp_path, cors_origins=("https://ads.example",)) as running:
        ours = GET[:-2] + b"Origin: https://ads.example\r\n\r\n"
        for _ in range(2):
            assert b"Access-Control-Allow-Origin: https://ads.example\r\n" in exchange(running, ours)
            assert b"Access-Control-Allow-Origin" not in exchange(running, ours.replace(b"ads.", b"bad."))
        asked = b"OPTIONS /v1/openrtb HTTP/1.1\r\nHost: a\r\nOrigin: https://ads.example\r\n\r\n"
        preflight = exchange(running, asked)
        assert statuses(preflight) == [204] and b"Access-Control-Allow-Methods" in preflight


def test_connections_beyond_the_limit_get_503(tmp_path: Path) -> None:
    publish(tmp_path, contract_snapshot(), 7)
    with node(tmp_path, max_connections=2) as running:
        held = [running.connect(), running.connect()]
        until(lambda: running.supervisor.scoreboard.read(0).get("values", {}).get("connections") == 2)
        with running.connect() as third:
            assert received(third).startswith(b"HTTP/1.1 503 ")
        for client in held:
            client.close()


def test_a_node_that_cannot_start_says_why(tmp_path: Path) -> None:
    with (
        pytest.raises(BlocklistError, match=r"lookup.token_file: .* cannot be read"),
        node(tmp_path, token_file=str(tmp_path / "nowhere")),
    ):
        pass
    with node(tmp_path) as running, pytest.raises(OSError, match="in use"):
        Supervisor(f"127.0.0.1:{running.port}", 1, node_options(tmp_path))


def test_metrics_are_summed_over_all_workers(tmp_path: Path) -> None:
    publish(tmp_path, contract_snapshot(), 7)
    with node(tmp_path, workers=2) as running:
        for _ in range(10):
            version(running)
        exchange(running, b"rubbish\r\n\r\n")

        def counted() -> bool:
            body = metrics(running)
            return (
                body['blocklist_lookups_total{policy="default",verdict="listed"}'] == 10
                and body["blocklist_bad_requests_total"] == 1
                and body['blocklist_snapshot_version{worker="0"}'] == 7
                and body['blocklist_snapshot_version{worker="1"}'] == 7
            )

        until(counted)
