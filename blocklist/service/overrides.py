"""Overrides: decisions of admins on targets, which take precedence over every listing."""

from __future__ import annotations

from blocklist.access.identity import refuse_same_person
from blocklist.config.settings import Settings
from blocklist.domain.clock import now
from blocklist.domain.errors import ConflictError, UsageError
from blocklist.domain.listing import Entry, Rejected, Rule, RuleKind, Scope
from blocklist.domain.verdict import Override, OverrideAction
from blocklist.normalize.hosts import shorten
from blocklist.normalize.rules import Reading, site_rule
from blocklist.service.publishing import Publisher
from blocklist.service.targets import read_candidates, read_target
from blocklist.store import Store


class OverrideService:
    """The overrides of this installation."""

    def __init__(self, store: Store, settings: Settings, publisher: Publisher) -> None:
        self._store = store
        self._settings = settings
        self._publisher = publisher
        self.get, self.all, self.page = store.overrides.get, store.overrides.all, store.overrides.page
        self.active, self.waiting = store.overrides.active, store.overrides.waiting

    def add(self, action: OverrideAction, target: str, reason: str, actor: str, until: str | None = None) -> Override:
        """Allow or block a host (with all below it), a URL (with all below its path), an address, or ``app:ID``.

        Where the setting ``access.two_people`` is on, the override counts once another person confirms it. An allow of
        a host closes the flags of listed entries that it covers.

        :raises UsageError: the target is none of these, the reason is empty, or the time is past.
        """
        if not reason.strip():
            raise UsageError(
                "an override needs a reason: it is what the next person will ask for", [(("reason",), "is empty")]
            )
        if until is not None and until <= now():
            raise UsageError(f"until {until} is past", [(("until",), "is past")])
        rule = override_rule(target)
        if action is OverrideAction.ALLOW:
            _refuse_wrapped(target)
        with self._store.database.transaction():
            waits = self._settings.access.two_people
            override = self._store.overrides.add(action, rule, reason, actor, until, waits)
            facts = {"id": override.id, "kind": rule.kind.value, "reason": reason, "until": until}
            facts |= {"waits": True} if waits else {}
            if action is OverrideAction.ALLOW and rule.kind is RuleKind.HOST:
                facts |= {"flags_closed": closed} if (closed := self._store.flags.allow(rule, actor, reason)) else {}
            self._store.audit.add(actor, f"override.{action}", rule.value, **facts)
            if not waits:
                self._store.snapshots.contents_changed()
        if not waits:
            self._publisher.publish()
        return override

    def confirm(self, id_: int, actor: str) -> Override:
        """Confirm an override that waits for a second person: it counts from now on.

        :raises NotFoundError: there is no such override.
        :raises ConflictError: it does not wait for a confirmation.
        :raises ForbiddenError: the actor added it.
        """
        with self._store.database.transaction():
            override = self._store.overrides.get(id_)
            if override.confirmed_at or override.removed_at:
                raise ConflictError(f"override {id_} does not wait for a confirmation")
            if self._settings.access.two_people:
                refuse_same_person(actor, [override.author], f"override {id_}")
            self._store.overrides.confirm(id_, actor)
            self._store.snapshots.contents_changed()
            self._store.audit.add(actor, "override.confirm", override.rule.value, id=id_, author=override.author)
        self._publisher.publish()
        return self._store.overrides.get(id_)

    def remove(self, id_: int, actor: str) -> Override:
        """Remove an override: it no longer counts, and is kept with the date of its end.

        :raises NotFoundError: there is no such override.
        :raises ConflictError: it was removed already.
        """
        with self._store.database.transaction():
            override = self._store.overrides.get(id_)
            if override.removed_at:
                raise ConflictError(f"override {id_} was removed already, on {override.removed_at}")
            self._store.overrides.remove(id_, actor)
            self._store.snapshots.contents_changed()
            was = {"action": override.action.value, "reason": override.reason, "until": override.until}
            self._store.audit.add(actor, "override.remove", override.rule.value, id=id_, before=was)
        self._publisher.publish()
        return self._store.overrides.get(id_)


def _refuse_wrapped(text: str) -> None:
    """Refuse to allow an address that shows another site's page: the page would still be judged, and stay listed.

    :raises UsageError: it is one; the message names what to allow instead.
    """
    within = [target for target, via in read_candidates(text) if via and target.app is None]
    if within:
        reason = f"shows the page of {within[-1].host}: allow that page, or the host of the wrapper alone"
        raise UsageError(f"{shorten(text)} {reason}", [(("target",), reason)])


def override_rule(text: str) -> Rule:
    """Return the rule of an override of a target.

    :raises UsageError: the text is not a target; the message tells why.
    """
    try:
        target = read_target(text)
    except UsageError as error:
        raise UsageError(str(error), [(("target",), str(error))]) from None
    if target.app is not None:
        return Rule(RuleKind.APP, target.app, Scope.EXACT)
    # A person who names a host or a page means it, also one that no publisher would be believed.
    ending = frozenset({target.host.rpartition(".")[2]})
    rule = site_rule(Entry(text, 0), Reading(top_level_domains=ending, redirects=True))
    if isinstance(rule, Rejected):
        raise UsageError(rule.reason, [(("target",), rule.reason)])
    return rule
