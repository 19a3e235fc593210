"""What is read to compile a snapshot: everything, or what changed since another one was compiled."""

from __future__ import annotations

import pytest

from blocklist.domain.listing import Entry
from blocklist.store import Store
from blocklist.store.compile_source import Mark
from tests.support import definition, rule

BEFORE, BASE, AFTER = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"


@pytest.fixture
def feed(store: Store) -> int:
    with store.database.transaction():
        return store.feeds.add(definition("court")).id


def record(store: Store, feed: int, moment: str, *entries: str) -> None:
    """Make these entries what a feed lists."""
    store.staging.load([(Entry(text, position), rule(text)) for position, text in enumerate(entries, 1)])
    diff = store.staging.diff(feed)
    with store.database.transaction():
        run = store.runs.start(feed, "tester", moment)
        store.listings.record(feed, run, moment, diff)
    store.staging.clear()


def found(store: Store, values: list[str], hosts: list[str]) -> list[str]:
    return sorted(row[0] for row in store.compile_source.listings_of(values, hosts))


def test_what_began_or_ended_since_a_mark_is_found(store: Store, feed: int) -> None:
    record(store, feed, BEFORE, "a.example", "b.example", "c.example/x")
    mark = store.compile_source.mark(BASE)
    assert store.compile_source.changed_rules(mark, 10) == []
    record(store, feed, AFTER, "a.example", "d.example")
    changed = store.compile_source.changed_rules(mark, 10)
    assert changed is not None
    assert sorted(changed) == [("host", "b.example"), ("host", "d.example"), ("url", "c.example/x")]
    assert store.compile_source.count() == 2


def test_what_ended_some_minutes_before_the_mark_is_found_too(store: Store, feed: int) -> None:
    record(store, feed, BEFORE, "a.example", "b.example")
    mark = Mark(store.compile_source.mark(BASE).listing, BASE)
    record(store, feed, "2026-01-01T23:55:00Z", "a.example")
    assert store.compile_source.changed_rules(mark, 10) == [("host", "b.example")]


@pytest.mark.parametrize("entries", [("a.example",), ("a.example", *(f"new-{number}.example" for number in range(5)))])
def test_more_changes_than_the_limit_give_none(store: Store, feed: int, entries: tuple[str, ...]) -> None:
    record(store, feed, BEFORE, *(f"old-{number}.example" for number in range(4)), "a.example")
    mark = store.compile_source.mark(BASE)
    record(store, feed, AFTER, *entries)
    assert store.compile_source.changed_rules(mark, 3) is None
    assert store.compile_source.changed_rules(mark, 20) is not None


def test_the_listings_of_rules_and_of_urls_on_hosts_are_read_once_each(store: Store, feed: int) -> None:
    record(
        *(store, feed, BEFORE, "a.example", "a.example/x", "a.example/x?v=1", "www.a.example/y", "aa.example/x"),
        *("a.example.net/x", "b.example", "93.184.215.14"),
    )
    assert found(store, ["a.example", "a.example/x", "93.184.215.14"], []) == ["93.184.215.14", "a.example"]
    assert found(store, ["a.example"], ["a.example"]) == ["a.example", "a.example/x", "a.example/x?v=1"]
    assert found(store, [], ["www.a.example"]) == ["www.a.example/y"]
    record(store, feed, AFTER, "b.example")
    assert found(store, ["a.example", "b.example"], ["a.example"]) == ["b.example"]
