"""What changed since when: everything once, in order, whatever the size of a page, and nothing missed between two."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from blocklist.domain.clock import later, now
from blocklist.domain.errors import NotFoundError, UsageError
from blocklist.exports import ListingChange, changes
from blocklist.service import Service
from blocklist.store import Store
from tests.exports.conftest import Listing
from tests.plans import plan_of
from tests.support import Clock, definition

BEGIN = "2026-03-01T00:00:00Z"


@pytest.fixture(autouse=True)
def _on_the_first_of_march(clock: Clock) -> None:
    clock.move_to(BEGIN)


def every(store: Store, since: str, limit: int = 1_000, feed: str | None = None) -> list[ListingChange]:
    """Return all changes, read a page at a time."""
    found: list[ListingChange] = []
    after = None
    while True:
        page = changes(store, since, after=after, limit=limit, feed=feed)
        assert len(page.changes) <= limit
        found += page.changes
        after = page.last
        if after is None:
            return found


def told(found: list[ListingChange]) -> list[tuple[str, str]]:
    return [(item.change, item.rule.value) for item in found]


CSV = {"format": "csv", "options": {"column": "site", "header": True, "reference": "order"}}


def test_listed_restated_and_delisted_come_in_order_of_time(service: Service, lists: Listing, clock: Clock) -> None:
    lists("court", "site,order\na.example,1\nb.example,1\n", **CSV)
    clock.advance(600)
    second = now()
    lists("court", "site,order\na.example,2\nc.example,1\n", **CSV)
    clock.advance(600)
    lists("other", "a.example\n")
    assert told(every(service.store, BEGIN)) == [
        *(("listed", "a.example"), ("listed", "b.example")),
        *(("delisted", "b.example"), ("restated", "a.example"), ("listed", "c.example"), ("listed", "a.example")),
    ]
    later_ones = every(service.store, second)
    assert told(later_ones)[0] == ("delisted", "b.example")
    assert [(item.at, item.reference, item.listed_from) for item in later_ones if item.change == "restated"] == [
        (second, "2", BEGIN)
    ]
    assert told(every(service.store, second, feed="other")) == [("listed", "a.example")]
    assert every(service.store, later(now(), 1)) == []


def test_a_removed_feed_is_delisted_whole(service: Service, lists: Listing, clock: Clock) -> None:
    lists("court", "a.example\nb.example\n")
    clock.advance(600)
    service.feeds.remove("court", "tester")
    assert told(every(service.store, now())) == [("delisted", "a.example"), ("delisted", "b.example")]


def test_pages_of_every_size_give_the_same_and_following_them_rebuilds_the_list(
    service: Service, lists: Listing, clock: Clock
) -> None:
    chance = random.Random(5)
    names = [f"{letter}.example" for letter in "abcdefghij"]
    copy: set[tuple[str, str]] = set()
    until = BEGIN
    for turn in range(12):
        feed = f"feed-{turn % 3}"
        body = [*sorted(chance.sample(names, chance.randint(1, 8))), f"turn-{turn}.example"]
        lists(feed, "\n".join(body) + "\n")
        if turn % 4 != 2:
            clock.advance(600)
        if turn % 2:
            # What happened in the second of the last change may come twice: applied twice it is the same.
            page = changes(service.store, until, limit=1_000)
            for item in page.changes:
                pair = (item.feed, item.rule.value)
                copy = copy - {pair} if item.change == "delisted" else copy | {pair}
            until = page.until
    listed = {(row[3], row[0]) for row in service.store.exports.listed()}
    numbers = {feed.name: feed.id for feed in service.store.feeds.all()}
    assert {(numbers[feed], value) for feed, value in copy} == listed
    whole = every(service.store, BEGIN)
    assert [item.at for item in whole] == sorted(item.at for item in whole)
    for limit in (1, 3, 7):
        assert every(service.store, BEGIN, limit) == whole


def test_what_is_recorded_while_pages_are_read_comes_after_them(service: Service, lists: Listing, clock: Clock) -> None:
    lists("court", "a.example\nb.example\nc.example\n")
    first = changes(service.store, BEGIN, limit=2)
    clock.advance(600)
    lists("court", "a.example\nd.example\n")
    second = changes(service.store, BEGIN, after=first.last, limit=10)
    assert (told([*first.changes, *second.changes]), second.last) == (
        [("listed", "a.example"), ("listed", "b.example"), ("listed", "c.example")],
        None,
    )
    assert {("delisted", "b.example"), ("listed", "d.example")} <= set(told(every(service.store, second.until)))


def test_since_may_be_a_snapshot(service: Service, lists: Listing, clock: Clock) -> None:
    lists("court", "a.example\n")
    clock.advance(600)
    lists("court", "b.example\n")
    assert told(every(service.store, "1")) == [
        ("listed", "a.example"),
        ("delisted", "a.example"),
        ("listed", "b.example"),
    ]
    assert told(every(service.store, "2")) == [("delisted", "a.example"), ("listed", "b.example")]
    assert told(every(service.store, "0001-01-01")) == told(every(service.store, "1"))
    far = changes(service.store, "9999-12-31")
    assert (far.changes, far.until) == ((), far.since)
    with pytest.raises(NotFoundError, match="there was no snapshot of version 9"):
        changes(service.store, "9")
    with pytest.raises(
        UsageError, match=r"since: 'soon' is not a time: write 2026-11-23 .*or the version of a snapshot"
    ):
        changes(service.store, "soon")


def test_a_page_walks_neither_the_listings_before_it_nor_those_after(store: Store, tmp_path: Path) -> None:
    feed = store.feeds.add(definition("court"))
    run = store.runs.start(feed.id, "tester", BEGIN)
    with store.database.transaction():
        store.database.execute_many(
            "INSERT INTO listings (feed_id, kind, value, scope, position, listed_from, stated_from, run_id)"
            " VALUES (?, 'host', ?, 'subtree', 1, ?, ?, ?)",
            ((feed.id, f"{n}.example", at, at, run) for n in range(3_000) for at in [later(BEGIN, 600 * (n // 100))]),
        )
    since = later(BEGIN, 600 * 25)
    assert 2_000 < store.exports.first_since(since) <= 2_500
    page = changes(store, since, limit=10)
    assert [item.rule.value for item in page.changes] == [f"{n}.example" for n in range(2_500, 2_510)]
    plan = plan_of(store, lambda: changes(store, since, limit=10))
    assert "SEARCH l USING INTEGER PRIMARY KEY (rowid>?)" in plan
    assert any(step.startswith("SEARCH l USING INDEX listings_ended (listed_until>?") for step in plan), plan
    assert "SCAN l" not in plan, plan
    plan = plan_of(store, lambda: changes(store, since, limit=10, feed="court"))
    for index in ("listings_open (feed_id=? AND rowid>?)", "listings_once_of (feed_id=? AND id>?)",
                  "listings_ended_of (feed_id=? AND listed_until>?"):  # fmt: skip
        assert any(step.startswith(f"SEARCH l USING INDEX {index}") for step in plan), plan
