"""Guards that hold a list which says of itself that it is not whole: a stated count, a missing end, a next page.

A body that was cut exactly at the end of a row looks like a complete one, except for what it states.
"""

from __future__ import annotations

from blocklist.domain.run import Effect
from blocklist.guards.guard import ListFacts, Setting, list_guard
from blocklist.guards.setting_types import Share

#: The code of the rejected row by which a format says that a part of the list is elsewhere.
NOT_READ = "not_read"


@list_guard(
    "stated_count",
    Effect.HOLDS,
    "the body states more entries than it has, by more than this share, or that it is one part of several",
    Setting("max_missing", Share, 0.01, "Share of the entries that a body states which may be missing from it."),
)
def stated_count(facts: ListFacts, most: float) -> str | None:
    """Check that a body has as many rows as it states."""
    stated = facts.scan.stated_size
    if not facts.line_based:
        return None
    if stated.parts > 1:
        return f"states that it is part {stated.part} of {stated.parts}: {stated.line[:80]!r}"
    missing = stated.entries - facts.counts.entries
    # Of a list of which only some rows are read, the count says nothing.
    if facts.filtered or missing <= max(1, most * stated.entries):
        return None
    return (
        f"states {stated.entries:,} entries ({stated.line[:80]!r}) and has {facts.counts.entries:,}: it may be cut "
        f"off; this feed allows {most:.0%} to be missing"
    )


@list_guard(
    "end_marker",
    Effect.HOLDS,
    "the body has no last line such as # EOF, and every body before had one",
)
def end_marker(facts: ListFacts, _: None) -> str | None:
    """Check that a body ends with the line that says so, if those before did."""
    if not facts.line_based or facts.scan.end_marker or not facts.always_marked():
        return None
    return "has no last line that says it is the end, and every body before had one: it may be cut off"


@list_guard(
    "incomplete",
    Effect.HOLDS,
    "the body says that it is not the whole list: a next page, a larger total, an error beside the rows, or another "
    "sheet or table with the same header",
)
def incomplete(facts: ListFacts, _: None) -> str | None:
    """Check that no part of the list is elsewhere."""
    return facts.not_read


#: In the order in which they check a list.
COMPLETENESS_GUARDS = (stated_count, end_marker, incomplete)
