"""The log of all changes. Each event carries the hash of the event before it: an edit, a gap or a replacement shows.

The id and hash of the last event are kept beside the log, so that a cut-off end shows too. Who can write the database
can write a new log from some event on, with all hashes correct; only a hash that was noted elsewhere shows that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple

from blocklist.domain.clock import now
from blocklist.store.base_table import Table, all_of, containing, like, marks

#: What the first event carries as the hash before it.
_BEGINNING = "0" * 64
#: The address from which the current change was requested.
_ORIGIN: ContextVar[str] = ContextVar("origin", default="local")
#: What an event's hash covers, in this order, behind the hash of the event before.
_HASHED = ("at", "actor", "action", "target", "detail", "origin")


def set_origin(address: str | None) -> None:
    """Set the address from which the changes that follow in this thread are requested; None for this machine."""
    _ORIGIN.set(address or "local")


class EventHash(NamedTuple):
    """The id of an event and its hash."""

    id: int
    hash: str


class AuditLog(Table):
    """Who changed what, when and why."""

    def add(self, actor: str, action: str, target: str, **detail: Any) -> None:
        """Add an event, in the transaction of the change that it records."""
        with self._database.transaction():
            previous = self._database.value("SELECT hash FROM audit ORDER BY id DESC LIMIT 1") or _BEGINNING
            details = json.dumps(detail, ensure_ascii=False, sort_keys=True)
            event = dict(zip(_HASHED, (now(), actor, action, target, details, _ORIGIN.get()), strict=True))
            hash_ = _hash(previous, *event.values())
            id_ = self._insert("audit", **event, previous_hash=previous, hash=hash_)
            self._database.execute("UPDATE state SET audit_id = ?, audit_hash = ?", (id_, hash_))

    def events(self, limit: int = 100, before: int = 2**63 - 1, **texts: str) -> list[dict[str, Any]]:
        """Return the newest events with an id below ``before``, newest first.

        ``texts`` narrows them to those whose ``actor``, ``action`` or ``target`` contains a text, case ignored.
        """
        where, parameters = all_of(
            ("id < ?", before),
            *((containing(name), like(texts[name])) for name in ("actor", "action", "target") if texts.get(name)),
        )
        rows = self._database.rows(
            f"SELECT id, at, actor, origin, action, target, detail FROM audit WHERE {where} ORDER BY id DESC LIMIT ?",
            (*parameters, limit),
        )
        return [{**row, "detail": json.loads(row["detail"])} for row in rows]

    def actors(self, actions: Sequence[str], target: str, since: str) -> list[str]:
        """Return who did one of these actions to a target, from a moment on."""
        rows = self._database.tuples(
            f"SELECT DISTINCT actor FROM audit WHERE action IN ({marks(actions)}) AND target = ? AND at >= ?",
            (*actions, target, since),
        )
        return [actor for (actor,) in rows]

    def oldest_first(self) -> Iterator[dict[str, Any]]:
        """Yield all events, oldest first, each with its hash."""
        names = ("id", "at", "actor", "origin", "action", "target", "detail", "hash")
        for row in self._database.tuples(f"SELECT {', '.join(names)} FROM audit ORDER BY id"):
            event = dict(zip(names, row, strict=True))
            yield {**event, "detail": json.loads(event["detail"])}

    def last(self) -> EventHash:
        """Return the id and hash of the last event, as kept beside the log; id 0 before the first."""
        return next(self._database.named(EventHash, "SELECT audit_id, audit_hash FROM state"), EventHash(0, ""))

    def hash_of(self, id_: int) -> str | None:
        """Return the hash of an event; None where there is no such event."""
        return self._database.text("SELECT hash FROM audit WHERE id = ?", (id_,))

    def broken_links(self) -> list[int]:
        """Return the ids of events that do not follow from the one before, or are missing at the end.

        None of them in a log that nobody changed.
        """
        broken, last, id_ = [], _BEGINNING, 0
        with self._database.reading():
            for id_, previous, hash_, *event in self._database.tuples(
                f"SELECT id, previous_hash, hash, {', '.join(_HASHED)} FROM audit ORDER BY id"
            ):
                if previous != last or hash_ != _hash(last, *event):
                    broken.append(int(id_))
                last = hash_
            kept = self.last()
        if kept.id > id_:
            broken.append(kept.id)
        elif kept != (id_, last) and id_ and id_ not in broken:
            broken.append(id_)
        return broken


def _hash(*parts: str) -> str:
    # Events from before origins were kept have none, and were hashed without.
    parts = parts if parts[-1] else parts[:-1]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()
