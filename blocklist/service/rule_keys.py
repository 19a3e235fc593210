"""Which rules could cover a target, so that the database finds them by their values."""

from __future__ import annotations

from typing import NamedTuple

from blocklist.domain.listing import Rule, RuleKind
from blocklist.domain.verdict import Target
from blocklist.normalize.rules import matches
from blocklist.normalize.url_rules import same_site_hosts


class RuleKeys(NamedTuple):
    """The values of rules that could cover a target: its host and those above it, or the id of its app.

    URLs on ``url_hosts`` could cover it too. ``others`` are addresses and app ids.
    """

    hosts: tuple[str, ...] = ()
    url_hosts: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def values(self) -> tuple[str, ...]:
        """The values of all rules but those of URLs."""
        return (*self.hosts, *self.others)


def keys_of(target: Target) -> RuleKeys:
    """Return where to look for the rules that could cover a target."""
    if target.app is not None:
        return RuleKeys(others=(target.app,))
    if target.ip is not None:
        return RuleKeys(url_hosts=(target.host,), others=(target.ip,))
    labels = target.host.split(".")
    return RuleKeys(
        hosts=tuple(".".join(labels[index:]) for index in range(len(labels))),
        url_hosts=tuple(same_site_hosts(target.host)),
    )


def concerns(rule: Rule, target: Target) -> bool:
    """Return whether a rule covers a target, or is of a URL on the site that a target without path names."""
    if matches(rule, target):
        return True
    on_site = rule.kind is RuleKind.URL and target.path is None
    return on_site and rule.value.partition("/")[0] in keys_of(target).url_hosts
