"""The fast path of a lookup: verdicts that follow from the keys of a host alone.

Why it exists: nearly all lookups ask for a host on which no URL rule and no override exists. For those, parsing the
target, decoding groups and sorting rules by how specific they are would take several times as long as the lookup.

What it is held to: it returns either the same verdict as :meth:`.reader.Snapshot.decide` or None, and then ``decide``
is called. Tests compare both on random snapshots and targets, and with a matcher written from the contract alone.
``python -m bench.in_process`` measures it: a host that is not listed takes no longer than the bare trie.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from zlib import crc32

from blocklist.domain.listing import Scope
from blocklist.domain.verdict import Verdict, VerdictKind
from blocklist.normalize.candidates import KNOWN_HOSTS
from blocklist.snapshot.format.index import Detail, Group, Index
from blocklist.snapshot.format.layout import Flag
from blocklist.snapshot.format.prefilter import Prefilter, has_bit, last_three_labels, passing_host
from blocklist.snapshot.format.stacked_index import StackedIndex

#: Tails kept for each policy.
_CACHED_TAILS = 65_536

#: The fields of a verdict from ``scope`` on: () = not listed, None = ask decide().
VerdictTail = tuple[Any, ...] | None
_TAIL = Verdict._fields.index("scope")
_NOT_CACHED: Any = object()

#: ``decide_host(host, host_bytes, last_two, policy)`` returns the verdict for a host that is canonical as written.
#: ``host_bytes`` is the host in ASCII, ``last_two`` the bytes of its last two labels. It returns None if a URL rule, an
#: override or a number of authorities could matter, if the host is one of a wrapper or an app store, so that its URL
#: may name another page or an app, or if there is no such policy.
HostDecider = Callable[[str, bytes, bytes, str], Verdict | None]


#: The hosts of wrappers and app stores, see :mod:`blocklist.normalize.candidates`.
_KNOWN = tuple(map(passing_host, KNOWN_HOSTS.names()))


class SourceTable:
    """The sources of a snapshot: feeds, with the authority and country of their listings."""

    def __init__(self, sources: list[dict[str, Any]]) -> None:
        self._sources = sources

    def __getitem__(self, number: int) -> dict[str, Any]:
        return self._sources[number]

    def counting(self, group: Group, bit: int, *, above: bool) -> Iterator[Detail]:
        """Yield the listings of a group that count under the policy of a bit.

        ``above``: the target is below the group's key, so listings of other scopes than ``subtree`` do not count.
        """
        for detail in group.details:
            reaches = not above or detail.scope is Scope.SUBTREE
            if reaches and self._sources[detail.source]["mask"] >> bit & 1:
                yield detail

    def feeds(self, details: Iterable[Detail]) -> tuple[str, ...]:
        """Return the names of the feeds of listings, each once, sorted."""
        return tuple(sorted({self._sources[detail.source]["feed"] for detail in details}))


class GroupTails:
    """What each group contributes to verdicts on hosts, cached for each policy."""

    def __init__(
        self, index: Index | StackedIndex, sources: SourceTable, bits: Mapping[str, int], policies: Iterable[str],
        not_listed: Verdict,
    ) -> None:  # fmt: skip
        """``bits`` has the bit of every policy; ``policies`` are those that need one authority only."""
        self._index, self._sources, self._bits, self._not_listed = index, sources, bits, not_listed
        #: For each policy, the tails by ``number << 1 | above``: the group's number, and whether the host is below the
        #: group's key.
        self.by_policy: dict[str, dict[int, VerdictTail]] = {policy: {} for policy in policies}

    def decide(self, host: str, found: Iterable[tuple[int, int]], policy: str) -> Verdict | None:
        """Return the verdict for a host with these covering keys, or None if they alone do not decide.

        ``found`` has (length, group number) of each key, the shortest first.
        """
        tails = self.by_policy.get(policy)
        if tails is None:
            return None
        matched, scope = 0, None
        feeds: tuple[str, ...] = ()
        for length, number in found:
            # A key is one byte longer than its host: the closing dot.
            above = length <= len(host)
            tail = tails.get(number << 1 | above, _NOT_CACHED)
            if tail is _NOT_CACHED:
                tail = self._read(tails, number, above, self._bits[policy])
            if tail is None:
                return None
            if tail:
                matched, scope, feeds = length, tail[0], tuple(sorted({*feeds, *tail[1]}))
        if not matched:
            return self._not_listed
        return Verdict(VerdictKind.LISTED, self._not_listed.version, host[1 - matched :], scope, feeds)

    def _read(self, tails: dict[int, VerdictTail], number: int, above: bool, bit: int) -> VerdictTail:
        group = self._index.group(number)
        tail: VerdictTail
        if group.flags and (not above or group.flags & Flag.OVERRIDES):
            tail = None
        else:
            counting = list(self._sources.counting(group, bit, above=above))
            tail = _tail(counting[0].scope, self._sources.feeds(counting)) if counting else ()
        if len(tails) >= _CACHED_TAILS:
            tails.clear()
        tails[number << 1 | above] = tail
        return tail


def _tail(scope: Scope, feeds: tuple[str, ...]) -> tuple[Any, ...]:
    return Verdict(VerdictKind.LISTED, 0, None, scope, feeds)[_TAIL:]


def host_decider(
    tails: GroupTails, index: Index | StackedIndex, prefilter: Prefilter, bits: Mapping[str, int], not_listed: Verdict
) -> HostDecider:
    """Return the function that decides hosts.

    It is a closure because Python reads its variables in a third of the time of an object's attributes, which is a
    tenth of a lookup. For the same reason it repeats what the functions named in its comments do.
    """
    # Hosts of wrappers and app stores pass, so that all other hosts pay nothing for the question whether they are one.
    prefilter = prefilter.with_passing(_KNOWN)
    filter_bits, wide, size = prefilter.bits, prefilter.wide, len(prefilter.bits)
    version, tails_of = not_listed.version, tails.by_policy
    prefixes, covering, many_groups = index.prefixes, index.covering, index.many_groups
    listed = VerdictKind.LISTED
    is_known = KNOWN_HOSTS.has
    # Makes a Verdict in two thirds of the time that its own constructor takes.
    new: Any = tuple.__new__

    def decide_host(host: str, host_bytes: bytes, last_two: bytes, policy: str) -> Verdict | None:
        hashed = crc32(last_two)
        if (
            # Prefilter.may_cover, in half the time.
            not filter_bits[hashed % size] >> (hashed & 7) & 1
            or (last_two in wide and not has_bit(filter_bits, last_three_labels(host, len(host) - len(last_two) - 1)))
        ):
            return not_listed if policy in bits else None
        found: list[Any] = covering(host[::-1] + ".") if many_groups else prefixes(host_bytes[::-1] + b".")
        if not found:
            return not_listed if policy in bits and not is_known(host) else None
        if len(found) == 1:
            # GroupTails.decide, for a single key whose tail is cached.
            if many_groups:
                length, number = found[0]
            else:
                length, number = len(found[0]), 0
            cached = tails_of.get(policy)
            tail = cached.get(number << 1 | (length <= len(host))) if cached else None
            if tail:
                # Not "*tail", which makes a list first.
                verdict: Verdict = new(Verdict, (listed, version, host[1 - length :]) + tail)  # noqa: RUF005
                return verdict
        decided = tails.decide(host, found if many_groups else [(len(key), 0) for key in found], policy)
        return None if decided is not_listed and is_known(host) else decided

    return decide_host
