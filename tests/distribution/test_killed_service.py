"""kill -9 of the service that sends: the store has the old list or the new, and the next start goes on."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from blocklist import Snapshot
from tests.distribution.signed import Publishing
from tests.e2e.running import Installation, publisher, respond, serving, wait_for

#: Each start of the service takes seconds.
KILLS = int(os.environ.get("BLOCKLIST_TEST_KILLS", "2"))
COMMON = [f"site-{number}.example" for number in range(3_000)]


def body(round_: int) -> bytes:
    return "".join(f"{site}\n" for site in [*COMMON, f"round-{round_}.example"]).encode()


@pytest.mark.timeout(400)  # so many starts of the whole service: a busy machine needs its time
def test_the_service_killed_while_it_sends_leaves_a_store_that_nodes_can_follow(tmp_path: Path) -> None:
    publishing = Publishing.begun(tmp_path / "data")
    settings = {
        "BLOCKLIST_DISTRIBUTION__URL": publishing.address.url,
        "BLOCKLIST_DISTRIBUTION__ONLINE_KEY": f"file:{publishing.folder / 'online.pem'}",
    }
    installation = Installation(publishing.folder, settings)
    timestamp = publishing.store / "metadata" / "timestamp.json"
    rng = random.Random(20261126)
    cache, last = tmp_path / "node", 0
    with publisher() as published:
        for round_ in range(KILLS):
            published.answer = lambda handler, round_=round_: respond(handler, body(round_))  # type: ignore[misc]
            if round_ == 0:
                installation.add("court", published.url, "--every", "1s")
            with serving(installation) as service:
                before = timestamp.read_bytes() if timestamp.exists() else b""
                wait_for(lambda before=before: timestamp.exists() and timestamp.read_bytes() != before)  # type: ignore[misc]
                published.answer = lambda handler, round_=round_: respond(handler, body(100 + round_))  # type: ignore[misc]
                time.sleep(rng.uniform(0.0, 2.0))
                service.kill()
            found = publishing.look(cache)
            assert found.state.version >= last
            last = found.state.version
            snapshot = Snapshot(Path("from the store"), found.snapshot)
            snapshot.verify()
            listed = [
                snapshot.lookup(f"round-{number}.example").listed
                for number in (*range(KILLS), *range(100, 100 + KILLS))
            ]
            assert sum(listed) == 1
            assert snapshot.lookup(COMMON[0]).listed
        published.answer = lambda handler: respond(handler, body(999))
        with serving(installation):
            wait_for(lambda: Snapshot(Path("x"), publishing.look(cache).snapshot).lookup("round-999.example").listed)
    assert not (publishing.folder / "distribution" / "unsent.json").exists()
