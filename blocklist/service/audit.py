"""The audit log: verified, and given to take along."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Literal

from blocklist.domain.errors import UsageError
from blocklist.service.publishing import Publishing
from blocklist.text.csv_cells import csv_line

AuditFormat = Literal["jsonl", "csv"]
_COLUMNS = ("id", "at", "actor", "origin", "action", "target", "detail", "hash")


class AuditTasks(Publishing):
    """What is done with the audit log."""

    def export_audit(self, format_: AuditFormat) -> Iterator[str]:
        """Yield every event as a line, oldest first: JSON, or CSV whose cells no spreadsheet takes for formulas."""
        if format_ == "jsonl":
            for event in self.store.audit.oldest_first():
                yield json.dumps(event, ensure_ascii=False) + "\n"
            return
        yield csv_line(_COLUMNS)
        for event in self.store.audit.oldest_first():
            event["detail"] = json.dumps(event["detail"], ensure_ascii=False)
            yield csv_line(event[name] for name in _COLUMNS)

    def broken_audit(self, expected: str = "") -> list[int]:
        """Return the ids of events that were changed, replaced or cut off; none for a whole log.

        ``expected`` is an event's id and hash as they were noted elsewhere, such as ``12:5f3c…``: the log must hold it.

        :raises UsageError: it is no id and hash.
        """
        broken = self.store.audit.broken_links()
        if not expected:
            return broken
        id_, _, hash_ = expected.partition(":")
        if not id_.isdigit() or len(id_) > 18 or len(hash_) != 64:
            raise UsageError(f"{expected!r} is not ID:HASH, as 'blocklist audit verify' prints it")
        if self.store.audit.hash_of(int(id_)) != hash_:
            broken = sorted({*broken, int(id_)})
        return broken
