"""The log of every change. Each event carries the hash of the one before: an edit, a gap or a replacement shows.

The id and hash of the last event are kept beside it, so that a cut-off end shows too. Whoever can write the database
can make up a new log from some event on, with every hash fitting; only a hash that was noted elsewhere tells then.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any

from blocklist.domain.clock import now
from blocklist.store.database import Database, like

_BEGINNING = "0" * 64
#: The address that the change under way was asked for from.
_ORIGIN: ContextVar[str] = ContextVar("origin", default="local")


def set_origin(address: str | None) -> None:
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
            hash_ = _hash(last, *event)
            id_ = self._database.insert(
                "INSERT INTO audit (at, actor, action, target, detail, origin, previous_hash, hash)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
                (*event, last, hash_),
            )
            self._database.execute("UPDATE state SET audit_id = ?, audit_hash = ?", (id_, hash_))

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

    def actors(self, actions: Sequence[str], target: str, since: str) -> list[str]:
        """Return who did one of these things to a target, from a moment on."""
        rows = self._database.tuples(
            f"SELECT DISTINCT actor FROM audit WHERE action IN ({', '.join('?' * len(actions))})"
            " AND target = ? AND at >= ?",
            (*actions, target, since),
        )
        return [actor for (actor,) in rows]

    def oldest_first(self) -> Iterator[dict[str, Any]]:
        """Yield every event, oldest first, with the hash that the next one carries."""
        names = ("id", "at", "actor", "origin", "action", "target", "detail", "hash")
        for row in self._database.tuples(f"SELECT {', '.join(names)} FROM audit ORDER BY id"):
            event = dict(zip(names, row, strict=True))
            yield {**event, "detail": json.loads(event["detail"])}

    def last(self) -> tuple[int, str]:
        """Return the id and hash of the last event, as kept beside the log; 0 before the first."""
        row = self._database.row("SELECT audit_id, audit_hash FROM state")
        return (int(row["audit_id"]), str(row["audit_hash"])) if row else (0, "")

    def hash_of(self, id_: int) -> str | None:
        """Return the hash of an event, None where there is none."""
        found: str | None = self._database.value("SELECT hash FROM audit WHERE id = ?", (id_,))
        return found

    def broken_links(self) -> list[int]:
        """Return the ids of events that do not follow from the one before, or are gone from the end.

        None for an untouched log.
        """
        columns = ("id", "previous_hash", "hash", "at", "actor", "action", "target", "detail", "origin")
        broken, last, id_ = [], _BEGINNING, 0
        with self._database.reading():
            for id_, previous, hash_, *event in self._database.tuples(
                f"SELECT {', '.join(columns)} FROM audit ORDER BY id"
            ):
                if previous != last or hash_ != _hash(last, *event):
                    broken.append(int(id_))
                last = hash_
            kept_id, kept_hash = self.last()
        if kept_id > id_:
            broken.append(kept_id)
        elif (kept_id, kept_hash) != (id_, last) and id_ and id_ not in broken:
            broken.append(id_)
        return broken


def _hash(*parts: str) -> str:
    # Events of the time before origins were kept have none, and were hashed without.
    parts = parts if parts[-1] else parts[:-1]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()
