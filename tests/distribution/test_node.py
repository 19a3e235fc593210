"""``blocklist node`` and ``Follower.remote``: real processes over a store."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from blocklist import Follower
from blocklist.cli import main
from blocklist.distribution.mirror_status import read_status
from tests.distribution.signed import Publishing
from tests.e2e.running import COMMAND, answers, free_port, wait_for

NEW = [f"new-{number}.example" for number in range(40)]


@pytest.fixture
def root(publishing: Publishing, tmp_path: Path) -> Path:
    path = tmp_path / "root.json"
    path.write_bytes(publishing.root)
    return path


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@contextmanager
def node(publishing: Publishing, root: Path, cache: Path, url: str = "") -> Iterator[tuple[subprocess.Popen[str], str]]:
    lookup = f"127.0.0.1:{free_port()}"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BLOCKLIST_")}
    with (cache.parent / "node.log").open("a") as log:
        process = subprocess.Popen(
            [*COMMAND, "node", "--from", url or publishing.address.url, "--root", str(root), "--lookup", lookup,
             "--workers", "1", "--cache", str(cache)],
            env=clean | {"BLOCKLIST_DISTRIBUTION__POLL": "0.1"}, stdout=log, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
    try:
        wait_for(lambda: answers(f"http://{lookup}/healthz"), process)
        yield process, f"http://{lookup}"
    finally:
        if process.poll() is None:
            process.terminate()
            assert process.wait(20) == 0


def version(lookup: str) -> int:
    return int(httpx.get(f"{lookup}/v1/lookup", params={"domain": NEW[0]}, trust_env=False).json().get("version", 0))


def is_listed(lookup: str, site: str) -> bool:
    return bool(httpx.get(f"{lookup}/v1/lookup", params={"domain": site}, trust_env=False).json()["listed"])


def status(cache: Path) -> Result:
    return CliRunner().invoke(main, ["node", "status", "--cache", str(cache), "--json"])


def test_a_node_follows_a_store_survives_kills_and_tells_its_state(
    publishing: Publishing, root: Path, cache: Path
) -> None:
    with node(publishing, root, cache) as (process, lookup):
        assert httpx.get(f"{lookup}/readyz", trust_env=False).status_code == 503
        publishing.publish(*NEW[:1])
        wait_for(lambda: version(lookup) == 1, process)
        assert is_listed(lookup, NEW[0])
        publishing.publish(*NEW[:9])
        wait_for(lambda: version(lookup) == 2, process)
        shown = json.loads(status(cache).stdout)
        assert (shown["running"], shown["stale"], shown["version"], shown["error"]) == (True, True, 2, "")
        # The mirror is killed: the node answers, and another mirror takes what came meanwhile.
        os.kill(shown["pid"], signal.SIGKILL)
        publishing.publish(*NEW[:19])
        wait_for(lambda: version(lookup) == 3, process)
        assert is_listed(lookup, NEW[18])
        # The whole node is killed, and starts again without its store: the last list serves at once.
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    publishing.store.rename(publishing.store.with_name("away"))
    with node(publishing, root, cache) as (process, lookup):
        wait_for(lambda: answers(f"{lookup}/readyz"), process)
        assert version(lookup) == 3
        assert is_listed(lookup, NEW[18])
        wait_for(lambda: bool((read := read_status(cache)) and read.error), process)
        done = status(cache)
        assert done.exit_code == 1
        assert "there is no such folder" in json.loads(done.stdout)["error"]
    log = (cache.parent / "node.log").read_text("utf-8")
    assert "Traceback" not in log
    assert not json.loads(status(cache).stdout)["running"]


class Quiet(SimpleHTTPRequestHandler):
    """A web server in front of the folder, such as a CDN; it answers conditional requests."""

    unchanged = 0

    def send_response(self, code: int, message: str | None = None) -> None:
        Quiet.unchanged += code == 304
        super().send_response(code, message)

    def send_head(self) -> Any:
        path = Path(self.translate_path(self.path))
        tag = f'"{path.stat().st_mtime_ns}"' if path.is_file() else None
        if tag and self.headers.get("If-None-Match") == tag:
            self.send_response(304)
            self.end_headers()
            return None
        self.tag = tag
        return super().send_head()

    def end_headers(self) -> None:
        if tag := getattr(self, "tag", None):
            self.send_header("ETag", tag)
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def web_server(folder: Path) -> Iterator[str]:
    folder.mkdir(parents=True, exist_ok=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def following(url: str, root: Path, cache: Path, refused: Callable[[str], None]) -> Iterator[Follower]:
    follower = Follower.remote(url, root=root, cache=cache, refused=refused, poll=0.1)
    try:
        yield follower
    finally:
        follower.stop()


def test_a_program_follows_signed_snapshots_over_http_and_asks_conditionally(
    publishing: Publishing, root: Path, cache: Path
) -> None:
    publishing.publish(*NEW[:1])
    problems: list[str] = []
    with web_server(publishing.store) as url, following(url, root, cache, problems.append) as follower:
        assert follower.wait(20)
        assert follower.snapshot is not None
        assert follower.snapshot.lookup(NEW[0]).listed
        publishing.publish(*NEW[:9])
        wait_for(lambda: follower.snapshot is not None and follower.snapshot.version == 2)
        assert follower.snapshot.lookup(NEW[8]).listed
        wait_for(lambda: Quiet.unchanged > 2)
    assert problems == []


def test_processes_that_share_a_cache_fetch_once_and_another_takes_over(
    publishing: Publishing, root: Path, cache: Path
) -> None:
    publishing.publish()
    problems: list[str] = []
    with following(publishing.address.url, root, cache, problems.append) as first:
        assert first.wait(20)
        with following(publishing.address.url, root, cache, problems.append) as second:
            assert second.wait(20)
            first.stop()
            publishing.publish(*NEW)
            wait_for(lambda: second.snapshot is not None and second.snapshot.version == 2)
    assert problems == []


def test_the_mirror_ends_with_the_program_that_follows(publishing: Publishing, root: Path, cache: Path) -> None:
    publishing.publish()
    program = f"""
