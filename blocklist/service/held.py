"""What is held of a target: rules that feeds name, and that wait for a person or were refused by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from blocklist.config.settings import Settings
from blocklist.domain.listing import Rule, RuleKind
from blocklist.domain.run import HeldListing, HoldState
from blocklist.domain.verdict import Policy, Target
from blocklist.normalize.suffixes import is_public_suffix
from blocklist.service.candidates import candidates_of, concerns
from blocklist.store import Store
from blocklist.store.held_listings import UnsearchedRun


class HeldListingService:
    """What is held: entries alone, and what a held run would add."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    def waiting(self, target: Target, policy: str | None = None, at: str | None = None) -> tuple[HeldListing, ...]:
        """Return the rules that cover a target and wait for a person, now or at a moment; see :meth:`waiting_of`."""
        (found,) = self.waiting_of([target], policy, at)
        return found

    def waiting_of(
        self, targets: Sequence[Target], policy: str | None = None, at: str | None = None
    ) -> list[tuple[HeldListing, ...]]:
        """Return for each target the rules that cover it and wait for a person, as the history finds listings.

        One for each feed and rule, those of URLs last. With a ``policy``, only those that its kinds, countries and
        feeds count. A held run with more additions than are kept is returned without a rule where it may name the
        target.
        """
        counted = next((item for item in self._settings.all_policies() if item.name == policy), None)
        candidates = [candidates_of(target) for target in targets]
        rows = self._store.held_listings.candidates(
            {value for item in candidates for value in item.values},
            {host for item in candidates for host in item.url_hosts},
        )
        kept_off = {(item.feed, item.rule) for item in rows if item.hold and item.state is HoldState.REFUSED}
        found = [
            item
            for item in rows
            if item.waits(at) and _counts(item, counted) and (at or item.hold or (item.feed, item.rule) not in kept_off)
        ]
        unsearched = [] if at else self._store.held_listings.unsearched()
        unsearched = [run for run in unsearched if _counts(run.held, counted)]
        by_value: dict[str, list[HeldListing]] = {}
        for item in found:
            by_value.setdefault(_key(item.rule), []).append(item)
        held = []
        for target, could in zip(targets, candidates, strict=True):
            keys = dict.fromkeys((*could.values, *(f"{host}/" for host in could.url_hosts)))
            matching = [item for key in keys for item in by_value.get(key, ()) if _concerns(item, target)]
            shown = sorted(_one_each(sorted(matching, key=_run)), key=_is_of_url)
            may = [run.held for run in unsearched if _may_name(run, target, shown)]
            held.append((*shown, *may))
        return held

    def refused(self, target: Target) -> tuple[HeldListing, ...]:
        """Return the rules that cover a target and that a person keeps off the list, oldest decision first.

        These are entries that were refused, and what rejected runs would have added unless the feed lists it now; the
        last decision on each.
        """
        candidates = candidates_of(target)
        rows = self._store.held_listings.candidates(candidates.values, candidates.url_hosts)
        listed = {
            (item.feed, item.rule) for item in self._store.listings.candidates(*candidates) if not item.listed_until
        }
        found = [
            item
            for item in rows
            if item.state is HoldState.REFUSED
            and _concerns(item, target)
            and (item.hold or (item.feed, item.rule) not in listed)
        ]
        last = {(item.feed, item.rule): item for item in found}
        # A decision on the entry itself holds for all later lists of its feed; that on a run only for its body.
        last |= {(item.feed, item.rule): item for item in found if item.hold}
        return tuple(sorted(last.values(), key=lambda item: item.decided_at or ""))


def _run(item: HeldListing) -> int:
    return item.run


def _is_of_url(item: HeldListing) -> bool:
    return item.rule is not None and item.rule.kind is RuleKind.URL


def _key(rule: Rule | None) -> str:
    """Return the value of a rule, or for one of a URL the host with a slash behind it."""
    value = rule.value if rule else ""
    return value.partition("/")[0] + "/" if rule and rule.kind is RuleKind.URL else value


def _concerns(item: HeldListing, target: Target) -> bool:
    return item.rule is not None and concerns(item.rule, target)


def _counts(item: HeldListing, policy: Policy | None) -> bool:
    return policy is None or policy.counts(item.feed, item.authority.kind, item.authority.country)


def _one_each(found: Iterable[HeldListing]) -> list[HeldListing]:
    """Return one item for each feed and rule, of items by run.

    An entry that is held alone comes before the runs that name it too: a decision on it is enough. Of several runs the
    newest is shown, with the moment since when the first of them waits.
    """
    shown: dict[tuple[str, Rule | None], HeldListing] = {}
    for item in found:
        earlier = shown.get((item.feed, item.rule))
        if earlier is None:
            shown[item.feed, item.rule] = item
        else:
            chosen = earlier if earlier.hold and not item.hold else item
            shown[item.feed, item.rule] = replace(chosen, since=min(earlier.since, item.since))
    return list(shown.values())


def _may_name(run: UnsearchedRun, target: Target, shown: Iterable[HeldListing]) -> bool:
    """Return whether a run may name a rule that is among neither the changes kept of it nor what is shown already."""
    if any(item.run == run.held.run for item in shown):
        return False
    could = candidates_of(target)
    # A host without a dot, or that is a public suffix, never becomes a rule.
    hosts = [host for host in could.hosts if "." in host and not is_public_suffix(host)]
    # "0" follows "/": behind every URL on the host.
    urls = [] if target.app is not None else [f"{target.host}0"]
    return any(value > run.last for value in (*hosts, *urls, *could.others))
