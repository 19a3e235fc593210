"""kill -9 at each stage, and an error or a kill at each write, sync and rename: old or new, never between.

What is left after each, and that the next run succeeds, is examined in :mod:`tests.hostile.failing`. The suite tries
some of the many writes and syncs of the database's log; ``BLOCKLIST_TEST_ALL_WRITES=1`` tries every one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.hostile.failing import STAGES, WHEN, prepare

ALL = os.environ.get("BLOCKLIST_TEST_ALL_WRITES") == "1"
#: System calls, how many a refresh makes at most, and the errors that a disk answers them with.
CALLS = {
    "fsync": (7, "EIO"),
    "rename": (5, "EIO"),
    "fdatasync": (22, "EIO"),
    "write": (12, "ENOSPC"),
    "pwrite64": (110, "ENOSPC"),
}
#: Of the many writes of the database's log, every so many.
STEP = {"fdatasync": 3, "pwrite64": 16, "write": 1}


@dataclass(frozen=True)
class Outcome:
    """What came of a point: the call that was hit, as strace shows it, or None; and what the process said."""

    hit: str | None
    told: dict[str, Any]


def run(folder: Path, points: list[str], *tracer: str) -> list[dict[str, Any]]:
    prepare(folder)
    command = [*tracer, sys.executable, "-m", "tests.hostile.failing", str(folder), *points]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3_000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_killed_at_any_stage_a_run_leaves_the_old_list_or_the_new_and_the_next_one_succeeds(tmp_path: Path) -> None:
    for told in run(tmp_path, [f"stage:{stage}" for stage in STAGES]):
        assert told["ended"] == -9, told
        assert told["wrong"] is None, f"{told['point']}: {told['wrong']}"


def traced(folder: Path, how: str, points: list[str]) -> list[Outcome]:
    """Try points, each with its call failing (``error``) or killing the process (``signal``)."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    if subprocess.run([strace, "-qq", "-o", os.devnull, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let strace trace (ptrace)")
    harm = {"error": lambda call: f"error={CALLS[call][1]}", "signal": lambda _: "signal=KILL"}[how]
    faults = [f"--inject={call}:{harm(call)}:when={WHEN[call]}" for call in CALLS]
    log = folder / "trace"
    # Quicker by far, but with it strace (6.1) injects no signals.
    quick = ["--seccomp-bpf"] if how == "error" else []
    command = (strace, "-f", "-y", "-qq", *quick, "-o", str(log), f"--trace={','.join(CALLS)}", *faults)
    told = run(folder, points, *command)
    hits = {}
    for line in log.read_text(errors="replace").splitlines():
        process, _, call = line.partition(" ")
        if "INJECTED" in line or (how == "signal" and "unfinished" not in line and "+++" not in line):
            hits[int(process)] = call
    return [
        Outcome(hits.get(item["process"]) if item["ended"] == -9 or how == "error" else None, item) for item in told
    ]


def points() -> list[str]:
    return [
        f"{call}:{number}"
        for call, (most, _) in CALLS.items()
        for number in range(1, most + 1, 1 if ALL else STEP.get(call, 1))
    ]


@pytest.mark.timeout(1_800)
def test_an_error_at_any_write_sync_or_rename_leaves_the_old_list_or_the_new(tmp_path: Path) -> None:
    hit = []
    for outcome in traced(tmp_path, "error", points()):
        told = outcome.told
        assert told["wrong"] is None, f"{outcome.hit}: {told['said']}: {told['wrong']}"
        assert told["ended"] in (0, 1, 2), told
        assert "fault of the service" not in told["said"], f"{outcome.hit}: {told['said']}"
        if outcome.hit:
            hit.append(outcome.hit)
        else:
            assert told["ended"] == 0, told
    _covers(hit)


@pytest.mark.timeout(1_800)
def test_killed_at_any_write_sync_or_rename_a_run_leaves_the_old_list_or_the_new(tmp_path: Path) -> None:
    hit = []
    for outcome in traced(tmp_path, "signal", points()):
        told = outcome.told
        assert told["wrong"] is None, f"{outcome.hit}: {told['wrong']}"
        assert told["ended"] in (0, -9), told
        if told["ended"] == -9:
            assert outcome.hit, told
            hit.append(outcome.hit)
    _covers(hit)


def _covers(hit: list[str]) -> None:
    """See that each call was hit, and each kind of file."""
    for call in CALLS:
        assert any(text.startswith(f"{call}(") for text in hit), call
    files = (
        "incoming/run-",
        "bodies/",
        "readings/",
        "blocklist.db-wal",
        "snapshots/version-",
        "snapshots/current",
        "snapshots>",
    )
    for file in files:
        assert any(re.search(re.escape(file), text) for text in hit), file
