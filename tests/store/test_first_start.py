"""Several processes open a new data folder at the same time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_OPEN = "import sys; from pathlib import Path; from blocklist.store import Store; Store(Path(sys.argv[1])).close()"


def test_processes_that_open_a_new_folder_at_once_all_succeed(tmp_path: Path) -> None:
    path = tmp_path / "blocklist.db"
    started = [
        subprocess.Popen([sys.executable, "-c", _OPEN, str(path)], stderr=subprocess.PIPE, text=True) for _ in range(6)
    ]
    ended = [(process.communicate(timeout=60)[1], process.returncode) for process in started]
    assert ended == [("", 0)] * 6
