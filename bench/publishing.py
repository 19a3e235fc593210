"""Measure what bringing the snapshot up to date costs: whole, after one override, after 1 % of a list changed.

    python -m bench.publishing [--entries 1000000]

One process over one data folder, as the service is; times are seconds of its processor, and by the clock. Every
snapshot after a change is asked about the hosts that changed. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.ingest import hosts
from bench.nodes import load
from blocklist.domain.verdict import OverrideAction
from blocklist.service import Service
from tests.support import definition, settings_for


def timed(task: Callable[[], object]) -> dict[str, float]:
    """Run a task; return the seconds of processor and by the clock."""
    began, worked = time.perf_counter(), time.process_time()
    task()
    return {"processor": round(time.process_time() - worked, 3), "clock": round(time.perf_counter() - began, 3)}


def check(service: Service, targets: dict[str, bool]) -> None:
    """End the run if the snapshot does not say of each target whether it is listed."""
    snapshot = service.snapshots.current()
    wrong = [target for target, listed in targets.items() if snapshot.lookup(target).listed is not listed]
    if wrong:
        sys.exit(f"wrong answer for {wrong[0]}")


def measure(entries: int, folder: Path) -> dict[str, Any]:
    """Make a list, publish it, change a little, and return what each cost."""
    listed, path = hosts(entries), folder / "list.txt"
    path.write_text("\n".join(listed) + "\n")
    service = Service(settings_for(folder / "data"))
    service.feeds.add(definition("bench", source={"file": str(path)}), "bench")
    result: dict[str, Any] = {
        "entries": entries,
        "refresh_first": timed(lambda: service.runs.refresh("bench", "bench")),
    }
    result["compile_whole"] = timed(lambda: service.publisher.publish(force=True))
    result["override"] = timed(lambda: service.overrides.add(OverrideAction.BLOCK, "one.example", "bench", "bench"))
    check(service, {"www.one.example": True, listed[0]: True})
    rng = random.Random(5)
    for percent in (1, 2):
        fresh = [f"new-{percent}-{number}.example" for number in range(entries // 100)]
        places = rng.sample(range(entries), len(fresh))
        gone = [listed[place] for place in places]
        for place, host in zip(places, fresh, strict=True):
            listed[place] = host
        path.write_text("\n".join(listed) + "\n")
        costs: dict[str, Any] = {"record": timed(lambda: service.refresher.refresh("bench", "bench"))}
        costs["publish"] = timed(lambda: service.publisher.publish(confirmed=True))
        costs["changed_keys"] = service.snapshots.current().changed_keys
        result[f"after_{percent}_percent"] = costs
        check(service, dict.fromkeys(fresh, True) | dict.fromkeys(gone, False) | {"one.example": True})
    size = service.snapshots.current().path.stat().st_size
    result["snapshot_bytes_per_host"] = round(size / entries, 2)
    service.close()
    return result


def main() -> None:
    """Measure, and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000)
    entries = parser.parse_args().entries
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        before = load()
        print(json.dumps(measure(entries, Path(folder)) | {"load_before": before, "load_after": load()}, indent=1))


if __name__ == "__main__":
    main()
