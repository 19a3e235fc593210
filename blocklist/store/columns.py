"""The columns of a listing, named once: statements over listings take their lists of columns from here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from blocklist.domain.listing import Entry

#: Which rule a row is of.
RULE = ("value", "kind", "scope")
#: What a body may state of an entry beside the rule: the optional fields of :class:`Entry`.
FACTS = Entry._fields[3:]
#: How an entry was published, and what was stated of it; ``raw`` is null where it is the rule's value.
PUBLISHED = ("position", "raw", *FACTS)
#: A row of a body while it is staged; most rows state no fact.
STAGED_WITHOUT_FACTS = (*RULE, "position", "raw")
STAGED = (*RULE, *PUBLISHED)

#: Condition on ``l``: the feed of the parameter lists it now.
OPEN = "l.feed_id = ? AND l.closed_by = 0"


class ListingRow(NamedTuple):
    """A listing as exports and changes read it. ``raw`` is None where the entry is the rule's value."""

    value: str
    kind: str
    scope: str
    feed_id: int
    raw: str | None
    position: int
    reference: str | None
    legal_basis: str | None
    published_at: str | None
    authority: str | None
    country: str | None
    listed_from: str
    run_id: int


def listed(columns: Iterable[str], table: str = "") -> str:
    """Return columns as a statement lists them.

    >>> listed(("value", "kind")), listed(("value", "kind"), "l")
    ('value, kind', 'l.value, l.kind')
    """
    return ", ".join(f"{table}.{column}" if table else column for column in columns)


def same_rule(one: str, other: str) -> str:
    """Return the condition that the rows of two tables are of the same rule.

    >>> same_rule("i", "l")
    'i.value = l.value AND i.kind = l.kind AND i.scope = l.scope'
    """
    return " AND ".join(f"{one}.{column} = {other}.{column}" for column in RULE)
