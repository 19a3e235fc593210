"""A database of the version before is brought up to date, with all that it holds."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import sqlite_utils

from blocklist.domain.access import Role
from blocklist.domain.run import Effect, GuardFinding, HoldState
from blocklist.store import Store
from blocklist.store.engine.sqlite.schema.migrations import MIGRATIONS

DAY = "2026-01-02T00:00:00Z"
FEED = (
    '{"name": "court", "format": "lines", "source": {"file": "/list.txt"},'
    ' "authority": {"name": "A", "kind": "court", "country": "GB"}}'
)
ROWS = (
    f"INSERT INTO feeds (name, definition, created_at, next_due) VALUES ('court', '{FEED}', '{DAY}', '{DAY}')",
    "INSERT INTO runs (feed_id, started_by, started_at, stage, outcome, review)"
    f" VALUES (1, 'test', '{DAY}', 'guard', 'held', 'pending')",
    "INSERT INTO listings (feed_id, kind, value, scope, position, listed_from, stated_from, run_id)"
    f" VALUES (1, 'host', 'a.example', 'subtree', 1, '{DAY}', '{DAY}', 1)",
    "INSERT INTO changes (run_id, change, value, kind, scope, raw, position, stands_out)"
    " VALUES (1, 'added', 'b.example', 'host', 'subtree', NULL, 2, 'the first under .example')",
    "INSERT INTO spoken (run_id, guard, effect, sentence) VALUES (1, 'removed', 'holds the run', 'one'),"
    " (1, 'growth', 'holds the run', 'two')",
    "INSERT INTO holds (feed, kind, value, scope, guard, why, position, run_id, held_at, state)"
    f" VALUES ('court', 'host', 'c.example', 'subtree', 'popular', 'why', 3, 1, '{DAY}', 'waiting')",
    "INSERT INTO alerts (event, subject, marker, said, begun_at, told_at)"
    f" VALUES ('run_held', 'court', 'x', 'it waits', '{DAY}', '{DAY}')",
    f"INSERT INTO traffic (at, seconds, lookups, listed, unknown) VALUES ('{DAY}', 60, 5, 1, 0)",
    "INSERT INTO people (name, role, password, created_at, created_by)"
    f" VALUES ('anna', 'admin', 'hash', '{DAY}', 'test')",
    f"INSERT INTO links (hash, person_id, created_at, expires_at) VALUES ('key', 1, '{DAY}', '2999-01-01T00:00:00Z')",
    "INSERT INTO tokens (name, prefix, hash, role, created_at, created_by)"
    f" VALUES ('ad server', 'bl_', 'secret', 'viewer', '{DAY}', 'anna')",
)


def schema(path: Path) -> list[tuple[str, ...]]:
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name").fetchall()
    connection.close()
    return found


def test_no_row_is_lost_where_tables_get_other_names(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    old = sqlite_utils.Database(path)
    MIGRATIONS.apply(old, stop_before="m012_names")
    with old.conn:
        for statement in ROWS:
            old.execute(statement)
    old.close()
    store = Store(path)
    assert store.database.check() == []
    assert [item.rule.value for item in store.listings.candidates(["a.example"], [], [])] == ["a.example"]
    (change,), total = store.held_changes.find(1)
    assert (change.rule.value, change.entry, change.stands_out, total) == (
        *("b.example", "b.example", "the first under .example", 1),
    )
    assert store.guard_findings.of_run(1) == [
        GuardFinding("removed", Effect.HOLDS, "one"),
        GuardFinding("growth", Effect.HOLDS, "two"),
    ]
    assert [hold.rule.value for hold in store.holds.all()] == ["c.example"]
    assert [(row["sentence"], row["reported_at"]) for row in store.alerts.open()] == [("it waits", DAY)]
    assert [row["lookups"] for row in store.statistics.samples("")] == [5]
    assert (store.people.get("anna").role, store.people.password(1)) == (Role.ADMIN, "hash")
    link = store.sessions.link("key")
    assert link is not None
    assert link.person_id == 1
    token = store.tokens.by_hash("secret")
    assert token is not None
    assert token.name == "ad server"
    store.audit.add("anna", "test", "court")
    assert store.audit.broken_links() == []
    store.close()
    Store(tmp_path / "new.db").close()
    assert schema(path) == schema(tmp_path / "new.db")


def test_flags_begin_empty_and_decisions_stay_where_tables_are_added(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    old = sqlite_utils.Database(path)
    MIGRATIONS.apply(old, stop_before="m012_names")
    with old.conn:
        for statement in ROWS:
            old.execute(statement)
    MIGRATIONS.apply(old, stop_before="m013_flags")
    old.close()
    store = Store(path)
    assert store.flags.all(state=None) == []
    assert [(hold.rule.value, hold.state, hold.decided_by) for hold in store.holds.undecided()] == [
        ("c.example", HoldState.WAITING, None)
    ]
    assert store.runs.get(1).counts.flagged == 0
    store.close()
