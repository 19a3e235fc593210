"""What is measured side by side: each peer's files, its command, and whether it covers a host."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rcode
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from bench.asking import cpu_seconds, family, pss, redis_member
from bench.plain_flask import fill
from tests.e2e.running import free_port

ZONE = "listed.test"
#: Names that exist for redis-benchmark, which makes its own: one in ten of those it draws from.
REDIS_DRAWN = 1_000_000

_NGINX = """
worker_processes {workers}; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
    access_log off; keepalive_requests 1000000000;
    map_hash_max_size 4000000; map_hash_bucket_size 128;
    map $arg_domain $listed {{ hostnames; default false; include {folder}/map; }}
    server {{
        listen 127.0.0.1:{port} reuseport;
        location / {{
            default_type application/json;
            return 200 '{{"listed":$listed,"version":1,"stale":false}}';
        }}
    }}
}}
"""

#: Without a root of its own, unbound would ask the internet for names that are not listed.
_UNBOUND = """
server:
    interface: 127.0.0.1@{port}
    do-daemonize: no
    chroot: ""
    username: ""
    directory: "{folder}"
    pidfile: ""
    use-syslog: no
    module-config: "respip iterator"
rpz:
    name: bench.rpz
    zonefile: "{folder}/rpz"
remote-control:
    control-enable: no
auth-zone:
    name: "."
    zonefile: "{folder}/root"
    for-upstream: no
"""
_SOA = "@ 60 IN SOA localhost. root.localhost. 1 60 60 60 60\n@ 60 IN NS localhost.\n"


@dataclass
class Peer:
    """A server that runs."""

    name: str
    asked_by: str
    port: int
    process: subprocess.Popen[bytes]
    first_answer: float = 0.0

    def memory(self) -> float:
        """Return the proportional memory of all its processes, in MiB."""
        return pss(family(self.process.pid))

    def cpu(self) -> float:
        return cpu_seconds(self.process.pid)

    def covers(self, host: str) -> bool | None:
        """Return what it says of a host, or None while it says nothing.

        :raises OSError: it does not answer.
        """
        return _COVERS[self.asked_by](self.port, host)


def _over_http(port: int, host: str) -> bool | None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/lookup?domain={host}", timeout=5) as answer:
        return bool(json.load(answer)["listed"])


def _over_redis(port: int, host: str) -> bool | None:
    """Ask for every name above the host: SISMEMBER knows no suffixes."""
    labels = host.split(".")
    with redis.Redis(port=port) as client:
        try:
            return any(client.sismember("listed", ".".join(labels[start:])) for start in range(len(labels)))
        except redis.exceptions.RedisError:
            return None


def _over_dns(port: int, host: str, zone: str = "") -> bool | None:
    question = dns.message.make_query(f"{host}.{zone}" if zone else host, "A")
    try:
        answer = dns.query.udp(question, "127.0.0.1", port=port, timeout=0.5)
    except dns.exception.DNSException:
        return None
    refused = answer.rcode() == dns.rcode.NXDOMAIN
    if not refused and not answer.answer:
        return None
    return not refused if zone else refused


_COVERS: dict[str, Callable[[int, str], bool | None]] = {
    "http": _over_http,
    "redis": _over_redis,
    "dns": _over_dns,
    "dnsbl": lambda port, host: _over_dns(port, host, ZONE),
}


def _node(folder: Path, port: int, workers: int) -> list[str]:
    command = [sys.executable, "-m", "blocklist", "--data-dir", str(folder / "data"), "serve"]
    return [
        *command,
        *("--control", f"127.0.0.1:{free_port()}", "--lookup", f"127.0.0.1:{port}", "--workers", str(workers)),
    ]


def _nginx(folder: Path, port: int, workers: int) -> list[str]:
    path = folder / f"nginx-{workers}.conf"
    path.write_text(_NGINX.format(folder=folder, port=port, workers=workers))
    return ["nginx", "-c", str(path)]


def _gunicorn(application: str) -> Callable[[Path, int, int], list[str]]:
    def command(_: Path, port: int, workers: int) -> list[str]:
        options = [
            "-w",
            str(workers),
            "-k",
            "gthread",
            "--threads",
            "4",
            "--keep-alive",
            "60",
            "--log-level",
            "warning",
        ]
        gunicorn = [sys.executable, "-m", "gunicorn", *options, "-b", f"127.0.0.1:{port}"]
        return [*gunicorn, f"bench.plain_flask:{application}()"]

    return command


def _redis(folder: Path, port: int, _: int) -> list[str]:
    return ["redis-server", "--port", str(port), "--save", "", "--dir", str(folder), "--dbfilename", "redis.rdb"]


def _unbound(folder: Path, port: int, _: int) -> list[str]:
    (folder / "unbound.conf").write_text(_UNBOUND.format(port=port, folder=folder))
    return ["unbound", "-d", "-p", "-c", str(folder / "unbound.conf")]


def _rbldnsd(folder: Path, port: int, _: int) -> list[str]:
    return ["rbldnsd", "-n", "-b", f"127.0.0.1/{port}", f"{ZONE}:dnset:{folder}/rbl"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A peer that may be installed."""

    name: str
    program: str
    asked_by: str
    command: Callable[[Path, int, int], list[str]]
    says: str


