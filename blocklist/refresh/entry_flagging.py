"""Newly listed entries that deserve a look: they are listed, and stand in the review until somebody has looked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from blocklist.domain.listing import RuleKind
from blocklist.domain.run import GuardFinding, HoldState
from blocklist.domain.verdict import OverrideAction
from blocklist.guards.guard import FlaggingGuard, Limits
from blocklist.guards.popular_hosts import hosts_above, near_popular
from blocklist.guards.registry import FLAGGING_GUARDS
from blocklist.store import Store
from blocklist.store.staging import StagedEntry


class FlaggedNow(NamedTuple):
    """An entry that a run flags, and why."""

    entry: StagedEntry
    finding: GuardFinding


def flag(store: Store, feed: str, feed_id: int, limits: Limits) -> tuple[FlaggedNow, ...]:
    """Return the staged entries that a feed newly lists and that deserve a look; after the diff.

    Left out is what a person has decided on: in a flag or a hold of the same rule, or with an override that allows it.
    """
    guards = [guard for guard in FLAGGING_GUARDS if guard.is_on(limits)]
    findings = {
        host: finding
        for host in near_popular(store.staging.added_hosts(feed_id))
        if (finding := next(_findings(guards, host), None))
    }
    if not findings:
        return ()
    entries = store.staging.entries_of(findings)
    rules = [entry.rule for entry in entries]
    holds = store.holds.of_rules(feed, rules)
    decided = store.flags.decided(rules) | {rule for rule, hold in holds.items() if hold.state is HoldState.APPROVED}
    allowed = {
        item.rule.value
        for item in store.overrides.active()
        if item.action is OverrideAction.ALLOW and item.rule.kind is RuleKind.HOST
    }
    return tuple(
        FlaggedNow(entry, findings[entry.rule.value])
        for entry in sorted(entries, key=lambda entry: entry.rule.value)
        if entry.rule not in decided and allowed.isdisjoint((entry.rule.value, *hosts_above(entry.rule.value)))
    )


def _findings(guards: list[FlaggingGuard], host: str) -> Iterator[GuardFinding]:
    for guard in guards:
        if why := guard.why(host):
            yield GuardFinding(guard.name, guard.effect, why)
