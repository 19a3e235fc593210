"""Guards that compare a list with those of the last 30 days: lists that come back, and lists of another feed."""

from __future__ import annotations

from collections.abc import Sequence

from blocklist.domain.clock import now
from blocklist.domain.run import AppliedList, Effect
from blocklist.guards.guard import ListFacts, list_guard
from blocklist.guards.stated_dates import is_believed

#: Seconds for which the lists that a feed had are compared with a new one.
WINDOW = 30 * 86_400


def largest_recent(recent: Sequence[AppliedList]) -> AppliedList | None:
    """Return the largest of the lists of the last 30 days, since a person last approved one; None for no list.

    The list that served when the 30 days began counts, too: as one with the time of the list that replaced it.
    """
    since = _since_approval(recent)
    if not since:
        return None
    first = since[0]
    lists = list(since) if first.approved else [first._replace(sites=first.sites_before), *since]
    return max(lists, key=lambda item: item.sites)


def _since_approval(recent: Sequence[AppliedList]) -> Sequence[AppliedList]:
    """Return the lists from the last approved one on: what a person approved is what the feed should list."""
    last = max((index for index, item in enumerate(recent) if item.approved), default=0)
    return recent[last:]


def _returns(recent: Sequence[AppliedList]) -> int:
    """Return how often a list was applied that another one had replaced before."""
    returns, seen, previous = 0, set(), None
    for item in recent:
        returns += item.body_sha256 in seen and item.body_sha256 != previous
        seen.add(item.body_sha256)
        previous = item.body_sha256
    return returns


@list_guard(
    "returned_body",
    Effect.HOLDS,
    "an earlier body comes back, and one did so within the last 30 days already: two servers may have different copies",
)
def returned_body(facts: ListFacts, _: None) -> str | None:
    """Check that a feed does not go to and fro between bodies; a single return may undo a mistake."""
    served = facts.served_before()
    if served is None or not _returns(_since_approval(facts.recent())):
        return None
    return (
        f"this is the list of {served[:10]} again, and an earlier list came back before: old and new copies alternate"
    )


@list_guard(
    "last_modified",
    Effect.HOLDS,
    "the server states an older Last-Modified than for the list that serves, and the body states no later date",
)
def last_modified(facts: ListFacts, _: None) -> str | None:
    """Check that a server does not send an older copy."""
    modified, served = facts.modified, facts.served_modified()
    if not modified or not served or modified >= served or not is_believed(served, now()):
        return None
    stated, served_date = facts.scan.stated_date, facts.served_date()
    if stated and served_date and served_date < stated and is_believed(stated, now()):
        return None
    return f"its Last-Modified is {modified}, older than {served} of the list that serves"


@list_guard("same_list", Effect.NOTES, "the feed of another authority has the same body, or nearly the same sites")
def same_list(facts: ListFacts, _: None) -> str | None:
    """Check that a list is not one that another authority is said to publish."""
    twin = facts.twin()
    return f"has the same sites as {twin}: the two count as one authority" if twin else None
