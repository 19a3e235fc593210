"""A process that refreshes a feed repeatedly, each time with a fault at another point, and examines what is left.

``python -m tests.hostile.failing FOLDER POINT …``. Each point is tried in a process forked from this one: importing
everything again would take longer than all the rest.

``rename:3``: strace injects its fault into a certain call of each thread (:data:`WHEN`). The main one makes that many
less three beforehand, of a file that nobody needs, so that the third one of the refresh is hit. ``rename:1:body`` is
the first one of the thread that keeps the body. ``stage:guard``: the process kills itself where that stage begins.

Writes one line of JSON a point: ``point``, ``thread`` (the one that was to be hit), ``ended`` (exit status, negative:
the signal), ``said``, ``doctor`` (what it finds wrong before anything is mended), ``wrong`` (null, or why).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from blocklist.config.settings import Settings
from blocklist.domain.errors import BlocklistError
from blocklist.domain.run import Outcome
from blocklist.fetch.body import BodyStore
from blocklist.guards.popular_hosts import popular_hosts
from blocklist.normalize.suffixes import is_public_suffix
from blocklist.refresh import guard_evaluation, retention
from blocklist.service import Service
from blocklist.snapshot.repository import SnapshotRepository
from blocklist.store.holds import Holds
from blocklist.store.runs import Runs
from blocklist.store.snapshots import Snapshots
from tests.support import definition

#: The number of the call of each kind that gets a fault: more than a refresh, its examination and its report make.
WHEN = {"fsync": 40, "rename": 30, "fdatasync": 100, "write": 400, "pwrite64": 300}
COMMON = [f"site-{number}.example" for number in range(30)]
OLD, NEW = [["old-1.example", "old-2.example"], ["new-1.example", "new-2.example", "archive.org"]]
#: The sites listed after NEW is applied; archive.org waits for a person.
NEW_LISTED = NEW[:2]
Calls = dict[str, Callable[[Path], Any]]


def _prepared(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT)


def _again(call: Callable[[int], Any], path: Path, times: int) -> None:
    file = _prepared(path)
    for _ in range(times):
        call(file)
    os.close(file)


def make(call: str, path: Path, times: int) -> None:
    """Make a system call without an effect, ``times`` times."""
    if call == "rename":
        _prepared(path)
        for _ in range(times):
            path.rename(path)
    else:
        calls: dict[str, Callable[[int], Any]] = {
            "fsync": os.fsync,
            "fdatasync": os.fdatasync,
            "write": lambda file: os.write(file, b"x"),
            "pwrite64": lambda file: os.pwrite(file, b"x", 0),
        }
        _again(calls[call], path, times)


def die(*_: Any, **__: Any) -> None:
    """End the process as kill -9 does: nothing is closed, flushed or reported."""
    os.kill(os.getpid(), signal.SIGKILL)


def _dying_at(stage: str) -> None:
    """Make this process end when a stage begins."""
    reach = Runs.reach

    def reaching(runs: Runs, id_: int, reached: Any) -> None:
        reach(runs, id_, reached)
        if reached == stage:
            die()

    elsewhere: dict[str, tuple[Any, str]] = {
        "guarding": (guard_evaluation, "judge"),
        "holding": (Holds, "keep"),
        "publish": (SnapshotRepository, "publish"),
        "pointing": (SnapshotRepository, "_point"),
        "noting": (Snapshots, "add"),
        "pruning": (retention, "prune_daily"),
        "removing": (BodyStore, "remove"),
    }
    if stage == "fetch":
        Runs.note_body = die  # type: ignore[method-assign]
    elif stage in elsewhere:
        owner, name = elsewhere[stage]
        setattr(owner, name, die)
    else:
        Runs.reach = reaching  # type: ignore[method-assign,assignment]


def _said_thread(folder: Path) -> None:
    os.writev(_prepared(folder / "thread"), [str(threading.get_native_id()).encode()])


def _harmed_while_keeping(call: str, folder: Path, times: int) -> None:
    """Make the thread that keeps the body begin with calls without an effect."""
    keep = BodyStore.keep

    def keeping(bodies: BodyStore, kept: Any) -> None:
        _said_thread(folder)
        make(call, folder / "scratch", times)
        keep(bodies, kept)

    BodyStore.keep = keeping  # type: ignore[method-assign,assignment]


STAGES = (
    *("fetch", "parse", "normalize", "diff", "guard", "guarding", "record", "holding"),
    *("publish", "pointing", "noting", "pruning", "removing"),
)


def body(*marks: str) -> bytes:
    return "".join(f"{site}\n" for site in [*COMMON, *marks]).encode()


def opened(data: Path) -> Service:
    return Service(Settings.model_validate({"data_dir": data, "evidence": {"keep_for": "1s"}}))


def prepare(folder: Path) -> None:
    """Create the data folder that every point begins with: a list that is about to change, and a body to prune."""
    service = opened(folder / "template")
    service.feeds.add(definition("court"), "tester")
    for number, marks in enumerate((OLD, [*OLD, "gone.example"], OLD)):
        path = folder / f"before-{number}"
        path.write_bytes(body(*marks))
        assert service.runs.refresh("court", "tester", file=path).outcome is Outcome.APPLIED
    with service.store.database.transaction():
        service.store.database.execute("UPDATE runs SET started_at = '2026-01-01T00:00:00Z'")
        service.store.database.execute("DELETE FROM upkeep")
    service.close()
    (folder / "new").write_bytes(body(*NEW))


def attempt(point: str, data: Path, folder: Path) -> int:
    """Refresh from the new list with a fault at a point; return an exit status."""
    kind, which, *thread = point.split(":")
    if kind == "stage":
        _dying_at(which)
    elif thread:
        _harmed_while_keeping(kind, folder, WHEN[kind] - int(which))
    else:
        _said_thread(folder)
        make(kind, folder / "scratch", WHEN[kind] - int(which))
    try:
        service = opened(data)
        service.recover()
        run = service.runs.refresh("court", "tester", file=folder / "new")
        service.close()
    except BlocklistError as error:
        return _said(folder, f"failed: {error}", 2)
    return _said(folder, f"{run.outcome}: {run.reason}", 0 if run.outcome is Outcome.APPLIED else 1)


def _said(folder: Path, text: str, status: int) -> int:
    # With a system call that is not among those that are counted.
    os.writev(_prepared(folder / "said"), [text.encode()])
    return status


def examine(data: Path, folder: Path) -> None:
    """Assert that what is left is old or new, that the doctor reports it, and that the next run succeeds."""
    service = opened(data)
    findings = [finding for finding in service.doctor.diagnose() if not finding.ok]
    (folder / "doctor").write_text("; ".join(f"{item.check}: {item.found} ({item.mend})" for item in findings))
    assert all(item.mend for item in findings)
    assert service.store.database.check() == []
    recorded, published = _which(_recorded(service)), _which(_published(service))
    assert (recorded, published) != ("old", "new"), "the snapshot is ahead of the database"
    if recorded != published:
        assert "lags behind" in (folder / "doctor").read_text()
    service.recover()
    assert _which(_published(service)) == recorded, "the next start publishes what was recorded"
    run = service.runs.refresh("court", "tester", file=folder / "new")
    assert run.outcome is (Outcome.APPLIED if recorded == "old" else Outcome.UNCHANGED), run.reason
    assert _which(_recorded(service)) == _which(_published(service)) == "new"
    assert [hold.rule.value for hold in service.store.holds.all("court", None)] == ["archive.org"]
    assert [item.check for item in service.doctor.diagnose() if not item.ok] == ["entries of court"]
    assert all(run.outcome for run in service.store.runs.all(limit=100))
    with service.refresher.bodies.open(service.store.runs.all(limit=1)[0].body_sha256 or "") as kept:
        assert kept.read() == body(*NEW)
    service.close()
    left = [path for path in data.rglob("*") if path.suffix == ".part" or path.name.startswith("run-")]
    assert not left, left


def _recorded(service: Service) -> set[str]:
    return {row[0] for row in service.store.database.tuples("SELECT value FROM listings WHERE closed_by = 0")}


def _published(service: Service) -> set[str]:
    snapshot = service.snapshots.current()
    snapshot.verify()
    return {site for site in [*COMMON, *OLD, *NEW] if snapshot.lookup(site).listed}


def _which(listed: set[str]) -> str:
    known = {frozenset([*COMMON, *OLD]): "old", frozenset([*COMMON, *NEW_LISTED]): "new"}
    assert frozenset(listed) in known, f"between old and new: {sorted(listed - set(COMMON))}, {len(listed)}"
    return known[frozenset(listed)]


def forked(work: Callable[[], int | None]) -> tuple[int, str]:
    """Do work in a forked process; return its exit status and the traceback of its error."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        status = 3
        try:
            status = work() or 0
        except BaseException:
            os.write(writing, traceback.format_exc()[-3_000:].encode())
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        error = pipe.read().decode()
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), error


def main(folder: Path, points: list[str]) -> None:
    """Try each point."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    # Otherwise each process would read them, which takes longer than a refresh.
    popular_hosts()
    is_public_suffix("pirate.example")
    for point in points:
        sys.stdout.write(json.dumps({"point": point} | tried(folder, point)) + "\n")
        sys.stdout.flush()


def tried(folder: Path, point: str) -> dict[str, Any]:
    """Return the result of a point."""
    data = folder / "data"
    shutil.copytree(folder / "template", data)
    for name in ("said", "doctor", "thread"):
        (folder / name).write_text("")
    ended, broke = forked(lambda: attempt(point, data, folder))
    wrong = broke or forked(lambda: examine(data, folder))[1]
    said, doctor, thread = ((folder / name).read_text() for name in ("said", "doctor", "thread"))
    shutil.rmtree(data)
    return {"thread": thread, "ended": ended, "said": said, "doctor": doctor, "wrong": wrong or None}


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