KINDS = (
    Kind("node", "taskset", "http", _node, "`blocklist serve --workers 1`, the control plane included"),
    Kind("nginx", "nginx", "http", _nginx, "nginx, `map` with `hostnames`"),
    Kind("flask", "taskset", "http", _gunicorn("ours"), "our Flask application on gunicorn, 4 threads"),
    Kind("plain", "taskset", "http", _gunicorn("plain"), "plain Flask and SQLite on gunicorn, 4 threads"),
    Kind("redis", "redis-server", "redis", _redis, "Redis, one `SISMEMBER`, exact names only"),
    Kind("rbldnsd", "rbldnsd", "dnsbl", _rbldnsd, "rbldnsd, `dnset`, over UDP"),
    Kind("unbound", "unbound", "dns", _unbound, "unbound, response policy zone, over UDP"),
)


def prepare(folder: Path, hosts: list[str], kinds: tuple[Kind, ...]) -> None:
    """Write what the peers read at their start, and publish the list on a node of ours."""
    (folder / "list.txt").write_text("".join(f"{host}\n" for host in hosts))
    ours = [sys.executable, "-m", "blocklist", "--data-dir", str(folder / "data")]
    feed = ["--file", str(folder / "list.txt"), "--format", "lines", "--authority", "Benchmark"]
    for command in (["feed", "add", "bench", *feed, "--kind", "court", "--country", "GB"], ["refresh", "bench"]):
        subprocess.run([*ours, *command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    fill(folder / "plain.db", hosts)
    write_lists(folder, hosts, kinds)
    if any(kind.name == "redis" for kind in kinds):
        _fill_redis(folder, hosts)


def write_lists(folder: Path, hosts: list[str], kinds: tuple[Kind, ...]) -> None:
    """Write the list in the forms of nginx, rbldnsd and unbound, as far as they are among the kinds."""
    folder.chmod(0o755)  # rbldnsd reads its data as a user of its own
    names = {kind.name for kind in kinds}
    if "nginx" in names:
        (folder / "map").write_text("".join(f".{host} true;\n" for host in hosts))
    if "rbldnsd" in names:
        (folder / "rbl").write_text(":127.0.0.2:listed\n" + "".join(f".{host}\n" for host in hosts))
    if "unbound" in names:
        (folder / "rpz").write_text(
            "$ORIGIN bench.rpz.\n" + _SOA + "".join(f"{host} CNAME .\n*.{host} CNAME .\n" for host in hosts)
        )
        (folder / "root").write_text("$ORIGIN .\n" + _SOA + "* 60 IN A 192.0.2.1\n")


def _fill_redis(folder: Path, hosts: list[str]) -> None:
    """Let Redis write its own file, which it reads at its start."""
    port = free_port()
    process = subprocess.Popen(_redis(folder, port, 1), stdout=subprocess.DEVNULL)
    try:
        members = [*hosts, *(redis_member(number) for number in range(0, REDIS_DRAWN, 10))]
        with redis.Redis(port=port, retry=Retry(NoBackoff(), 0)) as client:
            _until(lambda: _pings(client), process)
            for start in range(0, len(members), 10_000):
                client.sadd("listed", *members[start : start + 10_000])
            client.save()
    finally:
        process.terminate()
        process.wait()


def _pings(client: redis.Redis) -> bool:
    with contextlib.suppress(redis.exceptions.RedisError):
        return bool(client.ping())
    return False


def _until(ready: Callable[[], bool], process: subprocess.Popen[bytes]) -> float:
    """Wait until something is so; return the seconds."""
    began = time.perf_counter()
    while not ready():
        if process.poll() is not None or time.perf_counter() - began > 300:
            sys.exit(f"{process.args!r} gives no answer")
        time.sleep(0.01)
    return time.perf_counter() - began


@contextlib.contextmanager
def running(kind: Kind, folder: Path, listed: str, processors: str = "0", workers: int = 1) -> Iterator[Peer]:
    """Start a peer on some processors, wait for its first right answer, and stop it at the end."""
    port = free_port()
    command = ["taskset", "-c", processors, *kind.command(folder, port, workers)]
    env = os.environ | {"BENCH_FOLDER": str(folder)}
    with (folder / f"{kind.name}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=env)
    peer = Peer(kind.name, kind.asked_by, port, process)
    try:
        peer.first_answer = _until(lambda: _covers(peer, listed), process)
        yield peer
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
        if process.poll() is None:
            process.kill()
            process.wait()


def _covers(peer: Peer, host: str) -> bool:
    with contextlib.suppress(OSError):
        return peer.covers(host) is True
    return False


def installed() -> tuple[tuple[Kind, ...], list[str]]:
    """Return the peers that can run here, and the names of those left out.

    :raises SystemExit: what every measurement needs is missing.
    """
    missing = [program for program in ("taskset", "wrk") if not shutil.which(program)]
    if missing:
        sys.exit(f"missing: {', '.join(missing)}")
    kinds = tuple(kind for kind in KINDS if shutil.which(kind.program))
    return kinds, [kind.says for kind in KINDS if kind not in kinds]


def request_of(kind: str, host: str, number: int) -> bytes:
    """Return one request in the bytes of a peer that is asked over sockets of our own."""
    if kind == "redis":
        return b"*3\r\n$9\r\nSISMEMBER\r\n$6\r\nlisted\r\n$%d\r\n%b\r\n" % (len(host), host.encode())
    labels = (f"{host}.{ZONE}" if kind == "dnsbl" else host).encode().split(b".")
    # Not dnspython: it takes fifty microseconds for each of 300,000.
    name = b"".join(b"%c%b" % (len(label), label) for label in labels)
    return struct.pack(">6H", number % 65_536, 0x0100, 1, 0, 0, 0) + name + b"\0\0\1\0\1"


def socket_kind(asked_by: str) -> socket.SocketKind:
    return socket.SOCK_STREAM if asked_by == "redis" else socket.SOCK_DGRAM
