"""What feeds name and do not list: entries held alone and additions of held runs, found by their rules."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import NamedTuple

from blocklist.domain.run import HeldListing, HoldState
from blocklist.store import held_changes
from blocklist.store.base_table import Table
from blocklist.store.columns import PUBLISHED, RULE, listed, same_rule
from blocklist.store.engine import Row
from blocklist.store.listings import with_authority
from blocklist.store.mapping import mapper, rule_of

#: The states of a hold by the states of a run's review.
_STATE_OF_REVIEW = {
    "pending": HoldState.WAITING,
    "approved": HoldState.APPROVED,
    "rejected": HoldState.REFUSED,
    "superseded": HoldState.WITHDRAWN,
}
#: The newest feed of a name: a decision outlasts a feed that is removed and added again.
_FEED_OF_HOLD = "JOIN feeds f ON f.id = (SELECT max(id) FROM feeds WHERE name = h.feed)"
_HOLD_COLUMNS = (
    f"f.name, f.definition, {listed((*RULE, *PUBLISHED), 'h')}, h.run_id, h.id, h.held_at, h.why, h.state,"
    " h.decided_by, h.decided_at, h.reason"
)
_FEED_OF_RUN = "JOIN runs r ON r.id = c.run_id JOIN feeds f ON f.id = r.feed_id"
_RUN_COLUMNS = (
    f"f.name, f.definition, {listed(RULE, 'c')}, c.position, c.raw, NULL, NULL, NULL, NULL, NULL,"
    " r.id, NULL, r.finished_at, r.reason, r.review, r.review_by, r.review_at, r.review_reason"
)
#: An entry of a waiting run that was approved alone meanwhile is listed.
_NAMED = (
    "c.change IN ('added', 'held') AND r.review IS NOT NULL AND (r.review <> 'pending' OR NOT EXISTS"
    f" (SELECT 1 FROM listings l WHERE {same_rule('l', 'c')} AND l.feed_id = r.feed_id AND l.closed_by = 0))"
)
#: The columns of both statements, in order.
_NAMES = (
    *("feed", "definition", *RULE, *PUBLISHED, "run", "hold", "since", "why", "state"),
    *("decided_by", "decided_at", "decision"),
)


class UnsearchedRun(NamedTuple):
    """A held run with more additions than are kept: all up to the value ``last`` are, in order of their values."""

    held: HeldListing
    last: str


class HeldListings(Table):
    """The rules that wait for a person, and those that a person decided on."""

    def candidates(self, values: Collection[str], url_hosts: Collection[str]) -> list[HeldListing]:
        """Return what is held, or was, of rules with these values and of URLs on these hosts, by run.

        Additions of a superseded run are no longer kept.
        """
        # "0" follows "/": every value that begins with "host/", found through the index.
        on_host = "{0}.value >= t.value || '/' AND {0}.value < t.value || '0' AND {0}.kind = 'url'"
        searches = ((values, "{0}.value = t.value AND {0}.kind <> 'url'"), (url_hosts, on_host))
        found: list[HeldListing] = []
        for texts, condition in searches:
            found += self._of_holds(texts, condition.format("h"))
            found += self._of_runs(texts, condition.format("c"))
        return sorted(found, key=lambda item: item.run)

    def unsearched(self) -> list[UnsearchedRun]:
        """Return the waiting runs whose additions are not all kept, by id."""
        rows = self._database.rows(
            "SELECT f.name AS feed, f.definition, r.id AS run, r.finished_at AS since, r.reason AS why,"
            " r.review AS state, r.counts,"
            " (SELECT max(c.value) FROM held_changes c WHERE c.run_id = r.id AND c.change = 'added') AS last"
            " FROM runs r JOIN feeds f ON f.id = r.feed_id WHERE r.review = 'pending' ORDER BY r.id"
        )
        return [
            UnsearchedRun(_held(dict.fromkeys(_NAMES) | row), row["last"] or "")
            for row in rows
            if json.loads(row["counts"]).get("added", 0) > held_changes.MAX_CHANGES_KEPT
        ]

    def _of_holds(self, texts: Collection[str], condition: str) -> Iterator[HeldListing]:
        rows = self._database.joined_with(list(texts), _HOLD_COLUMNS, f"holds h ON {condition} {_FEED_OF_HOLD}")
        return (_held(dict(zip(_NAMES, row, strict=True))) for row in rows)

    def _of_runs(self, texts: Collection[str], condition: str) -> Iterator[HeldListing]:
        rows = self._database.joined_with(
            list(texts), _RUN_COLUMNS, f"held_changes c ON {condition} {_FEED_OF_RUN} WHERE {_NAMED}"
        )
        return (_held(dict(zip(_NAMES, row, strict=True))) for row in rows)


def _state(row: Row) -> HoldState:
    return HoldState(_STATE_OF_REVIEW.get(row["state"]) or row["state"])


_mapped = mapper(
    HeldListing,
    rule=lambda row: rule_of(row) if row["value"] else None,
    entry=lambda row: row["raw"] or row["value"],
    state=_state,
)


def _held(row: Row) -> HeldListing:
    return _mapped(with_authority(row))
