"""Entries that are listed and worth a look: dismissed where they are right, allowed with an override where not."""

from __future__ import annotations

from blocklist.domain.errors import ConflictError, UsageError
from blocklist.domain.run import FlaggedEntry, FlagState
from blocklist.domain.verdict import Override, OverrideAction
from blocklist.service.overrides import OverrideService
from blocklist.store import Store


class FlagService:
    """The flagged entries of every feed. They are listed: a flag blocks nothing and holds nothing."""

    def __init__(self, store: Store, overrides: OverrideService) -> None:
        self._store = store
        self._overrides = overrides
        self.get, self.all = store.flags.get, store.flags.all
        self.page, self.open = store.flags.page, store.flags.open

    def dismiss(self, id_: int, actor: str, reason: str) -> FlaggedEntry:
        """Close a flag, and those of the same rule in other feeds: the site is listed rightly, and stays listed.

        :raises ConflictError: it is not open.
        :raises UsageError: the reason is empty.
        """
        if not reason.strip():
            raise UsageError("a decision needs a reason: it is kept as evidence")
        with self._store.database.transaction():
            flag = self._open(id_)
            self._store.flags.decide(flag.rule, FlagState.DISMISSED, actor, reason)
            facts = {"feed": flag.feed, "entry": flag.rule.value, "reason": reason, "flagged_for": flag.why}
            self._store.audit.add(actor, "flag.dismiss", str(id_), **facts)
        return self._store.flags.get(id_)

    def allow(self, id_: int, actor: str, reason: str) -> Override:
        """Allow a flagged site with an override, which closes the flag (see :meth:`.OverrideService.add`).

        :raises ConflictError: the flag is not open.
        :raises UsageError: the reason is empty.
        """
        return self._overrides.add(OverrideAction.ALLOW, self._open(id_).rule.value, reason, actor)

    def _open(self, id_: int) -> FlaggedEntry:
        flag = self._store.flags.get(id_)
        if flag.state is not FlagState.OPEN:
            who = f" by {flag.decided_by}: {flag.reason}" if flag.decided_by else ""
            raise ConflictError(f"flag {id_} ({flag.rule.value}) is not open: it is {flag.state}{who}")
        return flag
