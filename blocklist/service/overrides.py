"""Overrides: an admin's word above every listing."""

from __future__ import annotations

from blocklist.clock import now
from blocklist.errors import ConflictError, UsageError
from blocklist.normalize.rules import Reading, site_rule
from blocklist.service.publishing import Publishing
from blocklist.service.targets import read_target
from blocklist.vocabulary import Entry, Override, OverrideAction, Rejected, Rule, RuleKind, Scope


class OverrideTasks(Publishing):
    """What is done with overrides."""

    def add_override(
        self, action: OverrideAction, target: str, reason: str, actor: str, until: str | None = None
    ) -> Override:
        """Allow or block a host (with all below it), a URL (with all below its path), an address, or ``app:ID``.

        :raises UsageError: the target is none of these, the reason is empty, or the time is past.
        """
        if not reason.strip():
            raise UsageError("an override needs a reason: it is what the next person will ask for")
        if until is not None and until <= now():
            raise UsageError(f"--until {until} is past")
        rule = override_rule(target)
        with self.store.database.transaction():
            override = self.store.overrides.add(action, rule, reason, actor, until)
            self.store.snapshots.contents_changed()
            self.store.audit.add(
                actor,
                f"override.{action}",
                rule.value,
                id=override.id,
                kind=rule.kind.value,
                reason=reason,
                until=until,
            )
        self.publish()
        return override

    def remove_override(self, id_: int, actor: str) -> Override:
        """End an override.

        :raises NotFoundError: there is no such override.
        :raises ConflictError: it was removed already.
        """
        with self.store.database.transaction():
            override = self.store.overrides.get(id_)
            if override.removed_at:
                raise ConflictError(f"override {id_} was removed already, on {override.removed_at}")
            self.store.overrides.remove(id_, actor)
            self.store.snapshots.contents_changed()
            self.store.audit.add(actor, "override.remove", override.rule.value, id=id_)
        self.publish()
        return self.store.overrides.get(id_)


def override_rule(text: str) -> Rule:
    """Return the rule that an override of a target means.

    :raises UsageError: why it means none.
    """
    target = read_target(text)
    if target.app is not None:
        return Rule(RuleKind.APP, target.app, Scope.EXACT)
    rule = site_rule(Entry(text, 0), Reading())
    if isinstance(rule, Rejected):
        raise UsageError(rule.reason)
    return rule
