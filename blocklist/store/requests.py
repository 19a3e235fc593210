"""Requests that created something, by their idempotency key: sent again, they are answered, not done again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from blocklist.domain.clock import later, now
from blocklist.store.base_table import Table

#: Seconds for which a key is remembered.
KEPT = 86_400


@dataclass(frozen=True, slots=True)
class KnownRequest:
    """A request that came before; ``answer`` is None while it is under way, or if its process died."""

    request_hash: str
    answer: dict[str, Any] | None


class Requests(Table):
    """The requests of the last day and their answers, by actor and key."""

    def begin(self, actor: str, key: str, request_hash: str) -> KnownRequest | None:
        """Note a request that begins and return None; or return the one that came before with the same key."""
        moment = now()
        with self._database.transaction():
            self._database.execute("DELETE FROM requests WHERE begun_at < ?", (later(moment, -KEPT),))
            row = self._database.row(
                "SELECT request_hash, answer FROM requests WHERE actor = ? AND key = ?", (actor, key)
            )
            if row is None:
                self._database.execute(
                    "INSERT INTO requests (actor, key, request_hash, begun_at) VALUES (?, ?, ?, ?)",
                    (actor, key, request_hash, moment),
                )
                return None
        return KnownRequest(row["request_hash"], json.loads(row["answer"]) if row["answer"] else None)

    def answered(self, actor: str, key: str, answer: dict[str, Any]) -> None:
        """Keep the answer to a request that was done."""
        values = {"answer": json.dumps(answer, ensure_ascii=False)}
        self._update("requests", values, "actor = ? AND key = ?", actor, key)

    def forget(self, actor: str, key: str) -> None:
        """Forget a request that changed nothing: sent again, it may be done."""
        with self._database.transaction():
            self._database.execute("DELETE FROM requests WHERE actor = ? AND key = ?", (actor, key))
