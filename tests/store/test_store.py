"""The database: transactions, versions, feeds, runs, overrides and the audit log."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

import pytest

from blocklist.definitions.definition import definition_of
from blocklist.domain.errors import ConflictError, NotFoundError, StoreError
from blocklist.domain.listing import Rejected
from blocklist.domain.run import Outcome, RunCounts, Stage
from blocklist.domain.verdict import OverrideAction
from blocklist.store import Store
from tests.support import definition, host_rule


def raw(store: Store) -> sqlite3.Connection:
    return sqlite3.connect(store.database.path, isolation_level=None)


def test_the_database_is_durable_and_guarded(store: Store) -> None:
    pragma = {name: store.database.value(f"PRAGMA {name}") for name in ("journal_mode", "synchronous", "foreign_keys")}
    assert pragma == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    assert store.database.value("PRAGMA recursive_triggers") == 1
    assert store.database.check() == []


def test_other_users_of_the_machine_may_not_read_a_new_database(tmp_path: Path) -> None:
    path = tmp_path / "blocklist.db"
    before = os.umask(0o002)
    try:
        opened = Store(path)
    finally:
        os.umask(before)
    modes = {item.name: item.stat().st_mode & 0o777 for item in tmp_path.iterdir() if item.is_file()}
    opened.close()
    assert modes == dict.fromkeys(("blocklist.db", "blocklist.db-wal", "blocklist.db-shm"), 0o660)


def test_a_transaction_keeps_all_of_its_writes_or_none(store: Store) -> None:
    with pytest.raises(RuntimeError), store.database.transaction():
        store.feeds.add(definition("one"))
        raise RuntimeError
    assert store.feeds.all() == []
    with store.database.transaction():
        store.feeds.add(definition("one"))
        with store.database.transaction():
            store.feeds.add(definition("two"))
    assert [feed.name for feed in store.feeds.all()] == ["one", "two"]


def test_each_thread_has_its_own_connection_and_sees_the_last_commit(store: Store) -> None:
    seen: list[int] = []
    with store.database.transaction():
        store.feeds.add(definition("one"))
        thread = threading.Thread(target=lambda: seen.append(len(store.feeds.all())))
        thread.start()
        thread.join()
    assert seen == [0]


def test_a_database_opened_again_has_what_was_committed(tmp_path: Path) -> None:
    first = Store(tmp_path / "x.db")
    first.feeds.add(definition("one"))
    first.close()
    second = Store(tmp_path / "x.db")
    assert [feed.name for feed in second.feeds.all()] == ["one"]
    second.close()


def test_a_database_from_a_newer_version_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    Store(path).close()
    with sqlite3.connect(path) as connection:
        (table,) = connection.execute(
            "SELECT name FROM sqlite_master WHERE name LIKE '%migrations%' AND type = 'table'"
        )
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table[0]})")]
        name = {"migration_set": "blocklist", "name": "m999_from_the_future"}
        values = [name.get(column, "2999-01-01") if column != "id" else None for column in columns]
        connection.execute(f"INSERT INTO {table[0]} VALUES ({', '.join('?' * len(columns))})", values)
    connection.close()
    with pytest.raises(StoreError, match=r"comes from a newer version of blocklist \(it has m999_from_the_future\); "):
        Store(path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match=r"x\.db: the database cannot be used: "):
        Store(path)


def test_a_folder_that_cannot_be_used_gives_an_error_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "shut").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="check the folder's permissions"):
        Store(tmp_path / "shut" / "x.db")


def test_a_feed_is_due_at_once_and_shows_its_definition(store: Store) -> None:
    added = store.feeds.add(definition("court", every="6h", title="A court", legal_basis="Art. 1"))
    assert (added.title, added.every, added.paused, added.listed) == ("A court", 21_600, False, 0)
    assert (added.last_attempt, added.last_success, added.last_change) == (None, None, None)
    assert definition_of(added) == definition("court", every="6h", title="A court", legal_basis="Art. 1")
    assert [feed.name for feed in store.feeds.due("2999-01-01T00:00:00Z")] == ["court"]
    assert store.feeds.due("2000-01-01T00:00:00Z") == []


def test_a_paused_feed_is_never_due(store: Store) -> None:
    store.feeds.add(definition("court"))
    store.feeds.set_paused("court", True)
    assert store.feeds.due("2999-01-01T00:00:00Z") == []
    store.feeds.set_paused("court", False)
    assert len(store.feeds.due("2999-01-01T00:00:00Z")) == 1


def test_two_feeds_cannot_have_one_name_and_an_unknown_one_is_an_error(store: Store) -> None:
    store.feeds.add(definition("court"))
    with pytest.raises(ConflictError, match="feed 'court' exists already"):
        store.feeds.add(definition("court"))
    with pytest.raises(NotFoundError, match="there is no feed 'other': 'blocklist feed list' shows"):
        store.feeds.get("other")


def test_a_run_keeps_its_counts_its_body_and_its_rejections(store: Store) -> None:
    feed = store.feeds.add(definition("court"))
    run_id = store.runs.start(feed.id, "somebody", "2026-01-01T00:00:00Z")
    assert [run.id for run in store.runs.unfinished(feed.id)] == [run_id]
    store.runs.reach(run_id, Stage.GUARD)
    store.runs.note_body(run_id, "ab" * 32, 12, {"etag": '"x"'})
    store.runs.keep_rejections(run_id, [Rejected("x" * 900, 7, "syntax", "why"), Rejected("y", 3, "empty", "why")])
    counts = RunCounts(entries=5, rules=3, rejected=2)
    store.runs.finish(run_id, Outcome.HELD, "a reason", counts, {"syntax": 1, "empty": 1})
    run = store.runs.get(run_id)
    assert (run.feed, run.trigger, run.stage, run.outcome, run.reason) == (
        "court",
        "somebody",
        Stage.GUARD,
        Outcome.HELD,
        "a reason",
    )
    assert (run.counts, run.rejected_by_code) == (counts, {"syntax": 1, "empty": 1})
    assert (run.body_sha256, run.body_bytes, store.runs.validators(run_id)) == ("ab" * 32, 12, {"etag": '"x"'})
    assert [(item.position, len(item.raw)) for item in store.runs.rejections(run_id)] == [(3, 1), (7, 500)]
    assert run.review is not None
    assert run.review["state"] == "pending"
    assert [pending.id for pending in store.runs.pending()] == [run_id]
    with pytest.raises(NotFoundError, match="there is no run 99"):
        store.runs.get(99)


def test_an_override_is_active_until_it_expires_or_is_removed(store: Store) -> None:
    target = host_rule("a.example")
    for until in (None, "2000-01-01T00:00:00Z", "2999-01-01T00:00:00Z"):
        store.overrides.add(OverrideAction.ALLOW, target, "why", "who", until)
    assert [item.id for item in store.overrides.active()] == [1, 3]
    assert [item.id for item in store.overrides.active("2999-06-01T00:00:00Z")] == [1]
    assert store.overrides.active("1999-01-01T00:00:00Z") == []
    store.overrides.remove(1, "who")
    assert [item.id for item in store.overrides.active("2998-01-01T00:00:00Z")] == [3]
    assert [item.id for item in store.overrides.all()] == [2, 3]
    assert store.overrides.get(1).removed_at
    with pytest.raises(NotFoundError, match="there is no override 9"):
        store.overrides.get(9)


def test_the_audit_log_is_a_chain_that_the_store_itself_cannot_change(store: Store) -> None:
    for number in range(3):
        store.audit.add("someone", "feed.add", f"feed-{number}", reason="Grüße")
    assert store.audit.broken_links() == []
    assert [(event["target"], event["detail"]) for event in store.audit.events(2)] == [
        ("feed-2", {"reason": "Grüße"}),
        ("feed-1", {"reason": "Grüße"}),
    ]
    for statement in (
        "UPDATE audit SET actor = 'x'",
        "DELETE FROM audit",
        "INSERT OR REPLACE INTO audit SELECT * FROM audit",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="audit events are never"), store.database.transaction():
            store.database.execute(statement)


@pytest.mark.parametrize(
    ("edit", "broken"),
    [
        ("UPDATE audit SET actor = 'somebody else' WHERE id = 2", [2]),
        ("UPDATE audit SET at = '2000-01-01T00:00:00Z' WHERE id = 1", [1]),
        ("UPDATE audit SET detail = '{}' WHERE id = 3", [3]),
        ("DELETE FROM audit WHERE id = 2", [3]),
        ("UPDATE audit SET id = 9 WHERE id = 2", [3, 9]),
        ("UPDATE audit SET hash = previous_hash WHERE id = 2", [2, 3]),
    ],
)
def test_an_edit_of_the_audit_log_by_hand_shows(store: Store, edit: str, broken: list[int]) -> None:
    for number in range(4):
        store.audit.add("someone", "feed.add", f"feed-{number}", reason="why")
    connection = raw(store)
    connection.execute("DROP TRIGGER audit_stays")
    connection.execute("DROP TRIGGER audit_stays_whole")
    connection.execute(edit)
    connection.close()
    assert store.audit.broken_links() == broken


def test_the_counter_of_contents_and_the_versions_only_grow(store: Store) -> None:
    assert (store.snapshots.contents(), store.snapshots.next_version(), store.snapshots.newest()) == (0, 1, None)
    store.snapshots.contents_changed()
    row = {"version": 4, "file": "f", "sha256": "s", "bytes": 1, "rules": 2, "built_at": "t", "contents": 1}
    store.snapshots.add(row)
    assert (store.snapshots.contents(), store.snapshots.next_version()) == (1, 5)
    newest = store.snapshots.newest()
    assert newest is not None
    assert {name: newest[name] for name in row} == row
