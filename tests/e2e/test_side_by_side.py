"""Many feeds refreshed at once take nothing from lookups."""

from __future__ import annotations

import threading
from pathlib import Path

from tests.e2e.running import wait_for
from tests.e2e.side_by_side import Client, have_succeeded, resume, service_with

FEEDS = 100


def test_a_hundred_feeds_are_refreshed_side_by_side_and_no_lookup_fails_or_is_wrong(tmp_path: Path) -> None:
    with service_with(tmp_path, FEEDS, entries=30) as (running, lists, service, _):
        client, ended = Client(running.lookup.removeprefix("http://")), threading.Event()
        asking = threading.Thread(target=client.ask_until, args=(ended, FEEDS))
        asking.start()
        try:
            wait_for(lambda: len(client.took) > 50)
            before = len(client.took)
            resume(service, FEEDS)
            wait_for(lambda: have_succeeded(service, FEEDS), seconds=90)
            during = len(client.took) - before
            wait_for(lambda: client.listed == set(range(FEEDS)), seconds=30)
        finally:
            ended.set()
            asking.join()
    assert client.wrong == []
    assert lists.fetched == set(range(FEEDS))
    assert lists.most_at_once >= 4
    assert during > 100, "nobody asked while they were refreshed: the test shows nothing"
