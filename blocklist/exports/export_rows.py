"""The rows that every export format writes: what counts now under a policy, one rule after the other."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from blocklist.config.settings import Settings
from blocklist.definitions.definition import FeedDefinition, definition_of
from blocklist.domain.errors import UnknownPolicyError
from blocklist.domain.listing import Feed, Rule, RuleKind, Scope
from blocklist.domain.verdict import Override, OverrideAction, Policy, Target
from blocklist.normalize.candidates import canonical_app
from blocklist.normalize.hosts import parse_target
from blocklist.normalize.url_rules import same_site_hosts
from blocklist.snapshot.reader import Snapshot
from blocklist.store import Store


class ExportedListing(NamedTuple):
    """One listing of a rule: which feed lists it, on which order, since when, and its evidence."""

    feed: str
    authority: str
    kind: str
    country: str
    reference: str | None
    legal_basis: str | None
    published_at: str | None
    listed_from: str
    appeal_contact: str | None
    entry: str
    run: int
    position: int


class ExportedRule(NamedTuple):
    """A rule that counts and its listings; or an override, which has no listings."""

    rule: Rule
    listings: tuple[ExportedListing, ...] = ()
    override: Override | None = None


class ListingSelector:
    """Selects the listings that count under a policy and the overrides.

    ``current_snapshot`` returns the current snapshot; it is called only where other listings or overrides decide.
    """

    def __init__(self, store: Store, policy: Policy | None, current_snapshot: Callable[[], Snapshot]) -> None:
        self._policy = policy
        self._definitions: dict[int, tuple[Feed, FeedDefinition]] = {
            feed.id: (feed, definition_of(feed)) for feed in store.feeds.including_removed()
        }
        self.overrides = store.overrides.active()
        allowed = [item.rule for item in self.overrides if item.action is OverrideAction.ALLOW]
        self._allowed = {rule.value for rule in allowed if rule.kind is not RuleKind.URL}
        self._allowed |= {canonical_app(rule.value) for rule in allowed if rule.kind is RuleKind.APP}
        urls = (rule.value.partition("/")[0] for rule in allowed if rule.kind is RuleKind.URL)
        self._allowed |= {host for named in urls for host in same_site_hosts(named)}
        least = policy.min_authorities if policy else 1
        #: Decides, as in the lookup nodes, where more than the listing itself matters.
        self._snapshot: Snapshot | None = current_snapshot() if least > 1 or self._allowed else None
        self._everything = least > 1

    def rows(self, listings: Iterator[tuple[Any, ...]]) -> Iterator[ExportedRule]:
        """Yield each rule that counts, and each override, in the order of their values."""
        overrides = sorted((ExportedRule(item.rule, override=item) for item in self.overrides), key=_order)
        yield from heapq.merge(self._listed_rules(listings), overrides, key=_order)

    def _listed_rules(self, listings: Iterator[tuple[Any, ...]]) -> Iterator[ExportedRule]:
        for (value, kind, scope), group in groupby(listings, key=itemgetter(0, 1, 2)):
            rule = Rule(RuleKind(kind), value, Scope(scope))
            counting = tuple(item for item in map(self._counting, group) if item)
            if counting and self._is_listed(rule):
                yield ExportedRule(rule, counting)

    def _counting(self, row: tuple[Any, ...]) -> ExportedListing | None:
        """Return the listing of a row of :meth:`.Exports.listed`; None where it does not count."""
        value, _, _, feed_id, raw, position, reference, basis, published, authority, country, since, run = row
        feed, definition = self._definitions[feed_id]
        known = feed.authority
        where = country or known.country
        if self._policy and not self._policy.counts(feed.name, known.kind, where):
            return None
        return ExportedListing(
            feed=feed.name,
            authority=authority or known.name,
            kind=known.kind.value,
            country=where,
            reference=reference,
            legal_basis=basis or definition.legal_basis,
            published_at=published,
            listed_from=since,
            appeal_contact=known.contact,
            entry=raw or value,
            run=run,
            position=position,
        )

    def _is_listed(self, rule: Rule) -> bool:
        """Return whether a rule is listed when all listings and overrides are considered."""
        if self._snapshot is None or not (self._everything or self._may_be_allowed(rule)):
            return True
        # Without a policy only an override can exclude it.
        verdict = self._snapshot.decide(target_of(rule), self._policy.name if self._policy else "default")
        return verdict.listed if self._policy else verdict.override is not OverrideAction.ALLOW

    def _may_be_allowed(self, rule: Rule) -> bool:
        if rule.kind is RuleKind.APP:
            return canonical_app(rule.value) in self._allowed
        labels = rule.value.partition("/")[0].split(".")
        return any(".".join(labels[index:]) in self._allowed for index in range(len(labels)))


def _order(row: ExportedRule) -> tuple[str, str, str]:
    # The database orders texts in the same way: by code points.
    return row.rule.value, row.rule.kind.value, row.rule.scope.value


def policy_of(settings: Settings, name: str) -> Policy:
    """Return a policy of the configuration.

    :raises UnknownPolicyError: there is none of that name; the message names those that exist.
    """
    policies = {policy.name: policy for policy in settings.all_policies()}
    if name not in policies:
        raise UnknownPolicyError(f"there is no policy {name!r}; the configuration names {', '.join(policies)}")
    return policies[name]


def target_of(rule: Rule) -> Target:
    """Return the target of a rule's own value."""
    if rule.kind is RuleKind.APP:
        return Target("", app=canonical_app(rule.value))
    if rule.kind is RuleKind.IP:
        return parse_target(f"[{rule.value}]" if ":" in rule.value else rule.value)
    return parse_target(f"http://{rule.value}" if rule.kind is RuleKind.URL else rule.value)
