"""Entries that are held alone, and the decisions on them."""

from __future__ import annotations

from blocklist.domain.run import HeldEntry
from blocklist.service import hold_decisions
from blocklist.service.runs import RunTasks


class HoldTasks(RunTasks):
    """What is decided on single entries."""

    def approve_hold(self, id_: int, actor: str, reason: str) -> HeldEntry:
        """List an entry that was held alone, now and in later lists of its feed, and publish.

        :raises ConflictError: it does not wait.
        :raises ForbiddenError: two people must agree, and its run is the actor's own doing.
        """
        hold = self.store.holds.get(id_)
        self.check_two_people(hold.run, actor, before=hold.held_at)
        hold = hold_decisions.approve(self.store, self.refresher, id_, actor, reason)
        self.publish()
        return hold

    def refuse_hold(self, id_: int, actor: str, reason: str) -> HeldEntry:
        """Keep an entry that was held alone off the list, in later lists of its feed too.

        :raises ConflictError: it does not wait.
        """
        return hold_decisions.refuse(self.store, self.refresher, id_, actor, reason)

    def revoke_hold(self, id_: int, actor: str, reason: str) -> HeldEntry:
        """Take the decision on an entry back: it waits again, and is not listed meanwhile; and publish.

        :raises ConflictError: nobody decided on it.
        """
        hold = hold_decisions.revoke(self.store, self.refresher, id_, actor, reason)
        self.publish()
        return hold
