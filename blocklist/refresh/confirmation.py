"""Well-linked sites that several feeds name: which of them an independent authority confirms."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from blocklist.domain.listing import Rule, Scope
from blocklist.guards.independence import NamedBy, Overlap, may_confirm
from blocklist.store import Store


class Confirmations:
    """The feeds that confirm what one feed names."""

    def __init__(self, store: Store, feed: NamedBy, overlap: Callable[[int], Overlap]) -> None:
        """Prepare; ``overlap`` returns what the list of ``feed`` and that of another one have in common, by its id."""
        self._store = store
        self._feed = feed
        self._overlap = overlap
        self._repeats: dict[int, bool] = {}

    def of(self, rules: Collection[Rule]) -> dict[Rule, NamedBy]:
        """Return by host rule the feed that confirms it: it names the host itself, as far, and is independent.

        Rules that nobody confirms are left out, and so are hosts that a person refused in a feed, or let wait again.
        """
        hosts = {rule.value for rule in rules}
        named_by = self._store.naming.of_hosts(hosts)
        doubted = self._store.naming.doubted(named_by)
        found = {}
        for rule in rules:
            # Who names the host alone does not confirm that all below it is blocked.
            reaching = (item for item in named_by.get(rule.value, ()) if item.scope in (rule.scope, Scope.SUBTREE))
            other = next((item for item in reaching if self._is_independent(item)), None)
            if other and rule.value not in doubted:
                found[rule] = other
        return found

    def _is_independent(self, other: NamedBy) -> bool:
        if not may_confirm(self._feed, other):
            return False
        if other.feed_id not in self._repeats:
            self._repeats[other.feed_id] = is_repeated(self._feed, other, self._overlap(other.feed_id))
        return not self._repeats[other.feed_id]


def is_repeated(one: NamedBy, other: NamedBy, overlap: Overlap) -> bool:
    """Return whether two feeds have the same body, or one has its list from the other."""
    # Two authorities may each publish a list of one site.
    same_body = one.body_sha256 == other.body_sha256 is not None and overlap.one > 1
    return same_body or overlap.is_copied


def same_lists(store: Store) -> Iterator[tuple[NamedBy, NamedBy]]:
    """Yield the pairs of feeds of different authorities that list nearly the same sites."""
    for feed in store.feeds.all():
        one = store.naming.feed(feed.name)
        for other in store.naming.similar_in_size(feed.listed, one.body_sha256 or ""):
            if other.feed_id > one.feed_id and one.names.isdisjoint(other.names):
                overlap = store.naming.overlap(one.feed_id, other.feed_id)
                if overlap.is_same_list:
                    yield one, other


def confirmed_by(other: NamedBy) -> str:
    """Return the reason why a site that another feed confirms is listed."""
    return f"{other.authority.name} ({other.feed}) lists it too"
