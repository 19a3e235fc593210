"""What was listed, delisted or stated otherwise since a moment or a snapshot, a page at a time."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from typing import Any

from blocklist.domain.clock import later, now, parse_time
from blocklist.domain.errors import NotFoundError, UsageError
from blocklist.domain.listing import Feed, Rule, RuleKind, Scope
from blocklist.store import Store
from blocklist.store.columns import ListingRow

#: Seconds that compiling a snapshot may take: what was recorded meanwhile is not in it.
_COMPILING = 120
#: Where a page ends: until when all pages go, the last id that began, and the moment and id of the last that ended.
Place = tuple[str, int, str, int]


@dataclass(frozen=True, slots=True)
class Changed:
    """One change: ``listed``, ``delisted`` or ``restated`` (listed in other words, such as a new reference)."""

    at: str
    change: str
    rule: Rule
    feed: str
    authority: str
    country: str
    reference: str | None
    listed_from: str
    entry: str


@dataclass(frozen=True, slots=True)
class ChangesPage:
    """Changes from ``since`` to ``until``, in order of time; ``last`` is where the next page begins, None at the end.

    Whoever has read the last page goes on from ``until``: what happened in that very second may come twice.
    """

    since: str
    until: str
    changes: tuple[Changed, ...]
    last: Place | None


def changes(
    store: Store, since: str, *, after: Place | None = None, limit: int = 100, feed: str | None = None
) -> ChangesPage:
    """Return a page of what changed since a moment, or since a snapshot where ``since`` is its version.

    ``after`` is :attr:`ChangesPage.last` of the page before.

    :raises UsageError: ``since`` is neither.
    :raises NotFoundError: there was no snapshot of that version, or is no such feed.
    """
    begin = _moment(store, since)
    wanted = store.feeds.get(feed).id if feed else None
    with store.database.reading():
        newest = store.exports.newest_change() or now()
        until, opened_id, closed_at, closed_id = after or (max(begin, newest), 0, begin, -1)
        if after is None:
            opened_id = store.exports.first_since(begin)
        found = list(islice(_merged(store, (until, opened_id, closed_at, closed_id), begin, wanted, limit), limit + 1))
    page = found[:limit]
    for change, moment, id_, *_ in page:
        if change == "delisted":
            closed_at, closed_id = moment, id_
        else:
            opened_id = id_
    feeds = {item.id: item for item in store.feeds.including_removed()}
    told = tuple(_changed(feeds, *row) for row in page)
    last = (until, opened_id, closed_at, closed_id) if len(found) > limit else None
    return ChangesPage(begin, until, told, last)


def _merged(store: Store, place: Place, since: str, feed_id: int | None, limit: int) -> Iterator[tuple[Any, ...]]:
    """Yield both kinds of change in order of time: change, moment, id, first wording, rule, feed id, facts."""
    until, opened_id, closed_at, closed_id = place
    opened = store.exports.opened(opened_id, since, until, limit + 1, feed_id)
    closed = store.exports.closed((closed_at, closed_id), until, limit + 1, feed_id)
    yield from heapq.merge(
        (("delisted", *row) for row in closed),
        (("listed" if row[2] else "restated", *row) for row in opened),
        key=itemgetter(1),
    )


def _changed(feeds: dict[int, Feed], change: str, moment: str, _id: int, _first: bool, listing: ListingRow) -> Changed:
    feed = feeds[listing.feed_id]
    return Changed(
        at=moment,
        change=change,
        rule=Rule(RuleKind(listing.kind), listing.value, Scope(listing.scope)),
        feed=feed.name,
        authority=listing.authority or feed.authority.name,
        country=listing.country or feed.authority.country,
        reference=listing.reference,
        listed_from=listing.listed_from,
        entry=listing.raw or listing.value,
    )


def _moment(store: Store, since: str) -> str:
    if since.isascii() and since.isdigit() and len(since) < 12:
        built_at = store.snapshots.built_at(int(since))
        if built_at is None:
            raise NotFoundError(f"there was no snapshot of version {since}: 'blocklist snapshot info' shows the newest")
        return later(built_at, -_COMPILING)
    try:
        return parse_time(since)
    except ValueError as error:
        raise UsageError(f"since: {error}; or the version of a snapshot, such as 7") from None
