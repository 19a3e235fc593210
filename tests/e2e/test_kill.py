"""kill -9 in the middle of a refresh: afterwards the old list or the new one, never something between."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from pathlib import Path

import httpx
import pytest

from tests.e2e.running import Installation, publisher, respond, serving, wait_for

#: Each start of the service takes seconds, and tests/hostile kills at every stage besides.
KILLS = int(os.environ.get("BLOCKLIST_TEST_KILLS", "10"))
COMMON = [f"site-{number}.example" for number in range(20_000)]
OLD = [f"old-{number}.example" for number in range(50)]
NEW = [f"new-{number}.example" for number in range(50)]


def body(marks: list[str]) -> bytes:
    return "".join(f"{site}\n" for site in [*COMMON, *marks]).encode()


def listed(lookup: str, sites: list[str]) -> set[bool]:
    answer = httpx.post(f"{lookup}/v1/lookup", json={"items": sites}, trust_env=False).json()
    return {item["listed"] for item in answer["results"]}


def await_run(path: Path) -> None:
    """Wait for a run to be under way, two seconds at most: a short one is rarely met by chance."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    end = time.monotonic() + 2
    while not database.execute("SELECT 1 FROM runs WHERE outcome IS NULL").fetchone() and time.monotonic() < end:
        time.sleep(0.001)
    database.close()


@pytest.mark.timeout(400)  # so many starts of the whole service: a busy machine needs its time
def test_the_service_killed_again_and_again_in_mid_refresh_recovers_to_the_old_list_or_the_new(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "data")
    random_ = random.Random(20261123)
    caught_refreshing = 0
    with publisher() as published:
        published.answer = lambda handler: respond(handler, body(OLD))
        installation.add("court", published.url, "--every", "1s")
        installation.run("refresh", "court")
        for kill in range(KILLS):
            with serving(installation) as service:
                is_new = listed(service.lookup, NEW)
                assert len(is_new) == 1
                assert listed(service.lookup, OLD) == {not is_new.pop()}
                assert listed(service.lookup, COMMON[:200]) == {True}
                marks = (OLD, NEW)[kill % 2]
                published.answer = lambda handler, marks=marks: respond(handler, body(marks))  # type: ignore[misc]
                time.sleep(random_.uniform(0.0, 1.6))
                if kill % 2:
                    await_run(installation.folder / "blocklist.db")
                service.kill()
            with sqlite3.connect(installation.folder / "blocklist.db") as database:
                assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                caught_refreshing += database.execute("SELECT count(*) FROM runs WHERE outcome IS NULL").fetchone()[0]
            database.close()
            assert "whole" in installation.run("snapshot", "verify")
        assert caught_refreshing, "no kill came in the middle of a run: the test shows nothing"

        with serving(installation) as service:
            published.answer = lambda handler: respond(handler, body(NEW))
            wait_for(lambda: listed(service.lookup, NEW) == {True})
            assert listed(service.lookup, OLD) == {False}
        assert all(run["outcome"] for run in installation.json("run", "list"))
        installation.run("audit", "verify")
        assert not list((installation.folder / "incoming").glob("run-*"))
        assert not list((installation.folder / "snapshots").glob("*.part"))
