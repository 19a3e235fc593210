"""Several processes open a new data folder at the same time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_OPEN = """
import sys
from pathlib import Path
from blocklist.store import Store
print("ready", flush=True)
sys.stdin.read()
Store(Path(sys.argv[1])).close()
"""


def test_processes_that_open_a_new_folder_at_once_all_succeed(tmp_path: Path) -> None:
    for attempt in range(3):
        command = [sys.executable, "-c", _OPEN, str(tmp_path / str(attempt) / "blocklist.db")]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started = [subprocess.Popen(command, text=True, **pipes) for _ in range(6)]  # type: ignore[call-overload]
        for process in started:
            assert process.stdout.readline() == "ready\n"
        for process in started:
            process.stdin.close()
        assert [(process.wait(60), process.stderr.read()) for process in started] == [(0, "")] * 6
        for process in started:
            process.stdout.close()
            process.stderr.close()
