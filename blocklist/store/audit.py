"""The log of every change. Each event carries the hash of the one before: an edit or a gap shows."""

from __future__ import annotations

import hashlib
import json
from contextvars import ContextVar
from typing import Any

from blocklist.clock import now
from blocklist.store.database import Database, like

_BEGINNING = "0" * 64
#: The address that the change under way was asked for from.
_ORIGIN: ContextVar[str] = ContextVar("origin", default="local")


def come_from(address: str | None) -> None:
    """Say from which address what follows in this thread was asked for; None: from this machine, by a command."""
    _ORIGIN.set(address or "local")


class AuditLog:
    """Who changed what, when and why."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, actor: str, action: str, target: str, **detail: Any) -> None:
        """Add an event, in the transaction of the change that it tells of."""
        with self._database.transaction():
            last = self._database.value("SELECT hash FROM audit ORDER BY id DESC LIMIT 1") or _BEGINNING
            told = json.dumps(detail, ensure_ascii=False, sort_keys=True)
            event = (now(), actor, action, target, told, _ORIGIN.get())
            self._database.insert(
                "INSERT INTO audit (at, actor, action, target, detail, origin, previous_hash, hash)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
                (*event, last, _hash(last, *event)),
            )

    def events(self, limit: int = 100, before: int = 2**63 - 1, **containing: str) -> list[dict[str, Any]]:
        """Return the newest events older than event ``before``, newest first.

        ``containing`` narrows them to those whose ``actor``, ``action`` or ``target`` has a text in it, case ignored.
        """
        conditions, parameters = ["id < ?"], [before]  # type: tuple[list[str], list[Any]]
        for column in ("actor", "action", "target"):
            if containing.get(column):
                conditions.append(f"lower({column}) LIKE ? ESCAPE '\\'")
                parameters.append(like(containing[column]))
        rows = self._database.rows(
            "SELECT id, at, actor, origin, action, target, detail FROM audit"
            f" WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT ?",
            (*parameters, limit),
        )
        return [{**row, "detail": json.loads(row["detail"])} for row in rows]

    def broken_links(self) -> list[int]:
        """Return the ids of events that do not follow from the one before; none for an untouched log."""
        broken, last = [], _BEGINNING
        for row in self._database.rows("SELECT * FROM audit ORDER BY id"):
            event = tuple(row[name] for name in ("at", "actor", "action", "target", "detail", "origin"))
            if row["previous_hash"] != last or row["hash"] != _hash(last, *event):
                broken.append(int(row["id"]))
            last = row["hash"]
        return broken


def _hash(*parts: str) -> str:
    # Events of the time before origins were kept have none, and were hashed without.
    parts = parts if parts[-1] else parts[:-1]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()
