"""Measure a refresh from bytes to a served snapshot, beside what else an operator could do with the same list.

    python -m bench.ingest [--entries 1000000]

Peers in the same run: a bare SQLite table filled with ``executemany`` (the least that keeps a list on disk), and nginx
reading the list as a ``map``, unbound as a response policy zone and rbldnsd, from their start to their first right
answer (those that are installed). Prints one JSON object; times in seconds, memory in MiB. The
figures that count are the ratios: how long this machine takes is this machine's business.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rcode

PARTS = ("mo", "vi", "tor", "rent", "str", "eam", "pi", "rate", "flix", "hd", "free", "watch", "anime", "sport", "live")
ENDINGS = ("com", "net", "org", "io", "ru", "co.uk", "com.br", "info", "tv", "cc", "me", "xyz", "site", "online", "app")

BARE_SQLITE = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[2])
database.execute("PRAGMA journal_mode = WAL")
database.execute("CREATE TABLE sites (host TEXT PRIMARY KEY)")
with open(sys.argv[1]) as lines, database:
    database.executemany("INSERT OR IGNORE INTO sites VALUES (?)", ((line.strip(),) for line in lines))
"""

NGINX = """
worker_processes 1; error_log {folder}/error.log; pid {folder}/nginx.pid;
events {{}}
http {{
    map_hash_max_size 4000000; map_hash_bucket_size 128;
    map $arg_domain $listed {{ hostnames; default false; include {folder}/map; }}
    server {{ listen 127.0.0.1:1; return 200 $listed; }}
}}
"""


def hosts(count: int) -> list[str]:
    """Return so many distinct host names, the same in every run."""
    rng = random.Random(7)
    seen: dict[str, None] = {}
    while len(seen) < count:
        name = "".join(rng.choice(PARTS) for _ in range(rng.randint(2, 5)))
        seen[f"{name}-{rng.randint(10000, 99999999)}.{rng.choice(ENDINGS)}"] = None
    return list(seen)


def measured(command: list[str], env: dict[str, str] | None = None) -> tuple[float, float]:
    """Run a command; return the seconds it took and the most memory it had, in MiB."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env)
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - began
    if status:
        assert process.stderr
        sys.exit(f"{command[0]} failed: {process.stderr.read().decode()}")
    return took, usage.ru_maxrss / 1024


UNBOUND = """
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
"""


def first_answer(command: list[str], port: int, name: str, kind: str) -> tuple[float, float]:
    """Start a DNS server and return the seconds to its first right answer, and the memory it has then, in MiB."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    question = dns.message.make_query(name, kind)
    try:
        while time.perf_counter() - began < 300:
            with contextlib.suppress(dns.exception.DNSException, OSError):
                answer = dns.query.udp(question, "127.0.0.1", port=port, timeout=0.2)
                if answer.answer or answer.rcode() == dns.rcode.NXDOMAIN:
                    took = time.perf_counter() - began
                    status = Path(f"/proc/{process.pid}/status").read_text()
                    return took, int(status.partition("VmHWM:")[2].split()[0]) / 1024
            if process.poll() is not None:
                break
            time.sleep(0.02)
        sys.exit(f"{command[0]} gave no answer")
    finally:
        process.kill()
        process.wait()


def dns_peers(listed: list[str], folder: Path) -> dict[str, float]:
    """Load the list into unbound (RPZ) and rbldnsd, where they are installed."""
    result: dict[str, float] = {}
    asked = listed[len(listed) // 2]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    if shutil.which("unbound"):
        zone = "$TTL 60\n@ SOA localhost. root.localhost. 1 60 60 60 60\n@ NS localhost.\n"
        (folder / "rpz").write_text(zone + "".join(f"{host} CNAME .\n" for host in listed))
        (folder / "unbound.conf").write_text(UNBOUND.format(port=port, folder=folder))
        command = ["unbound", "-d", "-p", "-c", str(folder / "unbound.conf")]
        result["unbound_load_seconds"], result["unbound_load_memory_mib"] = first_answer(command, port, asked, "A")
    if shutil.which("rbldnsd"):
        (folder / "rbl").write_text(":127.0.0.2:listed\n" + "".join(f".{host}\n" for host in listed))
        command = ["rbldnsd", "-n", "-b", f"127.0.0.1/{port}", f"bl.test:dnset:{folder}/rbl"]
        took = first_answer(command, port, f"{asked}.bl.test", "A")
        result["rbldnsd_load_seconds"], result["rbldnsd_load_memory_mib"] = took
    return result


def main() -> None:
    """Measure, and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000)
    entries = parser.parse_args().entries
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    # rbldnsd reads its data as a user of its own.
    folder.chmod(0o755)
    try:
        print(json.dumps(_measure(entries, folder)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measure(entries: int, folder: Path) -> dict[str, float]:
    listed = hosts(entries)
    path = folder / "list.txt"
    path.write_text("\n".join(listed) + "\n")
    ours = [sys.executable, "-m", "blocklist", "--data-dir", str(folder / "data")]
    court = ["--authority", "Benchmark", "--kind", "court", "--country", "GB"]
    measured([*ours, "feed", "add", "bench", "--file", str(path), "--format", "lines", *court])
    full, full_memory = measured([*ours, "refresh", "bench"])
    again, _ = measured([*ours, "refresh", "bench"])
    hundredth = max(1, entries // 100)
    path.write_text("\n".join([*listed[hundredth:], *(f"new-{n}.example" for n in range(hundredth))]) + "\n")
    churn, churn_memory = measured([*ours, "refresh", "bench"])
    bare, bare_memory = measured([sys.executable, "-c", BARE_SQLITE, str(path), str(folder / "bare.db")])
    snapshot = next((folder / "data" / "snapshots").glob("00000002*.snapshot"))
    result = {
        "entries": entries,
        "full_seconds": full,
        "full_memory_mib": full_memory,
        "unchanged_seconds": again,
        "churn_1_percent_seconds": churn,
        "churn_memory_mib": churn_memory,
        "bare_sqlite_seconds": bare,
        "bare_sqlite_memory_mib": bare_memory,
        "full_over_bare_sqlite": full / bare,
        "unchanged_over_full": again / full,
        "churn_over_full": churn / full,
        "snapshot_bytes_per_host": snapshot.stat().st_size / entries,
    }
    if shutil.which("nginx"):
        (folder / "map").write_text("".join(f".{host} true;\n" for host in listed))
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder))
        nginx, nginx_memory = measured(["nginx", "-t", "-q", "-c", str(folder / "nginx.conf")])
        result |= {
            "nginx_load_seconds": nginx,
            "nginx_load_memory_mib": nginx_memory,
            "full_over_nginx_load": full / nginx,
        }
    result |= dns_peers(listed, folder)
    return {name: round(value, 3) for name, value in result.items()}


if __name__ == "__main__":
    main()
