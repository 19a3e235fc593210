"""Guards over single entries: those that are never blocked, that a person must agree to, or that deserve a look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from blocklist.domain.listing import Entry, Rejected, Rule, RuleKind, Scope
from blocklist.domain.run import Effect
from blocklist.guards.guard import FlaggingGuard, Guard, HoldingGuard, RefusingGuard, Setting
from blocklist.guards.popular_hosts import Tier, host_above, hosts_of, popular_hosts
from blocklist.guards.setting_types import HostNames
from blocklist.normalize.hosts import shorten

POPULAR_HOST = HoldingGuard(
    "popular_host",
    Effect.HOLDS_ENTRY,
    "one of Moz's 500, a university or a bank is newly listed whole; or a well-linked site (Majestic), unless another "
    "independent authority's feed lists it too",
    hosts=lambda: hosts_of(Tier.RENOWNED, Tier.WELL_LINKED),
    confirmable=lambda: hosts_of(Tier.WELL_LINKED),
)
SHARED_HOST = HoldingGuard(
    "shared_host",
    Effect.HOLDS_ENTRY,
    "a platform, a link shortener or a gateway is newly listed whole",
    hosts=lambda: hosts_of(Tier.SHARED),
)
MOST_USED_HOST = FlaggingGuard(
    "most_used_host",
    Effect.FLAGS,
    "a site that is used much but not linked much (Tranco) is newly listed",
    why=lambda host: f"{host} is {why}" if (why := hosts_of(Tier.MOST_USED).get(host)) else "",
)
BELOW_POPULAR_HOST = FlaggingGuard(
    "below_popular_host",
    Effect.FLAGS,
    "a host below one that would be held is newly listed",
    why=lambda host: (
        f"{host} is below {above}, which is {popular_hosts()[above].description}" if (above := host_above(host)) else ""
    ),
)

NEVER_BLOCK_HOSTS: Setting[tuple[str, ...]] = Setting(
    "never_block",
    HostNames,
    (),
    "Hosts that a list may not block, nor anything below them; such entries are refused.",
)


class NeverBlock:
    """Refuses rules that would block one of these hosts or anything below it.

    A rule for a host above one of them would block it too, unless its scope is ``exact``.
    """

    def __init__(self, hosts: Iterable[str]) -> None:
        self._hosts = frozenset(hosts)
        self._above = {parent: host for host in sorted(self._hosts) for parent in _parents(host)}
        # Nearly every rule has another ending than all of these hosts and is not above one: a single comparison in C
        # finds that out; many hosts are compared by their top-level domains.
        few = len(self._hosts) <= 16
        self._endings = tuple(self._hosts if few else {host.rpartition(".")[2] for host in self._hosts})

    def concerns(self, hosts: Sequence[str]) -> bool:
        """Return False if no rule of these hosts would be refused."""
        endings = self._endings
        return not self._above.keys().isdisjoint(hosts) or any(host.endswith(endings) for host in hosts)

    def __call__(self, entry: Entry, rule: Rule) -> Rejected | None:
        """Return why an entry's rule is refused, or None."""
        kind, value, scope = rule
        above = self._above
        if kind is RuleKind.HOST and value not in above and not value.endswith(self._endings):
            return None
        if kind is RuleKind.APP:
            return None
        host = value.partition("/")[0] if kind is RuleKind.URL else value
        name = above.get(host) if kind is RuleKind.HOST and scope is Scope.SUBTREE else None
        if name is None:
            name = next((part for part in (host, *_parents(host)) if part in self._hosts), None)
        if name is None:
            return None
        raw = entry.raw or entry.site
        why = f"{shorten(raw)} would block {name}, which the setting guards.never_block names"
        return Rejected(raw, entry.position, NEVER_BLOCK.name, why)


def _parents(host: str) -> Iterable[str]:
    while host := host.partition(".")[2]:
        yield host


NEVER_BLOCK = RefusingGuard(
    "never_block",
    Effect.REFUSES,
    "the rule would block one of these hosts, or what is below one",
    NEVER_BLOCK_HOSTS,
    switchable=False,
    refusal=lambda limits: NeverBlock(hosts) if (hosts := NEVER_BLOCK_HOSTS.of(limits)) else None,
)

#: The normalizing stage refuses these under the same code, in blocklist/normalize/rules.py.
_NORMALIZING = {
    "public_suffix": "the host is a public suffix, such as co.uk or blogspot.com",
    "single_label": "the host has no dot and is no top-level domain, such as localhost",
    "private_address": "the address is not one of the public internet",
}
ENTRY_GUARDS = (
    *(POPULAR_HOST, SHARED_HOST, MOST_USED_HOST, BELOW_POPULAR_HOST, NEVER_BLOCK),
    *(Guard(name, Effect.REFUSES, speaks, switchable=False) for name, speaks in _NORMALIZING.items()),
)
