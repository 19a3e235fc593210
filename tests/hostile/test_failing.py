"""kill -9 at each stage, and an error or a kill at each write, sync and rename leave the old list or the new one.

:mod:`tests.hostile.failing` examines what is left, and whether the next run succeeds. The suite tries some of the many
writes and syncs of the database's log; ``BLOCKLIST_TEST_ALL_WRITES=1`` tries every one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.hostile.failing import STAGES, WHEN, prepare

ALL = os.environ.get("BLOCKLIST_TEST_ALL_WRITES") == "1"
#: System calls, how many a refresh makes at most, and the error with which a disk fails them.
CALLS = {
    **{"fsync": (6, "EIO"), "rename": (4, "EIO"), "fdatasync": (22, "EIO")},
    **{"write": (9, "ENOSPC"), "pwrite64": (110, "ENOSPC")},
}
#: Of the calls for the database's log, only one in so many is tried.
STEP = {"fdatasync": 6, "pwrite64": 30}
#: Calls of the thread that keeps the body while the list is read.
KEEPING = [f"{call}:{number}:body" for call, number in (("write", 1), ("fsync", 1), ("rename", 1), ("fsync", 2))]
POINTS = KEEPING + [
    f"{call}:{number}"
    for call, (most, _) in CALLS.items()
    for number in range(1, most + 1, 1 if ALL else STEP.get(call, 1))
]
#: Each kind of file that a refresh writes.
FILES = (
    *("incoming/run-", "bodies/", "blocklist.db-wal", "snapshots/version-", "snapshots/current"),
    "snapshots>",
)


@dataclass(frozen=True)
class Outcome:
    """The result of a point: the call that got the fault, as strace shows it, or None; and the process's report."""

    hit: str | None
    report: dict[str, Any]


def run(folder: Path, points: list[str], *tracer: str) -> list[dict[str, Any]]:
    prepare(folder)
    command = [*tracer, sys.executable, "-m", "tests.hostile.failing", str(folder), *points]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3_000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_killed_at_any_stage_a_run_leaves_the_old_list_or_the_new_and_the_next_one_succeeds(tmp_path: Path) -> None:
    for report in run(tmp_path, [f"stage:{stage}" for stage in STAGES]):
        assert report["ended"] == -9, report
        assert report["wrong"] is None, f"{report['point']}: {report['wrong']}"


def traced(folder: Path, how: Literal["error", "signal"]) -> list[Outcome]:
    """Try every point; its call fails (``error``) or kills the process (``signal``)."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    if subprocess.run([strace, "-qq", "-o", os.devnull, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let strace trace (ptrace)")
    faults = []
    for call, (_, error) in CALLS.items():
        harm = f"error={error}" if how == "error" else "signal=KILL"
        faults.append(f"--inject={call}:{harm}:when={WHEN[call]}")
    log = folder / "trace"
    # Much faster, but with it strace (6.1) injects no signals.
    quick = ["--seccomp-bpf"] if how == "error" else []
    command = (strace, "-f", "-y", "-qq", *quick, "-o", str(log), f"--trace={','.join(CALLS)}", *faults)
    reports = run(folder, POINTS, *command)
    hits = _hits(log.read_text(errors="replace"))
    return [Outcome(hits.get(item["thread"]), item) for item in reports]


def _hits(log: str) -> dict[str, str]:
    """Return the call that got the fault, by thread."""
    hits: dict[str, str] = {}
    begun: dict[str, str] = {}
    for line in log.splitlines():
        thread, call = line.split(None, 1)
        # With several threads, a call may be shown in two parts.
        if call.endswith("<unfinished ...>"):
            begun[thread] = call.removesuffix("<unfinished ...>")
        elif call.startswith("<..."):
            call = begun.pop(thread, "") + call
        # A call in which its process was killed did not return.
        if call.endswith(("(INJECTED)", "= ?")):
            hits[thread] = call
    return hits


@pytest.mark.timeout(1_800)  # with every write it takes minutes
def test_an_error_at_any_write_sync_or_rename_leaves_the_old_list_or_the_new(tmp_path: Path) -> None:
    hit = []
    for outcome in traced(tmp_path, "error"):
        report = outcome.report
        assert report["wrong"] is None, f"{outcome.hit}: {report['said']}: {report['wrong']}"
        assert report["ended"] in (0, 1, 2), report
        assert "fault of the service" not in report["said"], f"{outcome.hit}: {report['said']}"
        if outcome.hit:
            hit.append(outcome.hit)
        else:
            assert report["ended"] == 0, report
    _covers(hit)


@pytest.mark.timeout(1_800)
def test_killed_at_any_write_sync_or_rename_a_run_leaves_the_old_list_or_the_new(tmp_path: Path) -> None:
    hit = []
    for outcome in traced(tmp_path, "signal"):
        report = outcome.report
        assert report["wrong"] is None, f"{outcome.hit}: {report['wrong']}"
        assert report["ended"] in (0, -9), report
        if report["ended"] == -9:
            assert outcome.hit, report
            hit.append(outcome.hit)
    _covers(hit)


def _covers(hit: list[str]) -> None:
    """Assert that each call and each kind of file got a fault."""
    for call in CALLS:
        assert any(text.startswith(f"{call}(") for text in hit), call
    for file in FILES:
        assert any(file in text for text in hit), file
