"""Entries that are held for a person alone: taken out of a staged list, and summed up for its run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from blocklist.domain.listing import Rejected, Rule
from blocklist.domain.run import Effect, GuardFinding, HoldState
from blocklist.guards.guard import HoldingGuard, Limits
from blocklist.guards.registry import HOLDING_GUARDS
from blocklist.normalize.hosts import shorten
from blocklist.store import Store

#: Hosts that the summary of a guard names.
_NAMED = 5


class SiftedEntry(NamedTuple):
    """An entry that waits for a person: its rule, why, and the facts of its first row, by column."""

    rule: Rule
    finding: GuardFinding
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sifted:
    """The entries taken out of a staged list: those that wait for a person, and those that a person refused."""

    held: tuple[SiftedEntry, ...] = ()
    refused: tuple[Rejected, ...] = ()


def sift(store: Store, feed: str, feed_id: int, limits: Limits) -> Sifted:
    """Take the newly listed hosts that guards hold out of the staged list, except those that a person approved."""
    guarded: dict[str, HoldingGuard] = {}
    for guard in HOLDING_GUARDS:
        if guard.is_on(limits):
            # Where several guards hold a host, the first does.
            guarded = dict.fromkeys(guard.hosts(), guard) | guarded
    staged = store.staging.hosts_among(guarded)
    known = store.holds.of_rules(feed, staged)
    listed = store.listings.hosts_among(feed_id, [rule.value for rule in staged])
    held, refused = [], []
    for rule in sorted(staged, key=lambda rule: rule.value):
        hold = known.get(rule)
        decided = hold is not None and hold.state in (HoldState.APPROVED, HoldState.REFUSED)
        # A host that the feed listed before its guard existed is not new.
        if (rule in listed and not decided) or (hold and hold.state is HoldState.APPROVED):
            continue
        facts = store.staging.take(rule)
        if hold and decided:
            raw = facts["raw"] or rule.value
            decision = f"refused by {hold.decided_by} on {hold.decided_at} (hold {hold.id}): {hold.reason}"
            refused.append(Rejected(raw, facts["position"], "refused", f"{shorten(raw)} was {decision}"))
        else:
            held.append(SiftedEntry(rule, guarded[rule.value].finding(rule.value), facts))
    return Sifted(tuple(held), tuple(refused))


def summaries(held: Iterable[SiftedEntry]) -> list[GuardFinding]:
    """Return one finding for each guard that holds entries of a list."""
    hosts_by_guard: dict[str, list[str]] = {}
    for entry in held:
        hosts_by_guard.setdefault(entry.finding.guard, []).append(entry.rule.value)
    findings = []
    for guard, hosts in sorted(hosts_by_guard.items()):
        more = len(hosts) - _NAMED
        shown = ", ".join(hosts[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
        waits = "waits" if len(hosts) == 1 else "wait"
        sentence = f"{len(hosts):,} newly listed {waits} for a person: {shown}"
        findings.append(GuardFinding(guard, Effect.HOLDS_ENTRY, sentence))
    return findings
