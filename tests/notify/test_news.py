"""What is told, when, and how often."""

from __future__ import annotations

import json

import pytest

from blocklist.domain.errors import StoreError
from tests.notify.conftest import Telling
from tests.notify.receiving import Hook

DAY = 86_400


def test_a_run_that_fails_is_told_once_in_a_row_and_again_when_the_feed_recovers(telling: Telling) -> None:
    told = telling()
    told.feed("court", body=None)
    for _ in range(3):
        told.service.runs.refresh("court", "tester")
        told.tick(10)
    told.publish("court", "good.example\n")
    told.tick(10)
    told.tick(10)
    assert told.hook.news == [[("begun", "run_failed", "court")], [("ended", "run_failed", "court")]]
    data = json.loads(told.hook.received[0][1])["data"]
    assert data["summary"] == "run failed: court"
    assert data["news"][0]["said"].startswith("court: run 1 failed: ")
    assert json.loads(told.hook.received[1][1])["data"]["summary"] == "over: run failed: court"


def test_a_stale_feed_is_told_and_what_is_still_so_once_a_day(telling: Telling) -> None:
    told = telling(events=["feed_stale"])
    told.feed("court", every=3600)
    told.service.runs.refresh("court", "tester")
    told.tick()
    assert told.hook.received == []
    told.tick(3 * 3600 + 60)
    for _ in range(50):
        told.tick(3600)
    assert told.hook.news == [
        [("begun", "feed_stale", "court")],
        [("still", "feed_stale", "court")],
        [("still", "feed_stale", "court")],
    ]
    told.service.feeds.pause("court", "tester")
    told.tick(DAY * 3)
    assert len(told.hook.received) == 3


def test_a_held_run_is_told_once_a_body_and_its_entries_each_time_more_wait(telling: Telling) -> None:
    told = telling(events=["run_held", "entry_held"])
    told.feed("court", "".join(f"site-{number}.example\n" for number in range(20)))
    told.service.runs.refresh("court", "tester")
    for _ in range(2):
        told.publish("court", "site-1.example\n")
        told.tick(10)
    told.publish("court", "site-2.example\n")
    told.tick(10)
    assert told.hook.news == [[("begun", "run_held", "court")]] * 2
    said = json.loads(told.hook.received[1][1])["data"]["news"][0]["said"]
    assert "run 4 waits for review: would remove 19 of 20 sites" in said
    told.publish("court", "".join(f"site-{number}.example\n" for number in range(20)) + "archive.org\n")
    told.tick(10)
    told.tick(10)
    assert told.hook.news[2:] == [[("begun", "entry_held", "court")]]
    assert "an entry waits alone for a decision, the newest archive.org" in told.hook.received[2][1].decode()


def test_flagged_entries_are_reported_once_with_their_number(telling: Telling) -> None:
    told = telling(events=["entry_flagged"])
    told.feed("court", "site-1.example\n1337x.to\nbt1.archive.org\n")
    told.service.runs.refresh("court", "tester")
    told.tick(10)
    for _ in range(3):
        told.tick(DAY)
    assert told.hook.news == [[("begun", "entry_flagged", "court")]]
    said = told.hook.received[0][1].decode()
    assert "court: 2 listed entries are worth a look, the newest bt1.archive.org" in said
    assert "blocklist flag list --feed court" in said
    for flag in told.service.flags.all():
        told.service.flags.dismiss(flag.id, "approver", "right")
    told.tick(10)
    assert len(told.hook.received) == 1


def test_a_hundred_feeds_that_fail_together_are_one_message(telling: Telling) -> None:
    told = telling(gather=60, pause=300)
    for number in range(102):
        told.feed(f"feed-{number:03}", body=None)
    for number in range(102):
        told.service.runs.refresh(f"feed-{number:03}", "tester")
        if number in (0, 50, 101):
            told.tick()
    assert told.hook.received == []
    told.tick(61)
    (message,) = told.hook.received
    data = json.loads(message[1])["data"]
    assert (data["summary"], len(data["news"]), data["left_out"]) == ("102 runs failed", 100, 2)
    told.feed("late", body=None)
    told.service.runs.refresh("late", "tester")
    for _ in range(3):
        told.tick(70)
    assert len(told.hook.received) == 1, "the next message waits until the pause is over"
    told.tick(120)
    assert told.hook.news[1:] == [[("begun", "run_failed", "late")]]


def test_what_is_over_before_it_was_told_is_not_told(telling: Telling) -> None:
    told = telling(gather=60)
    told.feed("court", body=None)
    told.service.runs.refresh("court", "tester")
    told.tick()
    told.publish("court", "good.example\n")
    told.tick(30)
    told.tick(100)
    assert told.hook.received == []


def test_a_snapshot_that_cannot_be_published_is_told_and_that_it_can_again(
    telling: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = telling(events=["snapshot_unpublished"])
    told.feed("court")

    def full(*_: object) -> None:
        raise StoreError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(told.service.publisher.repository, "publish", full)
        with pytest.raises(StoreError):
            told.service.runs.refresh("court", "tester")
        told.tick()
    told.service.publisher.publish()
    told.tick()
    assert [json.loads(body)["data"]["news"][0]["said"] for _, body in told.hook.received] == [
        "The snapshot could not be published: no space left on device. The last one goes on serving.",
        "The snapshot is up to date again: version 1.",
    ]


def test_a_feed_that_is_removed_is_told_of_no_more(telling: Telling) -> None:
    told = telling()
    told.feed("court", body=None)
    told.service.runs.refresh("court", "tester")
    told.tick()
    told.service.feeds.remove("court", "tester")
    told.tick(3 * DAY)
    assert told.hook.news == [[("begun", "run_failed", "court")]]


def test_a_channel_is_told_of_its_events_alone(telling: Telling) -> None:
    told = telling(events=["run_held"])
    told.feed("court", body=None)
    told.service.runs.refresh("court", "tester")
    told.tick()
    assert told.hook.received == []
    assert told.service.store.alerts.messages() == []


def test_what_a_feed_published_is_inert_in_a_message(telling: Telling, receiver: Hook) -> None:
    told = telling()
    told.feed("court", "".join(f"site-{number}.example\n" for number in range(20)))
    told.service.runs.refresh("court", "tester")
    with told.service.store.database.transaction():
        told.service.store.database.execute(
            "INSERT INTO holds (feed, kind, value, scope, guard, why, position, run_id, held_at, state)"
            " VALUES ('court', 'host', ?, 'subtree', 'popular', ?, 1, 1, 'now', 'waiting')",
            ("evil.example\r\nBcc: all@example.com", "\u202egpj.exe\x1b[2J" + "x" * 10_000),
        )
    told.tick()
    said = json.loads(receiver.received[0][1])["data"]["news"][0]["said"]
    assert said.isprintable()
    assert len(said) == 500
    assert "evil.example  Bcc: all@example.com" in said
