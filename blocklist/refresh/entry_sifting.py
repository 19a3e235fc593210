"""Entries that are held for a person alone: taken out of a staged list, unless an authority confirms them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from blocklist.definitions.definition import FeedDefinition
from blocklist.domain.listing import Rejected, Rule
from blocklist.domain.run import Effect, GuardFinding, HeldEntry, HoldState
from blocklist.guards.guard import HoldingGuard, Limits
from blocklist.guards.independence import NamedBy
from blocklist.guards.registry import HOLDING_GUARDS
from blocklist.normalize.hosts import shorten
from blocklist.refresh.confirmation import Confirmations, confirmed_by
from blocklist.store import Store
from blocklist.store.holds import HeldNow


@dataclass(frozen=True, slots=True)
class Sifted:
    """What became of the entries of a staged list that guards would hold.

    ``held`` wait for a person, and ``refused`` were refused by one: both were taken out. ``confirmed`` are newly listed
    because another authority lists them too, each with the reason.
    """

    held: tuple[HeldNow, ...] = ()
    refused: tuple[Rejected, ...] = ()
    confirmed: tuple[tuple[HeldNow, str], ...] = ()


def sift(store: Store, definition: FeedDefinition, feed_id: int, limits: Limits, body_sha256: str = "") -> Sifted:
    """Take the newly listed hosts that guards hold out of the staged list, except those that a person approved.

    A well-linked host stays if an independent authority names it, too.
    """
    feed = definition.name
    guarded: dict[str, HoldingGuard] = {}
    for guard in HOLDING_GUARDS:
        if guard.is_on(limits):
            # Where several guards hold a host, the first does.
            guarded = dict.fromkeys(guard.hosts(), guard) | guarded
    kept_off = {hold.rule: hold for hold in store.holds.kept_off(feed)}
    staged = [
        rule
        for rule in store.staging.hosts_among({*guarded, *(rule.value for rule in kept_off)})
        if rule.value in guarded or rule in kept_off
    ]
    known = store.holds.of_rules(feed, staged)
    listed = store.listings.hosts_among(feed_id, [rule.value for rule in staged])
    new = [rule for rule in staged if rule in kept_off or not (rule in listed or _is_approved(known.get(rule)))]
    named_by = NamedBy(feed_id, feed, definition.authority.authority(), None, body_sha256 or None)
    confirmations = Confirmations(store, named_by, store.naming.overlap_of_staged)
    confirmed = confirmations.of(_confirmable(guarded, new, kept_off))
    held, refused, released = [], [], []
    for rule in sorted(new, key=lambda rule: rule.value):
        hold = kept_off.get(rule)
        if hold and hold.state is HoldState.REFUSED:
            refused.append(_refusal(hold, store.staging.take(rule)))
            continue
        finding = guarded[rule.value].finding(rule.value) if rule.value in guarded else _repeated(kept_off[rule])
        if other := confirmed.get(rule):
            released.append((HeldNow(rule, finding, store.staging.first_row(rule)), confirmed_by(other)))
        else:
            held.append(HeldNow(rule, finding, store.staging.take(rule)))
    return Sifted(tuple(held), tuple(refused), tuple(released))


def _is_approved(hold: HeldEntry | None) -> bool:
    return hold is not None and hold.state is HoldState.APPROVED


def _confirmable(
    guarded: Mapping[str, HoldingGuard], rules: Iterable[Rule], kept_off: Mapping[Rule, HeldEntry]
) -> set[Rule]:
    return {rule for rule in rules if rule not in kept_off and rule.value in guarded[rule.value].confirmable()}


def _repeated(hold: HeldEntry) -> GuardFinding:
    """Return the finding for an entry that waits because a person revoked a decision, if no guard holds it now."""
    return GuardFinding(hold.guard, Effect.HOLDS_ENTRY, hold.why)


def _refusal(hold: HeldEntry, facts: dict[str, Any]) -> Rejected:
    raw = facts["raw"] or hold.rule.value
    decision = f"refused by {hold.decided_by} on {hold.decided_at} (hold {hold.id}): {hold.reason}"
    return Rejected(raw, facts["position"], "refused", f"{shorten(raw)} was {decision}")
