"""The guard ``cut_off``: bodies that end in the middle of a row, as three real publications of a register did."""

from __future__ import annotations

from blocklist.domain.listing import Entry, Rejected
from blocklist.domain.run import Effect
from blocklist.guards.guard import ListFacts, list_guard

#: Codes of rows that may be the rest of one that was cut; other rows are rejected for what they name.
_UNREADABLE = frozenset({"syntax", "unreadable", "single_label", "unknown_tld", "empty", "not_a_host_rule"})


@list_guard(
    "cut_off",
    Effect.HOLDS,
    "the body seems to end in the middle of a row: its last line has no line break though every body before had one, "
    "cannot be read, or is the beginning of an entry that would go; or the last row of a table has too few columns",
)
def cut_off(facts: ListFacts, _: None) -> str | None:
    """Check that a body ends at the end of a row."""
    # In formats that are not line-based (JSON, archives, documents), a body that was cut off cannot be read at all.
    if facts.cut_row or not facts.line_based or not facts.scan.ends_open:
        return facts.cut_row
    what = _shown(facts.last)
    if isinstance(facts.last, Rejected) and facts.last.code in _UNREADABLE:
        return f"the last line, {what}, has no line break and cannot be read: the body may be cut off in it"
    if facts.always_closed():
        return f"the last line, {what}, has no line break, and every body before had one: it may be cut off in it"
    longer = facts.removed_continuation(facts.last_rule) if facts.last_rule else None
    if longer:
        return f"the last line, {what}, has no line break and is the beginning of {longer!r}, which would go"
    return None


def _shown(row: Entry | Rejected | None) -> str:
    if row is None:
        return "a comment"
    raw = row.raw if isinstance(row, Rejected) else row.raw or row.site
    return repr(raw if len(raw) <= 80 else raw[:79] + "…")