import os, signal
from blocklist import Follower
follower = Follower.remote({publishing.address.url!r}, root={str(root)!r}, cache={str(cache)!r}, poll=0.1)
assert follower.wait(20)
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([COMMAND[0], "-c", program], check=False, timeout=60)
    found = read_status(cache)
    assert found is not None

    def ended() -> bool:
        try:
            os.kill(found.pid, 0)
        except ProcessLookupError:
            return True
        # It may have ended without a parent that asks for its status.
        return "\nState:\tZ" in Path(f"/proc/{found.pid}/status").read_text()

    wait_for(ended)


def test_a_root_file_that_is_none_ends_the_command_with_a_sentence(
    publishing: Publishing, tmp_path: Path, cache: Path
) -> None:
    (tmp_path / "root.json").write_text("{}")
    for root, why in (("nosuch.json", "cannot be read"), ("root.json", "no root metadata that a node can start from")):
        done = subprocess.run(
            [*COMMAND, "node", "--from", publishing.address.url, "--root", str(tmp_path / root), "--workers", "1",
             "--lookup", f"127.0.0.1:{free_port()}", "--cache", str(cache)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 1
        assert why in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [(), ("--from", "s3://bucket"), ("--root", "root.json")])
def test_a_node_needs_to_know_where_the_snapshots_are_and_whom_to_trust(arguments: tuple[str, ...]) -> None:
    done = CliRunner().invoke(main, ["node", *arguments])
    assert done.exit_code == 2
    assert "--from and --root are needed" in done.output


def test_credentials_are_not_in_the_arguments_of_the_mirror_nor_in_its_status(
    publishing: Publishing, root: Path, cache: Path
) -> None:
    seen: list[str] = []
    follower = Follower.remote(
        "s3://bucket/lists", root=root, cache=cache, refused=seen.append, poll=0.1,
        options={"endpoint": "http://127.0.0.1:9", "access_key_id": "me", "secret_access_key": "not-for-you"},
    )  # fmt: skip
    try:
        wait_for(lambda: bool(seen))
        assert follower._mirror is not None
        pid = follower._mirror.pid
        assert b"not-for-you" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    finally:
        follower.stop()
    assert "it cannot be reached" in seen[0]
    assert "not-for-you" not in "".join(path.read_text() for path in cache.rglob("*.json")) + "".join(seen)
