"""What is held of a target: rules that feeds name, and that wait for a person or were refused by one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from blocklist.config.settings import Settings
from blocklist.domain.listing import Rule, RuleKind
from blocklist.domain.run import HeldListing, HoldState
from blocklist.domain.verdict import Policy, Target
from blocklist.normalize.suffixes import is_public_suffix
from blocklist.service.rule_keys import concerns, keys_of
from blocklist.store import Store
from blocklist.store.held_listings import UnsearchedRun


class HeldListingService:
    """What is held: entries alone, and what a held run would add."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    def waiting(
        self, targets: Collection[Target], policy: str | None = None, at: str | None = None
    ) -> tuple[HeldListing, ...]:
        """Return the rules that cover any of a text's targets and wait for a person; see :meth:`waiting_of`."""
        (found,) = self.waiting_of([targets], policy, at)
        return found

    def waiting_of(
        self, texts: Sequence[Collection[Target]], policy: str | None = None, at: str | None = None
    ) -> list[tuple[HeldListing, ...]]:
        """Return for each text the rules that cover one of its targets and wait for a person, now or at a moment.

        Rules are found as the history finds listings. One for each feed and rule, those of URLs last. With a
        ``policy``, only those that its kinds, countries and feeds count. A held run with more additions than are kept
        is returned without a rule where it may name a target.
        """
        found = self._waiting_by_key({target for targets in texts for target in targets}, policy, at)
        unsearched = [] if at else self._store.held_listings.unsearched()
        counted = self._counted(policy)
        unsearched = [run for run in unsearched if _counts(run.held, counted)]
        held = []
        for targets in texts:
            matching = {id(item): item for target in targets for item in _covering(found, target)}
            shown = sorted(_one_each(sorted(matching.values(), key=_run)), key=_is_of_url)
            named = {item.run for item in shown}
            may = [run.held for run in unsearched if run.held.run not in named and _may_name(run, targets)]
            held.append((*shown, *may))
        return held

    def refused(self, targets: Collection[Target]) -> tuple[HeldListing, ...]:
        """Return the rules that cover any of these and that a person keeps off the list, oldest decision first.

        These are entries that were refused, and what rejected runs would have added unless the feed lists it now; the
        last decision on each.
        """
        last: dict[tuple[str, Rule | None], HeldListing] = {}
        for target in targets:
            keys = keys_of(target)
            rows = self._store.held_listings.candidates(keys.values, keys.url_hosts)
            listed = {
                (item.feed, item.rule) for item in self._store.listings.candidates(*keys) if not item.listed_until
            }
            found = [
                item
                for item in rows
                if item.state is HoldState.REFUSED
                and _concerns(item, target)
                and (item.hold or (item.feed, item.rule) not in listed)
            ]
            last |= {(item.feed, item.rule): item for item in found}
            # A decision on the entry itself holds for all later lists of its feed; that on a run only for its body.
            last |= {(item.feed, item.rule): item for item in found if item.hold}
        return tuple(sorted(last.values(), key=lambda item: item.decided_at or ""))

    def _counted(self, policy: str | None) -> Policy | None:
        return next((item for item in self._settings.all_policies() if item.name == policy), None)

    def _waiting_by_key(
        self, targets: Collection[Target], policy: str | None, at: str | None
    ) -> dict[str, list[HeldListing]]:
        """Return what waits and could cover one of many targets, by :func:`_key`."""
        keys = [keys_of(target) for target in targets]
        rows = self._store.held_listings.candidates(
            {value for item in keys for value in item.values}, {host for item in keys for host in item.url_hosts}
        )
        counted = self._counted(policy)
        kept_off = {(item.feed, item.rule) for item in rows if item.hold and item.state is HoldState.REFUSED}
        found: dict[str, list[HeldListing]] = {}
        for item in rows:
            decided = not at and not item.hold and (item.feed, item.rule) in kept_off
            if item.waits(at) and _counts(item, counted) and not decided:
                found.setdefault(_key(item.rule), []).append(item)
        return found


def _covering(found: Mapping[str, list[HeldListing]], target: Target) -> Iterator[HeldListing]:
    keys = keys_of(target)
    for key in (*keys.values, *(f"{host}/" for host in keys.url_hosts)):
        yield from (item for item in found.get(key, ()) if _concerns(item, target))


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


def _may_name(run: UnsearchedRun, targets: Iterable[Target]) -> bool:
    """Return whether a rule of one of these targets may be among the additions of a run that are not kept."""
    for target in targets:
        keys = keys_of(target)
        # A host without a dot, or that is a public suffix, never becomes a rule.
        hosts = [host for host in keys.hosts if "." in host and not is_public_suffix(host)]
        # "0" follows "/": behind every URL on the host.
        urls = [] if target.app is not None else [f"{target.host}0"]
        if any(value > run.last for value in (*hosts, *urls, *keys.others)):
            return True
    return False
