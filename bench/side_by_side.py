"""Refresh a hundred feeds at once and see what lookups take meanwhile, beside what they take when nothing else goes on.

    python -m bench.side_by_side [--feeds 100] [--entries 1000] [--seconds 5]

The whole service runs as its user starts it; a client asks over one connection, one lookup at a time. Prints one JSON
object: lookups asked and failed or wrong, and the 50th and 99th percentiles in microseconds before and during;
``ratio`` is that of the 99th (at most 10).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import threading
import time
from pathlib import Path

from tests.e2e.running import wait_for
from tests.e2e.side_by_side import Client, have_succeeded, resume, service_with


def percentile(took: list[float], share: float) -> float:
    """Return a percentile in microseconds."""
    return round(sorted(took)[int(len(took) * share)] * 1e6, 1)


def main() -> None:
    """Measure, and print what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--feeds", type=int, default=100)
    parser.add_argument("--entries", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=5)
    chosen = parser.parse_args()
    load = os.getloadavg()[0]
    with (
        tempfile.TemporaryDirectory() as folder,
        service_with(Path(folder), chosen.feeds, chosen.entries) as (running, lists, service, _),
    ):
        client, ended = Client(running.lookup.removeprefix("http://")), threading.Event()
        asking = threading.Thread(target=client.ask_until, args=(ended, chosen.feeds))
        asking.start()
        time.sleep(1)  # connections and caches are warm
        first = len(client.took)
        time.sleep(chosen.seconds)
        before = client.took[first:]
        begun, place = time.monotonic(), len(client.took)
        resume(service, chosen.feeds)
        wait_for(lambda: have_succeeded(service, chosen.feeds), seconds=600)
        during, seconds = client.took[place:], time.monotonic() - begun
        ended.set()
        asking.join()
    result = {
        "feeds": chosen.feeds,
        "entries": chosen.entries,
        "load_before": round(load, 1),
        "refreshed_in_seconds": round(seconds, 1),
        "fetched_at_once": lists.most_at_once,
        "lookups": len(client.took),
        "failed_or_wrong": len(client.wrong),
        "before": {"asked": len(before), "p50": percentile(before, 0.5), "p99": percentile(before, 0.99)},
        "during": {"asked": len(during), "p50": percentile(during, 0.5), "p99": percentile(during, 0.99)},
        "longest_during": round(max(during) * 1e6, 1),
        "mean_during": round(statistics.fmean(during) * 1e6, 1),
        "ratio": round(percentile(during, 0.99) / percentile(before, 0.99), 2),
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
