"""Guards over single entries: names that are never blocked, and names that a person must agree to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from blocklist.config.settings import GuardSettings
from blocklist.domain.listing import Entry, Rejected, Rule, RuleKind, Scope
from blocklist.domain.run import Effect, GuardFinding, HeldEntry, HoldState
from blocklist.normalize.hosts import shorten
from blocklist.refresh.body_reader import BodyReader
from blocklist.refresh.popular_hosts import renowned
from blocklist.store import Store

#: Names compared one by one.
_FEW = 16
_WAITS = {HoldState.WAITING, HoldState.WITHDRAWN}


class NeverBlock:
    """Refuses rules that would block one of an operator's names or anything below it.

    A rule above a name would block it too; one of scope ``exact`` would not.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._above = {parent: name for name in sorted(self._names) for parent in _parents(name)}
        # Nearly every host ends otherwise than all names and lies above none: one comparison in C tells, for a few
        # names; more of them are told apart by their top-level domains.
        few = len(self._names) <= _FEW
        self._endings = tuple(self._names if few else {name.rpartition(".")[2] for name in self._names})

    def concerns(self, hosts: Sequence[str]) -> bool:
        """Return whether any rule of these hosts could be refused."""
        endings = self._endings
        return not self._above.keys().isdisjoint(hosts) or any(host.endswith(endings) for host in hosts)

    def __call__(self, entry: Entry, rule: Rule) -> Rejected | None:
        """Return why an entry's rule must not be one, or None."""
        kind, value, scope = rule
        above = self._above
        if kind is RuleKind.HOST and value not in above and not value.endswith(self._endings):
            return None
        if kind is RuleKind.APP:
            return None
        host = value.partition("/")[0] if kind is RuleKind.URL else value
        name = above.get(host) if kind is RuleKind.HOST and scope is Scope.SUBTREE else None
        if name is None:
            name = next((part for part in (host, *_parents(host)) if part in self._names), None)
        if name is None:
            return None
        raw = entry.raw or entry.site
        why = f"{shorten(raw)} would block {name}, which the setting guards.never_block names"
        return Rejected(raw, entry.position, "never_block", why)


def never_block(names: Sequence[str]) -> NeverBlock | None:
    """Return what refuses rules that would block one of these names; None without names."""
    return NeverBlock(names) if names else None


def sift(store: Store, feed: str, feed_id: int, reader: BodyReader, limits: GuardSettings) -> None:
    """Take the renowned hosts that a feed newly lists whole out of what is staged, unless a person approved them.

    Those that wait are in ``reader.held`` then, those that a person refused among its rejections.
    """
    names = {host: why for host, why in renowned().items() if why[0] not in limits.off}
    staged = store.staging.hosts_among(names)
    known = store.holds.of_rules(feed, staged)
    listed = store.listings.hosts_among(feed_id, [rule.value for rule in staged])
    for rule in sorted(staged, key=lambda rule: rule.value):
        hold = known.get(rule)
        # What the feed listed before anybody was asked is not new.
        decided = hold is not None and hold.state not in _WAITS
        if (rule in listed and not decided) or (hold and hold.state is HoldState.APPROVED):
            continue
        facts = store.staging.take(rule)
        if hold and decided:
            reader.refuse(_refused(hold, facts["raw"] or rule.value, facts["position"]))
        else:
            guard, what = names[rule.value]
            sentence = f"{rule.value} is {what}: listed whole only when a person agrees"
            reader.held.append((rule, GuardFinding(guard, Effect.HOLDS_ENTRY, sentence), facts))


def summary(reader: BodyReader) -> list[GuardFinding]:
    """Return what each guard over entries said of a run, in one sentence."""
    said = []
    for guard in sorted({item[1].guard for item in reader.held}):
        hosts = [rule.value for rule, item, _ in reader.held if item.guard == guard]
        shown = ", ".join(hosts[:5]) + (f" and {len(hosts) - 5:,} more" if len(hosts) > 5 else "")
        waits = "waits" if len(hosts) == 1 else "wait"
        said.append(
            GuardFinding(guard, Effect.HOLDS_ENTRY, f"{len(hosts):,} newly listed {waits} for a person: {shown}")
        )
    return said


def _refused(hold: HeldEntry, raw: str, position: int) -> Rejected:
    said = f"{shorten(raw)} was refused by {hold.decided_by} on {hold.decided_at} (hold {hold.id}): {hold.reason}"
    return Rejected(raw, position, "refused", said)


def _parents(host: str) -> Iterable[str]:
    while host := host.partition(".")[2]:
        yield host
