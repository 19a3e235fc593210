"""Listings as intervals: who listed what, from when, until when."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from blocklist.domain.errors import UnreadableFeedError
from blocklist.domain.listing import Entry, Listing, Rule, RuleKind, Scope
from blocklist.normalize.rules import Reading, rule_maker
from blocklist.store import Store
from blocklist.store.staging import Diff
from tests.support import definition, host_rule, rule, values

DAYS = [f"2026-01-{day:02}T00:00:00Z" for day in range(1, 10)]


def publish(store: Store, moment: str, *entries: str | Entry, feed: str = "court") -> Diff:
    """Record a body of a feed at a moment, as a run does."""
    if feed not in {known.name for known in store.feeds.all()}:
        store.feeds.add(definition(feed))
    made = [entry if isinstance(entry, Entry) else Entry(entry, position) for position, entry in enumerate(entries, 1)]
    ruled = [item for item in map(rule_maker(Reading()), made) if isinstance(item[1], Rule)]
    feed_id = store.feeds.get(feed).id
    run_id = store.runs.start(feed_id, "test", moment)
    store.staging.load(ruled)
    diff = store.staging.diff(feed_id)
    with store.database.transaction():
        store.listings.record(feed_id, run_id, moment, diff)
    store.staging.clear()
    return diff


def history(store: Store, host: str) -> list[Listing]:
    return store.listings.candidates([host], [host], [host])


def intervals(store: Store, host: str) -> list[tuple[str, str, str | None]]:
    return [(item.listed_from, item.stated_from, item.listed_until) for item in history(store, host)]


def now_listed(store: Store) -> list[str]:
    bare = [host for hosts, *_ in store.compile_source.host_blocks() for host in hosts.split(" ")]
    return sorted(bare + [row[0] for row in store.compile_source.other_listings()])


def test_a_first_body_opens_a_listing_for_each_rule(store: Store) -> None:
    assert publish(store, DAYS[0], "a.example", "b.example") == Diff(2, 2, 0, 0, 0)
    assert now_listed(store) == ["a.example", "b.example"]
    (item,) = history(store, "a.example")
    assert item.rule == host_rule("a.example")
    assert (item.feed, item.authority.name, item.position, item.raw) == ("court", "Test Court", 1, "a.example")
    assert (item.listed_from, item.stated_from, item.listed_until) == (DAYS[0], DAYS[0], None)


def test_the_same_body_again_changes_nothing(store: Store) -> None:
    publish(store, DAYS[0], "a.example", "b.example")
    assert publish(store, DAYS[1], "b.example", "a.example") == Diff(2, 0, 0, 0, 2)
    assert intervals(store, "a.example") == [(DAYS[0], DAYS[0], None)]


def test_a_delisting_closes_the_interval(store: Store) -> None:
    publish(store, DAYS[0], "a.example", "b.example")
    assert publish(store, DAYS[1], "b.example") == Diff(1, 0, 1, 0, 2)
    assert intervals(store, "a.example") == [(DAYS[0], DAYS[0], DAYS[1])]
    assert now_listed(store) == ["b.example"]


def test_a_relisting_opens_a_new_interval(store: Store) -> None:
    publish(store, DAYS[0], "a.example", "b.example")
    publish(store, DAYS[1], "b.example")
    assert publish(store, DAYS[2], "a.example", "b.example") == Diff(2, 1, 0, 0, 1)
    publish(store, DAYS[3], "b.example")
    assert intervals(store, "a.example") == [(DAYS[0], DAYS[0], DAYS[1]), (DAYS[2], DAYS[2], DAYS[3])]


def test_a_restatement_closes_and_reopens_with_the_same_beginning(store: Store) -> None:
    publish(store, DAYS[0], "a.example", "b.example")
    diff = publish(store, DAYS[1], Entry("a.example", 1, reference="R-1"), "b.example")
    assert diff == Diff(2, 0, 0, 1, 2)
    publish(store, DAYS[2], Entry("a.example", 1, reference="R-1", published_at="2025-12-31"), "b.example")
    assert intervals(store, "a.example") == [
        (DAYS[0], DAYS[0], DAYS[1]),
        (DAYS[0], DAYS[1], DAYS[2]),
        (DAYS[0], DAYS[2], None),
    ]
    assert [item.reference for item in history(store, "a.example")] == [None, "R-1", "R-1"]
    assert intervals(store, "b.example") == [(DAYS[0], DAYS[0], None)]


@pytest.mark.parametrize("fact", ["reference", "legal_basis", "published_at", "authority", "country"])
def test_each_fact_that_an_authority_states_is_kept_and_compared(store: Store, fact: str) -> None:
    publish(store, DAYS[0], Entry("a.example", 1, **{fact: "XA"}))
    assert publish(store, DAYS[1], Entry("a.example", 1, **{fact: "XA"})).amended == 0
    assert publish(store, DAYS[2], Entry("a.example", 1, **{fact: "XB"})).amended == 1
    assert publish(store, DAYS[3], "a.example").amended == 1
    assert len(history(store, "a.example")) == 3


def test_a_row_that_moves_or_is_spelled_differently_is_no_change(store: Store) -> None:
    publish(store, DAYS[0], "www.a.example", "b.example")
    assert publish(store, DAYS[1], "b.example", "http://a.example/") == Diff(2, 0, 0, 0, 2)


def test_the_first_of_duplicate_rows_counts(store: Store) -> None:
    first, second = Entry("www.a.example", 1, reference="R-1"), Entry("a.example", 2, reference="R-2")
    assert publish(store, DAYS[0], first, second, "b.example", "b.example") == Diff(2, 2, 0, 0, 0)
    (item,) = history(store, "a.example")
    assert (item.raw, item.reference, item.position) == ("www.a.example", "R-1", 1)
    assert publish(store, DAYS[1], first, second, "b.example") == Diff(2, 0, 0, 0, 2)
    assert publish(store, DAYS[2], second, first._replace(position=3), "b.example").amended == 1


def test_rules_that_differ_in_kind_or_scope_are_different_listings(store: Store) -> None:
    publish(store, DAYS[0], "a.example", "http://a.example/x", "http://a.example/x?y=1", "93.184.215.14")
    assert now_listed(store) == ["93.184.215.14", "a.example", "a.example/x", "a.example/x?y=1"]
    assert publish(store, DAYS[1], "a.example").removed == 3


def test_each_feed_lists_for_itself(store: Store) -> None:
    publish(store, DAYS[0], "a.example", feed="one")
    publish(store, DAYS[1], "a.example", "b.example", feed="two")
    publish(store, DAYS[2], "b.example", feed="one")
    assert [(item.feed, item.listed_from, item.listed_until) for item in history(store, "a.example")] == [
        ("one", DAYS[0], DAYS[2]),
        ("two", DAYS[1], None),
    ]
    assert now_listed(store) == ["a.example", "b.example", "b.example"]


def test_a_listing_holds_from_when_its_facts_were_stated_until_its_end(store: Store) -> None:
    publish(store, DAYS[1], "a.example", "b.example")
    publish(store, DAYS[3], Entry("a.example", 1, reference="R"), "b.example")
    publish(store, DAYS[5], "b.example")
    held = [[item.reference for item in history(store, "a.example") if item.at(day)] for day in DAYS[:7]]
    assert held == [[], [None], [None], ["R"], ["R"], [], []]


def test_a_row_may_name_its_own_authority(store: Store) -> None:
    publish(
        store, DAYS[0], Entry("a.example", 1, authority="ANCINE", country="BR"), Entry("b.example", 2, country="LT")
    )
    (a,), (b,) = history(store, "a.example"), history(store, "b.example")
    assert (a.authority.name, a.authority.country, a.authority.kind) == ("ANCINE", "BR", "court")
    assert (b.authority.name, b.authority.country) == ("Test Court", "LT")


def test_nothing_listed_can_be_deleted_or_replaced(store: Store) -> None:
    publish(store, DAYS[0], "a.example")
    for statement in (
        "DELETE FROM listings",
        "INSERT OR REPLACE INTO listings SELECT * FROM listings",
    ):
        with (
            pytest.raises(sqlite3.IntegrityError, match="listings are never deleted"),
            store.database.transaction(),
        ):
            store.database.execute(statement)
    assert now_listed(store) == ["a.example"]


def test_a_feed_removed_and_added_again_keeps_its_old_history(store: Store) -> None:
    publish(store, DAYS[0], "a.example")
    feed = store.feeds.get("court")
    with store.database.transaction():
        store.listings.close_all(feed.id, store.runs.start(feed.id, "test", DAYS[1]), DAYS[1])
        store.feeds.remove("court")
    assert store.feeds.all() == []
    publish(store, DAYS[2], "a.example")
    assert [(item.feed, item.listed_from, item.listed_until) for item in history(store, "a.example")] == [
        ("court", DAYS[0], DAYS[1]),
        ("court", DAYS[2], None),
    ]
    assert len(store.feeds.including_removed()) == 2


def test_what_would_change_can_be_shown_before_it_is_recorded(store: Store) -> None:
    publish(store, DAYS[0], "a.example", "b.example")
    feed = store.feeds.get("court")
    store.staging.load([(Entry(text, 1), rule(text)) for text in ("d.example", "c.example", "b.example")])
    assert store.staging.diff(feed.id) == Diff(3, 2, 1, 0, 2)
    assert [change.value for change in store.staging.added(feed.id, 9)] == ["c.example", "d.example"]
    assert [change.value for change in store.staging.added(feed.id, 1)] == ["c.example"]
    assert [change.value for change in store.staging.removed(9)] == ["a.example"]
    store.staging.clear()


def test_candidates_find_urls_on_a_host_and_not_on_hosts_with_the_same_beginning(store: Store) -> None:
    publish(store, DAYS[0], "http://a.example/x", "http://a.example.org/x", "http://a.exampl/x", "93.184.215.14")
    assert values(store.listings.candidates([], ["a.example"], [])) == ["a.example/x"]
    assert values(store.listings.candidates([], [], ["93.184.215.14"])) == ["93.184.215.14"]
    assert store.listings.candidates([], [], []) == []


def test_more_rows_than_one_statement_holds_are_staged_whole(store: Store) -> None:
    entries = [f"site-{n}.example" if n % 2 else Entry(f"site-{n}.example", n, reference="R") for n in range(1_000)]
    assert publish(store, DAYS[0], *entries).added == 1_000
    assert len(now_listed(store)) == 1_000
    assert publish(store, DAYS[1], *entries[:-1]) == Diff(999, 0, 1, 0, 1_000)


def test_a_body_that_ends_early_while_it_is_staged_leaves_no_rows(store: Store) -> None:
    publish(store, DAYS[0], "a.example", "b.example")
    feed = store.feeds.get("court")

    def torn(number: int) -> Iterator[tuple[Entry, Rule]]:
        for n in range(number):
            yield Entry(f"torn-{n}.example", n), host_rule(f"torn-{n}.example")
        raise UnreadableFeedError("cut off")

    for number in (0, 1, 5_000, 60_000):
        with pytest.raises(UnreadableFeedError):
            store.staging.load(torn(number))
        store.staging.clear()
        store.staging.load([(Entry("b.example", 1), rule("b.example"))])
        assert store.staging.diff(feed.id) == Diff(1, 0, 1, 0, 2)
        assert list(store.staging.added(feed.id, 9)) == []
        store.staging.clear()
    assert store.database.value("PRAGMA integrity_check") == "ok"
    assert now_listed(store) == ["a.example", "b.example"]


def test_an_app_keeps_its_case_in_the_store(store: Store) -> None:
    store.feeds.add(definition("apps"))
    feed = store.feeds.get("apps")
    apps = [(Entry(app, 1), Rule(RuleKind.APP, app, Scope.EXACT)) for app in ("com.A", "com.a")]
    store.staging.load(apps)
    diff = store.staging.diff(feed.id)
    with store.database.transaction():
        store.listings.record(feed.id, store.runs.start(feed.id, "test", DAYS[0]), DAYS[0], diff)
    assert diff.added == 2
    assert values(store.listings.candidates([], [], ["com.a"])) == ["com.a"]


def test_others_may_write_while_a_body_is_being_read(store: Store) -> None:
    other = Store(store.database.path)

    def slow_body() -> Iterator[tuple[Entry, Rule]]:
        yield Entry("a.example", 1), host_rule("a.example")
        other.audit.add("somebody", "test", "meanwhile")
        yield Entry("b.example", 2), host_rule("b.example")

    assert store.staging.load(slow_body()) == 2
    assert store.audit.events()[0]["target"] == "meanwhile"
    other.close()
