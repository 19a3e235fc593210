"""Overrides: kept for good; removing one gives it an end."""

from __future__ import annotations

from blocklist.domain.clock import now
from blocklist.domain.listing import Rule
from blocklist.domain.verdict import Override, OverrideAction
from blocklist.store.base_table import Table
from blocklist.store.mapping import mapper


class Overrides(Table):
    """What admins decided about targets."""

    def add(
        self, action: OverrideAction, rule: Rule, reason: str, author: str, until: str | None, waits: bool = False
    ) -> Override:
        """Keep an override and return it; one that ``waits`` counts from when it is confirmed."""
        moment = now()
        confirmed = {} if waits else {"confirmed_at": moment, "confirmed_by": author}
        decided = {"reason": reason, "author": author, "created_at": moment, "until": until}
        return self.get(self._insert("overrides", action=action.value, **rule._asdict(), **decided, **confirmed))

    def confirm(self, id_: int, by: str) -> None:
        """Let an override count from now on."""
        self._update("overrides", {"confirmed_at": now(), "confirmed_by": by}, "id = ? AND confirmed_at IS NULL", id_)

    def get(self, id_: int) -> Override:
        """Return an override, removed or not.

        :raises NotFoundError: there never was one of this id.
        """
        return _override(self._get("override", "SELECT * FROM overrides WHERE id = ?", id_))

    def all(self) -> list[Override]:
        """Return all overrides that were not removed, expired ones included, oldest first."""
        return self.page(limit=None)

    def page(self, *, after: int = 0, limit: int | None = 100, removed: bool = False) -> list[Override]:
        """Return up to ``limit`` overrides, oldest first, those after an id; ``removed`` ones too."""
        which = "id > ?" if removed else "removed_at IS NULL AND id > ?"
        return [_override(row) for row in self._page("overrides", limit, (which, after))]

    def waiting(self) -> int:
        """Return how many overrides wait for a second person."""
        return self._database.number("SELECT count(*) FROM overrides WHERE confirmed_at IS NULL AND removed_at IS NULL")

    def active(self, moment: str | None = None) -> list[Override]:
        """Return all overrides that were in force at a moment (now where none is given), oldest first."""
        return self._database.mapped(
            _override,
            "SELECT * FROM overrides WHERE confirmed_at <= ? AND (removed_at IS NULL OR removed_at > ?)"
            " AND (until IS NULL OR until > ?) ORDER BY id",
            [moment or now()] * 3,
        )

    def remove(self, id_: int, by: str) -> None:
        """Note an override's end."""
        self._update("overrides", {"removed_at": now(), "removed_by": by}, "id = ? AND removed_at IS NULL", id_)


_override = mapper(Override)
