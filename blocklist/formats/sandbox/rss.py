"""News feeds (RSS, Atom), read by feedparser from the bytes that were fetched, never from an address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.sax import SAXException

import feedparser

from blocklist.formats.sandbox.protocol import NEWS_COLUMNS, DocumentError


def rows(file: BinaryIO, options: dict[str, Any]) -> Iterator[tuple[int, list[str]]]:  # noqa: ARG001 - the signature of all readers
    """Yield the header, then one row per item, numbered from 1.

    :raises DocumentError: the document is not a news feed, or is damaged (feedparser would return half of it).
    """
    found = feedparser.parse(file, resolve_relative_uris=False, sanitize_html=False)
    broken = found.get("bozo_exception")
    if isinstance(broken, SAXException):
        raise DocumentError(f"not XML that can be read: {broken}")
    if not found.version:
        raise DocumentError("not a news feed: neither RSS nor Atom")
    yield 0, list(NEWS_COLUMNS)
    for number, item in enumerate(found.entries, 1):
        yield number, [_text(item, column) for column in NEWS_COLUMNS]


def _text(item: Any, column: str) -> str:
    if column == "category":
        return ", ".join(tag.get("term") or "" for tag in item.get("tags", ()))
    return str(item.get(column) or "")
