"""Whether two feeds that name a site confirm each other, or only repeat each other."""

from __future__ import annotations

from typing import NamedTuple

from blocklist.domain.listing import CONFIRMED_KINDS, Authority, Scope

#: Lists with fewer common sites may be alike by chance.
_LEAST_COMMON = 5
#: Share of all sites of two lists from which on they are the same list.
_SAME = 0.9
#: From so many sites on, a list of which more than half is in the other one is a copy, whole or in part. Measured on
#: six real lists: two of volunteers have 59% of the smaller one in common, all other pairs less than 47%.
_LEAST_COPIED, _COPIED = 50, 0.5


class NamedBy(NamedTuple):
    """Who names a site: a feed, its authority, and the authority that the row states, if it states one.

    ``scope`` is how far the entry reaches; None where no single entry is meant.
    """

    feed_id: int
    feed: str
    authority: Authority
    stated: str | None = None
    body_sha256: str | None = None
    scope: Scope | None = None

    @property
    def names(self) -> set[str]:
        """The names of the authorities behind it."""
        return {name.strip().casefold() for name in (self.authority.name, self.stated) if name}

    @property
    def is_confirmed(self) -> bool:
        """Whether its authority acts for a government."""
        return self.authority.kind in CONFIRMED_KINDS


class Overlap(NamedTuple):
    """How many sites two lists have, and how many of them in common."""

    one: int
    other: int
    common: int

    @property
    def is_same_list(self) -> bool:
        """Whether the two lists are nearly the same.

        >>> Overlap(100, 95, 95).is_same_list, Overlap(100, 50, 50).is_same_list, Overlap(1, 1, 1).is_same_list
        (True, False, False)
        """
        return self.common >= _LEAST_COMMON and self.common >= _SAME * (self.one + self.other - self.common)

    @property
    def is_copied(self) -> bool:
        """Whether one list has its sites from the other, or both have them from a third.

        >>> Overlap(10_335, 1_273, 748).is_copied, Overlap(10_335, 3_503, 541).is_copied
        (True, False)
        """
        smaller = min(self.one, self.other)
        return self.is_same_list or (smaller >= _LEAST_COPIED and self.common > _COPIED * smaller)


def may_confirm(one: NamedBy, other: NamedBy) -> bool:
    """Return whether two feeds can confirm each other, before their lists are compared (see :class:`Overlap`).

    They are of different authorities, and at least one of these acts for a government: lists that volunteers or an
    industry keep copy from each other, so that many of them may repeat one mistake.
    """
    return (
        one.feed_id != other.feed_id and one.names.isdisjoint(other.names) and (one.is_confirmed or other.is_confirmed)
    )
