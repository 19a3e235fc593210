"""Entries that are held alone, and the decisions on them."""

from __future__ import annotations

from blocklist.config.settings import Settings
from blocklist.domain.run import HeldEntry
from blocklist.refresh.run import Refresher
from blocklist.service import hold_decisions
from blocklist.service.publishing import Publisher
from blocklist.service.runs import refuse_own_run
from blocklist.store import Store


class HoldService:
    """The entries held alone of every feed."""

    def __init__(self, store: Store, settings: Settings, refresher: Refresher, publisher: Publisher) -> None:
        self._store = store
        self._settings = settings
        self._refresher = refresher
        self._publisher = publisher
        self.get, self.all, self.page, self.waiting = (
            *(store.holds.get, store.holds.all),
            *(store.holds.page, store.holds.waiting),
        )

    def approve(self, id_: int, actor: str, reason: str) -> HeldEntry:
        """List an entry that was held alone, now and in later lists of its feed, and publish.

        :raises ConflictError: it is not waiting for a decision.
        :raises ForbiddenError: two people must agree, and the actor started the run of the entry or changed its feed.
        """
        hold = self._store.holds.get(id_)
        refuse_own_run(self._store, self._settings.access, hold.run, actor, before=hold.held_at)
        hold = hold_decisions.approve(self._store, self._refresher, id_, actor, reason)
        self._publisher.publish()
        return hold

    def refuse(self, id_: int, actor: str, reason: str) -> HeldEntry:
        """Keep an entry that was held alone off the list, in later lists of its feed too.

        :raises ConflictError: it is not waiting for a decision.
        """
        return hold_decisions.refuse(self._store, self._refresher, id_, actor, reason)

    def revoke(self, id_: int, actor: str, reason: str) -> HeldEntry:
        """Take back the decision on an entry, and publish: it waits again, and is not listed until decided.

        :raises ConflictError: there is no decision on it.
        """
        hold = hold_decisions.revoke(self._store, self._refresher, id_, actor, reason)
        self._publisher.publish()
        return hold
