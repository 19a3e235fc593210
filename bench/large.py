"""A large installation, made in a minute: what its database holds after years, without the years."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from blocklist.config.settings import Settings
from blocklist.definitions.definition import FeedDefinition
from blocklist.domain.access import Role
from blocklist.domain.clock import later, now
from blocklist.domain.run import RunCounts
from blocklist.domain.verdict import OverrideAction
from blocklist.service import Service, override_rule
from blocklist.store.held_changes import MAX_CHANGES_KEPT

#: Runs of each feed; authorities that the feeds are of; runs that wait for review, and changes of each (the first waits
#: with as many as are ever kept); entries held.
RUNS, AUTHORITIES, HELD, CHANGES, ENTRIES = 50, 40, 20, 5_000, 200
AUDITED, OVERRIDDEN, REMOVED_EACH, SAMPLED = 10_000, 200, 20, 7 * 1_440
#: People who may sign in; one of them.
PEOPLE, PERSON = 50, "person-0"
#: Seconds between two runs of a feed.
_EVERY = 21_600


def made(folder: Path, feeds: int, listings: int, share: float = 1) -> Service:
    """Return a service over so many feeds with so many open listings in all, its snapshot published.

    Of all else there is as much as a large installation has, or that share of it.
    """

    def some(number: int) -> int:
        return max(1, int(number * share))

    service = Service(Settings(data_dir=folder))
    begin = later(now(), -RUNS * _EVERY)
    with service.store.database.transaction():
        for number in range(feeds):
            service.feeds.add(_definition(number), "bench")
        _runs(service, feeds, begin)
        _listings(service, feeds, listings // feeds, begin)
        _waiting(service, [some(2 * MAX_CHANGES_KEPT), some(CHANGES)], some(ENTRIES))
        for number in range(some(AUDITED)):
            service.store.audit.add("bench", "bench.note", f"thing-{number % 500}", number=number)
        for number in range(some(PEOPLE)):
            service.people.add(f"person-{number}", Role.VIEWER, "bench")
        _traffic(service, some(SAMPLED))
    with service.store.database.transaction():
        for number in range(some(OVERRIDDEN)):
            action = OverrideAction.ALLOW if number % 2 else OverrideAction.BLOCK
            service.store.overrides.add(action, override_rule(f"override-{number}.example"), "bench", "bench", None)
        service.store.snapshots.contents_changed()
    service.publisher.publish()
    return service


def _definition(number: int) -> FeedDefinition:
    kinds = ("court", "regulator", "law-enforcement", "industry")
    authority = {
        "name": f"Authority {number % AUTHORITIES}",
        "kind": kinds[number % len(kinds)],
        "country": ("GB", "IT", "DE", "FR")[number % 4],
        "contact": "appeals@authority.example",
    }
    return FeedDefinition.model_validate(
        {
            "name": f"feed-{number:04}",
            "title": f"List number {number}",
            "format": "lines",
            "authority": authority,
            "source": {"url": f"https://lists.example/{number}.txt"},
            "legal_basis": "An act of the bench",
        }
    )


def _runs(service: Service, feeds: int, begin: str) -> None:
    chance = random.Random(7)
    outcomes = ["applied"] * 4 + ["unchanged"] * 14 + ["failed"]

    def rows() -> Iterator[tuple[Any, ...]]:
        for turn in range(RUNS):
            at = later(begin, turn * _EVERY)
            for feed in range(1, feeds + 1):
                outcome = "applied" if turn == 0 else chance.choice(outcomes)
                if turn == RUNS - 1 and feed <= HELD:
                    outcome = "held"
                counts = RunCounts(1_000, 1_000, 3, 2, 20, 20, 1, 1_000)
                review = "pending" if outcome == "held" else None
                reason = f"1,000 sites: {outcome}"
                yield feed, "schedule", at, later(at, 9), "record", outcome, reason, json.dumps(asdict(counts)), review

    service.store.database.execute_many(
        "INSERT INTO runs (feed_id, started_by, started_at, finished_at, stage, outcome, reason, counts, review)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows(),
    )
    service.store.database.execute(
        "UPDATE feeds SET last_attempt = ?, last_success = ?, last_change = ?, next_due = ?",
        (now(), now(), now(), later(now(), _EVERY)),
    )
    service.store.database.execute("UPDATE feeds SET failures = 3 WHERE id % 20 = 0")
    service.store.database.execute("UPDATE feeds SET last_success = ? WHERE id % 50 = 0", (begin,))


def _listings(service: Service, feeds: int, each: int, begin: str) -> None:
    """List most at the first runs, and a few at each later one, in the order in which they happened."""
    database = service.store.database

    def first() -> Iterator[tuple[Any, ...]]:
        for feed in range(1, feeds + 1):
            for number in range(each):
                url = number % 50 == 0
                value = f"site-{number}-of-{feed}.example{'/films' if url else ''}"
                shared = number < 3
                yield (
                    *(feed, "url" if url else "host", f"shared-{number}.example" if shared and not url else value),
                    *("prefix" if url else "subtree", number + 1, f"case {number}" if number % 10 == 0 else None),
                    *(begin, begin, None, feed, 0),
                )

    insert = (
        "INSERT INTO listings (feed_id, kind, value, scope, position, reference, listed_from, stated_from,"
        " listed_until, run_id, closed_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    )
    database.execute_many(insert, first())

    def gone() -> Iterator[tuple[Any, ...]]:
        for turn in range(1, RUNS):
            at = later(begin, turn * _EVERY)
            for feed in range(1 + turn % 10, feeds + 1, 10):
                for number in range(REMOVED_EACH):
                    host = f"gone-{turn}-{number}-of-{feed}.example"
                    until = later(at, _EVERY)
                    yield feed, "host", host, "subtree", 1, None, at, at, until, turn * feeds + feed, (turn + 1) * feeds

    database.execute_many(insert, gone())
    database.execute("UPDATE feeds SET listed = ?, applied_body = 'x'", (each,))
    for feed in range(1, feeds + 1):
        service.store.statistics.update_counts(feed)
    # What each authority listed, for a year: as the counts of each day would have it.
    database.execute_many(
        "INSERT INTO listed_daily (day, authority, change) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (
            (later(begin, -day * 86_400)[:10], f"Authority {number}", 7 - day % 15)
            for day in range(365)
            for number in range(AUTHORITIES)
        ),
    )


def _waiting(service: Service, changes: list[int], entries: int) -> None:
    """Let each held run wait with changes (how many: of the first run, of the others), and entries alone."""
    database = service.store.database
    held = [run.id for run in service.store.runs.pending()]
    database.execute_many(
        "INSERT INTO held_changes (run_id, change, value, kind, scope, raw, position, stands_out)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (run, ("added", "removed")[number % 2], f"change-{number}.example", "host", "subtree", None, number, "")
            for run in held
            for number in range(changes[run != held[0]])
        ),
    )
    database.execute_many(
        "INSERT INTO holds (feed, kind, value, scope, guard, why, position, run_id, held_at, state)"
        " VALUES (?, 'host', ?, 'subtree', 'popular', 'is popular', 1, 1, ?, 'waiting')",
        ((f"feed-{number % 30:04}", f"popular-{number}.example", now()) for number in range(entries)),
    )


def _traffic(service: Service, samples: int) -> None:
    end = now()
    service.store.database.execute_many(
        "INSERT INTO lookup_samples (at, seconds, lookups, listed, unknown) VALUES (?, 60, ?, ?, 0)",
        ((later(end, -60 * minute), 60_000 + minute, 600 + minute % 300) for minute in range(samples)),
    )
