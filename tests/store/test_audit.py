"""The audit log, and what shows when somebody changes it behind the service's back."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sqlite3
from pathlib import Path

import pytest
import sqlite_utils

from blocklist.domain.errors import UsageError
from blocklist.service import Service
from blocklist.store import Store
from blocklist.store.audit import set_origin
from blocklist.store.engine.sqlite.schema.migrations import MIGRATIONS
from tests.support import settings_for

_OFF = (
    "PRAGMA recursive_triggers = OFF",
    "DROP TRIGGER audit_stays",
    "DROP TRIGGER audit_stays_whole",
)


@pytest.fixture
def kept(tmp_path: Path) -> Store:
    store = Store(tmp_path / "blocklist.db")
    for number in range(1, 6):
        store.audit.add("anna", "override.allow", f"site-{number}.example", reason="appeal won")
    return store


def changed_by_hand(store: Store, *statements: str) -> list[int]:
    """Change the database as somebody with a shell would; return what the log says then."""
    with sqlite3.connect(store.database.path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    try:
        return store.audit.broken_links()
    finally:
        store.close()


_INTO = "INSERT OR REPLACE INTO audit SELECT"
_COPY = f"{_INTO} id, at, actor, action, 'other.example', detail, previous_hash, hash, origin"
_MORE = f"{_INTO} 9, at, actor, action, target, detail, hash, hash, origin"


@pytest.mark.parametrize(
    ("statements", "broken"),
    [
        (("UPDATE audit SET actor = 'bert' WHERE id = 3",), [3]),
        (("UPDATE audit SET origin = '203.0.113.7' WHERE id = 3",), [3]),
        (("DELETE FROM audit WHERE id = 3",), [4]),
        (("DELETE FROM audit WHERE id = 1",), [2]),
        (("DELETE FROM audit WHERE id = 5",), [5]),
        (("DELETE FROM audit WHERE id > 2",), [5]),
        (("DELETE FROM audit",), [5]),
        ((f"{_COPY} FROM audit WHERE id = 3",), [3]),
        ((f"{_COPY} FROM audit WHERE id = 5",), [5]),
        ((f"{_MORE} FROM audit WHERE id = 5",), [9]),
    ],
)
def test_an_edit_a_gap_a_replacement_and_a_cut_off_end_show(
    kept: Store, statements: tuple[str, ...], broken: list[int]
) -> None:
    assert kept.audit.broken_links() == []
    assert changed_by_hand(kept, *_OFF, *statements) == broken


def test_a_replacement_that_bypasses_the_triggers_breaks_the_chain(kept: Store) -> None:
    # SQLite deletes what it replaces without the DELETE trigger, unless recursive_triggers is on.
    assert changed_by_hand(kept, f"{_COPY} FROM audit WHERE id = 2") == [2]


def test_a_forged_event_with_a_correct_hash_shows_at_the_next_event_or_at_the_end(kept: Store) -> None:
    (previous,) = kept.database.rows("SELECT previous_hash, at, actor, action, detail, origin FROM audit WHERE id = 5")
    event = [previous[name] for name in ("at", "actor", "action")] + ["forged.example", previous["detail"], "local"]
    hash_ = hashlib.sha256(json.dumps([previous["previous_hash"], *event], ensure_ascii=False).encode()).hexdigest()
    forged = f"UPDATE audit SET target = 'forged.example', hash = '{hash_}' WHERE id = 5"
    assert changed_by_hand(kept, *_OFF, forged) == [5]


def test_a_hash_noted_elsewhere_shows_that_the_log_was_rewritten(service: Service) -> None:
    service.store.audit.add("anna", "override.allow", "a.example")
    id_, hash_ = service.store.audit.last()
    assert service.broken_audit(f"{id_}:{hash_}") == []
    assert service.broken_audit(f"{id_}:{'0' * 64}") == [1]
    assert service.broken_audit(f"7:{hash_}") == [7]
    for nonsense in ("x", "1:", f"-1:{hash_}", f"{'9' * 30}:{hash_}"):
        with pytest.raises(UsageError, match="not ID:HASH"):
            service.broken_audit(nonsense)


def test_an_event_names_the_address_of_its_request(kept: Store) -> None:
    set_origin("203.0.113.7")
    kept.audit.add("anna", "feed.pause", "court")
    set_origin(None)
    kept.audit.add("anna", "feed.resume", "court")
    assert [event["origin"] for event in kept.audit.events(2)] == ["local", "203.0.113.7"]
    assert kept.audit.broken_links() == []


def test_a_change_that_was_rolled_back_leaves_no_event_and_no_break(kept: Store) -> None:
    with pytest.raises(RuntimeError), kept.database.transaction():
        kept.audit.add("anna", "override.allow", "b.example")
        raise RuntimeError
    assert kept.audit.events(1)[0]["target"] == "site-5.example"
    assert kept.audit.broken_links() == []


def test_the_whole_log_is_exported_with_cells_that_no_spreadsheet_executes(tmp_path: Path) -> None:
    service = Service(settings_for(tmp_path / "data"))
    service.store.audit.add('=HYPERLINK("http://evil.example")', "override.allow", "@a.example", reason='won, "really"')
    (line,) = service.export_audit("jsonl")
    event = json.loads(line)
    assert event["detail"] == {"reason": 'won, "really"'}
    assert event["hash"] == service.store.audit.last()[1]
    rows = list(csv.DictReader(io.StringIO("".join(service.export_audit("csv")))))
    assert rows[0]["actor"] == '\'=HYPERLINK("http://evil.example")'
    assert rows[0]["target"] == "'@a.example"
    assert rows[0]["detail"] == '{"reason": "won, \\"really\\""}'
    service.close()


def test_a_log_from_before_origins_were_kept_is_intact_after_the_upgrade(tmp_path: Path) -> None:
    path = tmp_path / "blocklist.db"
    old = sqlite_utils.Database(path)
    MIGRATIONS.apply(old, stop_before="m006_tokens")
    event = ("2026-01-02T03:04:05Z", "anna", "override.allow", "a.example", "{}")
    hash_ = hashlib.sha256(json.dumps(["0" * 64, *event]).encode()).hexdigest()
    old.execute(
        "INSERT INTO audit (at, actor, action, target, detail, previous_hash, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*event, "0" * 64, hash_),
    )
    old.execute(
        "INSERT INTO overrides (action, kind, value, scope, reason, author, created_at)"
        " VALUES ('allow', 'host', 'a.example', 'subtree', 'appeal won', 'anna', '2026-01-02T03:04:05Z')"
    )
    old.conn.commit()
    old.close()
    store = Store(path)
    store.audit.add("bert", "feed.pause", "court")
    assert store.audit.broken_links() == []
    assert store.audit.last()[0] == 2
    assert [override.confirmed_by for override in store.overrides.active()] == ["anna"]
    store.close()
