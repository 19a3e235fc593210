"""Bodies cut off in the middle of a row: three real publications of the Russian register were, freshly dated."""

from __future__ import annotations

from blocklist.domain.listing import Entry, Rejected
from blocklist.refresh.body_reader import BodyReader
from blocklist.refresh.encoding_check import BodyScan
from blocklist.store import Store

#: What is left of a row that was cut; other rows are refused for what they say.
_UNREADABLE = frozenset({"syntax", "unreadable", "single_label", "empty", "not_a_host_rule"})


def cut_off(store: Store, feed_id: int, look: BodyScan, reader: BodyReader) -> str | None:
    """Return in a sentence why a staged body seems to be cut off in the middle of a row, or None."""
    # Formats that are not line-based (JSON, archives, documents) cannot be read at all when they are cut off.
    find_cut_row = reader.format.find_cut_row
    cut = find_cut_row(look.tail, look.whole, reader.options) if find_cut_row else None
    if cut or not reader.format.line_based or not look.ends_open:
        return cut
    what = _shown(reader.last)
    if isinstance(reader.last, Rejected) and reader.last.code in _UNREADABLE:
        return f"the last line, {what}, has no line break and cannot be read: the body may be cut off in it"
    if store.evidence.always_ended_with_newline(feed_id):
        return f"the last line, {what}, has no line break, and every body before had one: it may be cut off in it"
    longer = store.staging.removed_continuation(feed_id, reader.last_rule) if reader.last_rule else None
    if longer:
        return f"the last line, {what}, has no line break and is the beginning of {longer!r}, which would go"
    return None


def _shown(item: Entry | Rejected | None) -> str:
    if item is None:
        return "a comment"
    raw = item.raw if isinstance(item, Rejected) else item.raw or item.site
    return repr(raw if len(raw) <= 80 else raw[:79] + "…")
