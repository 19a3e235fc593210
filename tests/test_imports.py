"""What an ad server that embeds the package loads, and what it does not."""

from __future__ import annotations

import subprocess
import sys
import tempfile

import pytest

HEAVY = (
    "apscheduler",
    "click",
    "flask",
    "httpx",
    "msgspec",
    "obstore",
    "pydantic",
    "securesystemslib",
    "sqlite3",
    "sqlite_utils",
    "structlog",
    "tldextract",
    "tuf",
    "blocklist.distribution",
    "blocklist.snapshot.compile",
    "blocklist.snapshot.mirror_process",
)
PROGRAM = """
import sys
{work}
print(*sorted(name for name in {heavy!r} if name in sys.modules))
"""


def loaded(work: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(work=work, heavy=HEAVY)], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    "work",
    [
        "import blocklist",
        "import blocklist; assert blocklist.normalize_host('http://EXAMPLE.com:80/x') == 'example.com'",
        "from blocklist import Snapshot, normalize_host; assert Snapshot.open",
    ],
)
def test_importing_the_package_loads_neither_flask_nor_sqlite_nor_anything_heavy(work: str) -> None:
    assert loaded(work) == []


def test_a_worker_of_a_node_loads_nothing_heavy_either() -> None:
    # A worker reads and writes JSON with msgspec; an embedding program does neither.
    assert loaded("import blocklist.node.worker") == ["msgspec"]


def test_a_mirror_loads_no_web_framework_database_or_settings_library() -> None:
    needed = {"obstore", "securesystemslib", "tuf", "blocklist.distribution", "blocklist.snapshot.mirror_process"}
    assert set(loaded("import blocklist.distribution.mirror_loop")) == needed


def test_a_program_that_follows_remote_snapshots_loads_nothing_of_the_mirror() -> None:
    work = """
from blocklist import Follower
follower = Follower.remote('file:///nosuch', root='/nosuch', cache={cache!r})
follower.stop()
"""
    with tempfile.TemporaryDirectory() as cache:
        assert loaded(work.format(cache=cache)) == ["blocklist.snapshot.mirror_process"]


def test_the_program_that_watches_imports_sees_them() -> None:
    assert loaded("import blocklist.service") != []
    assert loaded("import sqlite3") == ["sqlite3"]
