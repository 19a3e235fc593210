"""What was listed, delisted or restated since a moment or a snapshot, a page at a time."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple

from blocklist.domain.clock import later, now, parse_time
from blocklist.domain.errors import NotFoundError, UsageError
from blocklist.domain.listing import Feed, Rule, RuleKind, Scope
from blocklist.store import Store
from blocklist.store.columns import ListingRow

#: Before every listing: what version 0, from before the first snapshot, stands for.
_BEGINNING = "1970-01-01T00:00:00Z"


class ChangesPosition(NamedTuple):
    """Where a page of changes ends: the id of its last new listing, and the moment and id of its last ended one.

    ``until`` is the moment of the newest change that the pages contain, the same for every page.
    """

    until: str
    opened_id: int
    closed_at: str
    closed_id: int


@dataclass(frozen=True, slots=True)
class ListingChange:
    """One change: ``listed``, ``delisted`` or ``restated`` (listed with other facts, such as a new reference)."""

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

    A reader of the last page continues with ``since`` = ``until``. A change of that second may come twice.
    """

    since: str
    until: str
    changes: tuple[ListingChange, ...]
    last: ChangesPosition | None


def changes(
    store: Store, since: str, *, after: ChangesPosition | None = None, limit: int = 100, feed: str | None = None
) -> ChangesPage:
    """Return a page of at most ``limit`` changes since a moment, or since the snapshot of a version; 0 for all.

    ``after`` is :attr:`ChangesPage.last` of the page before.

    :raises UsageError: ``since`` is neither a time nor a version.
    :raises NotFoundError: there was no snapshot of that version, or there is no such feed.
    """
    begin = _moment(store, since)
    feed_id = store.feeds.get(feed).id if feed else None
    with store.database.reading():
        newest = store.exports.newest_change() or now()
        position = after or ChangesPosition(max(begin, newest), store.exports.first_since(begin), begin, -1)
        found = list(islice(_merged(store, position, begin, feed_id, limit), limit + 1))
    page = found[:limit]
    for change, moment, id_, *_ in page:
        if change == "delisted":
            position = position._replace(closed_at=moment, closed_id=id_)
        else:
            position = position._replace(opened_id=id_)
    feeds = {item.id: item for item in store.feeds.including_removed()}
    shown = tuple(_change(feeds, *row) for row in page)
    return ChangesPage(begin, position.until, shown, position if len(found) > limit else None)


def _merged(
    store: Store, position: ChangesPosition, since: str, feed_id: int | None, limit: int
) -> Iterator[tuple[Any, ...]]:
    """Yield both kinds of change in order of time: change, moment, id, first statement or not, rule, feed id, facts."""
    until, opened_id, closed_at, closed_id = position
    opened = store.exports.opened(opened_id, since, until, limit + 1, feed_id)
    closed = store.exports.closed((closed_at, closed_id), until, limit + 1, feed_id)
    yield from heapq.merge(
        (("delisted", *row) for row in closed),
        (("listed" if row[2] else "restated", *row) for row in opened),
        key=itemgetter(1),
    )


def _change(
    feeds: dict[int, Feed], change: str, moment: str, _id: int, _first: bool, listing: ListingRow
) -> ListingChange:
    feed = feeds[listing.feed_id]
    return ListingChange(
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
        if int(since) == 0:
            return _BEGINNING
        built_at = store.snapshots.built_at(int(since))
        if built_at is None:
            raise NotFoundError(f"there was no snapshot of version {since}: 'blocklist snapshot info' shows the newest")
        # The snapshot was compiled within this time before: a change that was recorded in it is not in the snapshot.
        return later(built_at, -120)
    try:
        return parse_time(since)
    except ValueError as error:
        raise UsageError(f"since: {error}; or the version of a snapshot, such as 7") from None
