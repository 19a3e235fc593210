"""Bodies cut off in the middle of a row: three real publications of the Russian register were, freshly dated."""

from __future__ import annotations

import csv
from typing import Any

from blocklist.domain.listing import Entry, Rejected
from blocklist.refresh.body_reader import BodyReader
from blocklist.refresh.encoding_check import BodyScan
from blocklist.store import Store

#: Formats in which a row is a line; the others (JSON, archives, documents) cannot be read when they are cut off.
_BY_LINE = frozenset({"lines", "hosts", "adblock", "csv", "ndjson", "rpz"})
#: What is left of a row that was cut; other rows are refused for what they say.
_UNREADABLE = frozenset({"syntax", "unreadable", "single_label", "empty", "not_a_host_rule"})
#: Rows that make a comparison.
_COMPARED = 3


def cut_off(store: Store, feed_id: int, look: BodyScan, reader: BodyReader) -> str | None:
    """Return in a sentence why a staged body seems to be cut off in the middle of a row, or None."""
    short = _short_row(look, reader.options) if reader.format == "csv" else None
    if short or reader.format not in _BY_LINE or not look.ends_open:
        return short
    what = _shown(reader.last)
    if isinstance(reader.last, Rejected) and reader.last.code in _UNREADABLE:
        return f"the last line, {what}, has no line break and cannot be read: the body may be cut off in it"
    if store.evidence.always_ended_with_newline(feed_id):
        return f"the last line, {what}, has no line break, and every body before had one: it may be cut off in it"
    longer = store.staging.removed_continuation(feed_id, reader.last_rule) if reader.last_rule else None
    if longer:
        return f"the last line, {what}, has no line break and is the beginning of {longer!r}, which would go"
    return None


def _short_row(look: BodyScan, options: Any) -> str | None:
    """Return in a sentence that the last row of a table has fewer columns than any before it in the tail."""
    lines = look.tail.decode(options.encoding, "replace").splitlines()[options.skip_rows if look.whole else 1 :]
    rows = csv.reader(
        lines,
        delimiter=options.delimiter,
        quotechar=options.quote or None,
        quoting=csv.QUOTE_MINIMAL if options.quote else csv.QUOTE_NONE,
    )
    try:
        widths = [len(row) for row in rows if any(row)]
    except csv.Error:
        return None
    if len(widths) <= _COMPARED or widths[-1] >= min(widths[:-1]):
        return None
    return (
        f"the last row has {widths[-1]} columns and the {len(widths) - 1:,} before it at least {min(widths[:-1])}: "
        "the body may be cut off in it"
    )


def _shown(item: Entry | Rejected | None) -> str:
    if item is None:
        return "a comment"
    raw = item.raw if isinstance(item, Rejected) else item.raw or item.site
    return repr(raw if len(raw) <= 80 else raw[:79] + "…")
