"""The authority's own addresses, which its list never lists: they stand in headers, footers and links of documents."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from blocklist.definitions.definition import FeedDefinition
from blocklist.domain.listing import Entry, Rejected, Rule, RuleKind
from blocklist.guards.popular_hosts import popular_hosts
from blocklist.normalize.hosts import normalize_host, shorten
from blocklist.normalize.rules import site_of

#: An address or a mailbox in the text of a contact.
_IN_CONTACT = re.compile(r"https?://[^\s<>\"]+|(?<=@)[\w.-]+|\b(?:[\w-]+\.)+[^\W\d_]{2,}\b")


def own_hosts(definition: FeedDefinition) -> list[str]:
    """Return the hosts of a feed's address, documentation and contact, without ``www.``, each once.

    Empty if the definition says that they may be listed.
    """
    if definition.rules.own_addresses == "list" or definition.rules.entries == "apps":
        return []
    contact = _IN_CONTACT.findall(definition.authority.contact or "")
    hosts = {_host(text) for text in (definition.source.url, definition.documentation, *contact) if text}
    return sorted(host for host in hosts if host)


class OwnAddresses:
    """Refuses rules that would list one of these hosts: that host, a host above it, or a page on it.

    Pages on a platform that many share are not the authority's: they may be listed.
    """

    def __init__(self, hosts: Iterable[str]) -> None:
        self._hosts = frozenset(hosts)
        self._covering = frozenset(
            name for host in self._hosts for name in (host, f"www.{host}", *_above(host)) if "." in name or ":" in name
        )

    def concerns(self, hosts: Sequence[str]) -> bool:
        """Return False if no rule of these hosts would be refused."""
        return not self._covering.isdisjoint(hosts)

    def __call__(self, entry: Entry, rule: Rule) -> Rejected | None:
        """Return why an entry's rule is refused, or None."""
        if rule.kind is RuleKind.URL:
            host = site_of(rule.value.partition("/")[0])
            if host not in self._hosts or not popular_hosts().keys().isdisjoint((host, *_above(host))):
                return None
        elif rule.value not in self._covering:
            return None
        raw = entry.raw or entry.site
        reason = (
            f"{shorten(raw)} is of the authority itself: the feed's address, documentation or contact names it "
            "(option rules.own_addresses=list: list it all the same)"
        )
        return Rejected(raw, entry.position, "own_address", reason)


def _host(text: str) -> str | None:
    try:
        return None if text.startswith("file:") else site_of(normalize_host(text))
    except ValueError:
        return None


def _above(host: str) -> list[str]:
    if host[-1:] == "]" or host.rpartition(".")[2].isdigit():
        return []
    labels = host.split(".")
    return [".".join(labels[index:]) for index in range(1, len(labels) - 1)]
