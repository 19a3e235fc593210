"""A process that reads the bodies that expand, and reports how much memory that took.

``python -m tests.hostile.measuring FOLDER``: FOLDER has the body of each case that expands, under its number.
Writes one line of JSON a case: ``number``, ``failed`` (why the outcome is not the expected one, or null), ``own`` and
``children``: peak memory in bytes of this process and of the largest one it started. The first line is for good lists.
"""

from __future__ import annotations

import contextlib
import json
import resource
import sys
from pathlib import Path

import structlog

from tests.hostile.corpus import CASES
from tests.hostile.good import good
from tests.hostile.served import APART, Case, Served, check

EXPANDING: list[Case] = [case for case in CASES if case.expands]
#: Formats read beforehand, so that the memory that every list needs is not counted: libraries, caches, subprocesses.
_USUAL = ("lines", "csv", "json", *sorted(APART))


def main(folder: Path) -> None:
    """Run every case that expands."""
    for format_ in _USUAL:
        served = Served.fresh(folder / f"usual-{format_}", format_)
        served.publish(good(format_, "next.example"))
        served.close()
    _say(-1, None)
    for number, case in enumerate(EXPANDING):
        served = Served.fresh(folder / f"case-{number}", case.format, case.before, **case.feed)
        with contextlib.suppress(OSError):
            # Reset the peak (proc(5), clear_refs); where that is not permitted, it only grows.
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        failed = None
        try:
            check(served, case, folder / str(number))
        except AssertionError as error:
            failed = str(error) or "not as expected"
        served.close()
        _say(number, failed)


def _say(number: int, failed: str | None) -> None:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    own = next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM:"))
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10
    sys.stdout.write(json.dumps({"number": number, "failed": failed, "own": own, "children": children}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    main(Path(sys.argv[1]))
