"""The control plane at a size: the median time of every page and list that answers GET.

``python -m bench.admin`` makes an installation with 1,000,000 open listings of 1,000 feeds, 50,000 runs and what goes
with them, serves it over HTTP on loopback, and asks each address several times. It ends with 1 where one takes longer
than allowed or does not answer. ``--folder`` keeps the installation for another run.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from flask import Flask

from bench.large import PERSON, made
from bench.nodes import load
from blocklist.config.settings import Settings
from blocklist.daemon.server import _bind
from blocklist.domain.access import Role
from blocklist.service import Service
from blocklist.snapshot.follower import Follower
from blocklist.web.app import create_app
from tests.e2e.running import free_port

#: Addresses for people who sign in; and those that examine or give everything there is, in the time that it takes.
_NOT_ASKED = ("/admin/static/", "/admin/sign-in", "/admin/set-up", "/admin/account", "/static/", "/docs/")
_EVERYTHING = ("/v1/exports/", "/v1/doctor", "/admin/audit/export", "/v1/audit/verify", "/openapi.json")
#: Queries of addresses that need one, or that are worth asking in more than one way.
_SITE = "site-777-of-500.example"
_QUERIES: dict[str, tuple[str, ...]] = {
    "/admin/lookup": ("", f"?target={_SITE}", "?target=shared-1.example", "?target=" + quote(f"https://{_SITE}/x?y=1")),
    "/admin/feeds": ("", "?state=stale", "?search=777", "?q=777"),
    "/admin/runs": ("", "?feed=feed-0500", "?outcome=failed", "?outcome=held"),
    "/admin/audit": ("", "?q=thing-77"),
    "/v1/feeds": ("", "?limit=1000"),
    "/v1/runs": ("", "?limit=1000", "?feed=feed-0500", "?outcome=failed"),
    "/v1/holds": ("", "?limit=1000"),
    "/v1/audit": ("", "?limit=1000"),
    "/v1/listings": (f"?target={_SITE}", "?target=shared-1.example"),
    "/v1/history": (f"?target={_SITE}", "?target=shared-1.example"),
    "/v1/changes": (
        "?since=2020-01-01",
        "?since=2020-01-01&limit=1000",
        "?since=1",
        "?since=2020-01-01&feed=feed-0500",
    ),
    "/v1/lookup": (f"?domain={_SITE}", "?domain=shared-1.example&explain=1"),
    "/v1/gate": ("?url=http://good.example/",),
}


def addresses(app: Flask, service: Service, feed: str = "feed-0500") -> Iterator[str]:
    """Yield every address that answers GET, its names and ids filled in, with each query that is worth asking."""
    held = service.store.runs.pending()[0].id
    ids = {"runs": held, "holds": 1, "overrides": 1, "tokens": 1}
    for rule in sorted(app.url_map.iter_rules(), key=str):
        path = str(rule)
        if "GET" not in (rule.methods or ()) or path.startswith((*_NOT_ASKED, *_EVERYTHING)) or path.endswith("/body"):
            continue
        of = next((part for part in ids if f"/{part}/" in path), "runs")
        filled = path
        for argument in rule.arguments:
            converter = f"{rule._converters[argument].__class__.__name__}".removesuffix("Converter").lower()
            named = PERSON if "/people/" in path else feed
            value = named if argument == "name" else str(ids[of])
            for written in (f"<{argument}>", f"<int:{argument}>", f"<{converter}:{argument}>"):
                filled = filled.replace(written, value)
        for query in _QUERIES.get(path, ("",)):
            yield filled + query.replace("feed-0500", feed)


def measure(base: str, asked: list[str], token: str, times: int) -> list[dict[str, Any]]:
    """Return of each address its status, size, and the median milliseconds, of the clock and of the processor."""
    found = []
    with httpx.Client(base_url=base, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
        for address in asked:
            walls, busy = [], []
            for _ in range(times + 1):
                used, began = _processor(), time.perf_counter()
                answer = client.get(address)
                walls.append(time.perf_counter() - began)
                busy.append(_processor() - used)
            row = {"address": address, "status": answer.status_code, "bytes": len(answer.content)}
            # The first request fills caches, as the first visitor does.
            medians = {"ms": statistics.median(walls[1:]) * 1e3, "cpu_ms": statistics.median(busy[1:]) * 1e3}
            found.append(row | {"first_ms": walls[0] * 1e3} | medians)
    return found


def _processor() -> float:
    """Return the processor's seconds of this process, client included."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure, and print what was measured, the slowest first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listings", type=int, default=1_000_000)
    parser.add_argument("--feeds", type=int, default=1_000)
    parser.add_argument("--times", type=int, default=7)
    parser.add_argument("--allowed", type=float, default=300, help="milliseconds")
    parser.add_argument("--folder", type=Path, help="keep the installation here, and take it from here if it is there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        folder = given.folder or Path(temporary) / "data"
        began = time.perf_counter()
        there = (folder / "blocklist.db").exists()
        service = Service(Settings(data_dir=folder)) if there else made(folder, given.feeds, given.listings)
        print(f"an installation of {given.listings:,} listings, {time.perf_counter() - began:.0f} s", file=sys.stderr)
        follower = Follower(service.snapshots.folder, 86_400)
        app = create_app(follower, service)
        _, token = service.tokens.create(Role.ADMIN, "bench")
        port = free_port()
        server = _bind(
            Settings.model_validate({"serve": {"control": f"127.0.0.1:{port}", "control_threads": 4}}), app, None
        )
        server.start()
        before = load()
        rows = measure(f"http://127.0.0.1:{port}", list(addresses(app, service)), token, given.times)
        server.stop()
        service.close()
    print(f"load {before} before, {load()} after")
    print(f"{'ms':>8}{'cpu ms':>8}{'first':>8}{'status':>8}{'kB':>8}  address")
    for row in sorted(rows, key=lambda row: -row["ms"]):
        print(
            f"{row['ms']:8.1f}{row['cpu_ms']:8.1f}{row['first_ms']:8.0f}{row['status']:8}{row['bytes'] / 1e3:8.0f}"
            f"  {row['address']}"
        )
    wrong = [row for row in rows if row["ms"] > given.allowed or row["status"] not in (200, 204, 302, 303)]
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
