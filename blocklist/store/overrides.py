"""Overrides: kept for good; removing one gives it an end."""

from __future__ import annotations

from blocklist.domain.clock import now
from blocklist.domain.errors import NotFoundError
from blocklist.domain.listing import Rule
from blocklist.domain.verdict import Override, OverrideAction
from blocklist.store.mapping import mapper
from blocklist.store.table import Table


class Overrides(Table):
    """What admins decided about targets."""

    def add(
        self, action: OverrideAction, rule: Rule, reason: str, author: str, until: str | None, waits: bool = False
    ) -> Override:
        """Keep an override and return it; one that ``waits`` counts from when it is confirmed."""
        moment = now()
        confirmed = (None, None) if waits else (moment, author)
        with self._database.transaction():
            id_ = self._database.insert(
                "INSERT INTO overrides"
                " (action, kind, value, scope, reason, author, created_at, until, confirmed_at, confirmed_by)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
                (*(action.value, *rule), reason, author, moment, until, *confirmed),
            )
        return self.get(id_)

    def confirm(self, id_: int, by: str) -> None:
        """Let an override count from now on."""
        self._update("overrides", {"confirmed_at": now(), "confirmed_by": by}, "id = ? AND confirmed_at IS NULL", id_)

    def get(self, id_: int) -> Override:
        """Return an override, removed or not.

        :raises NotFoundError: there never was one of this id.
        """
        row = self._database.row("SELECT * FROM overrides WHERE id = ?", (id_,))
        if row is None:
            raise NotFoundError(f"there is no override {id_}: 'blocklist override list' shows those there are")
        return _override(row)

    def all(self) -> list[Override]:
        """Return all overrides that were not removed, expired ones included, oldest first."""
        return [_override(row) for row in self._database.rows(f"{_NOT_REMOVED} ORDER BY id")]

    def page(self, *, after: int = 0, limit: int = 100, removed: bool = False) -> list[Override]:
        """Return up to ``limit`` overrides, oldest first, those after an id; ``removed`` ones too."""
        which = "SELECT * FROM overrides WHERE true" if removed else _NOT_REMOVED
        rows = self._database.rows(f"{which} AND id > ? ORDER BY id LIMIT ?", (after, limit))
        return [_override(row) for row in rows]

    def waiting(self) -> int:
        """Return how many overrides wait for a second person."""
        return int(
            self._database.value("SELECT count(*) FROM overrides WHERE confirmed_at IS NULL AND removed_at IS NULL")
        )

    def active(self, moment: str | None = None) -> list[Override]:
        """Return all overrides that were in force at a moment (now where none is given), oldest first."""
        rows = self._database.rows(
            "SELECT * FROM overrides WHERE confirmed_at <= ? AND (removed_at IS NULL OR removed_at > ?)"
            " AND (until IS NULL OR until > ?) ORDER BY id",
            [moment or now()] * 3,
        )
        return [_override(row) for row in rows]

    def remove(self, id_: int, by: str) -> None:
        """Note an override's end."""
        self._update("overrides", {"removed_at": now(), "removed_by": by}, "id = ? AND removed_at IS NULL", id_)


_NOT_REMOVED = "SELECT * FROM overrides WHERE removed_at IS NULL"
_override = mapper(Override)
