"""The audit log: its newest events, its verification, and its export."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Literal

from blocklist.domain.errors import UsageError
from blocklist.store import Store
from blocklist.store.audit import set_origin
from blocklist.text.csv_cells import csv_line

AuditFormat = Literal["jsonl", "csv"]
_COLUMNS = ("id", "at", "actor", "origin", "action", "target", "detail", "hash")


class AuditService:
    """The log of every change. Each event is written in the transaction of the change that it describes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.events, self.last = store.audit.events, store.audit.last
        self.set_origin = set_origin

    def export(self, format_: AuditFormat) -> Iterator[str]:
        """Yield every event as a line, oldest first: JSON, or CSV in which no cell is a formula to a spreadsheet."""
        if format_ == "jsonl":
            for event in self._store.audit.oldest_first():
                yield json.dumps(event, ensure_ascii=False) + "\n"
            return
        yield csv_line(_COLUMNS)
        for event in self._store.audit.oldest_first():
            event["detail"] = json.dumps(event["detail"], ensure_ascii=False)
            yield csv_line(event[name] for name in _COLUMNS)

    def broken(self, expected: str = "") -> list[int]:
        """Return the ids of events that were changed, replaced or cut off; an empty list for an intact log.

        ``expected`` is the id and hash of an event, noted elsewhere, such as ``12:5f3c…``: the log must contain it.

        :raises UsageError: ``expected`` is not an id and a hash.
        """
        broken = self._store.audit.broken_links()
        if not expected:
            return broken
        id_, _, hash_ = expected.partition(":")
        if not id_.isdigit() or len(id_) > 18 or len(hash_) != 64:
            raise UsageError(f"{expected!r} is not ID:HASH, as 'blocklist audit verify' prints it")
        if self._store.audit.hash_of(int(id_)) != hash_:
            broken = sorted({*broken, int(id_)})
        return broken
