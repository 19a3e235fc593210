"""Recognizes the format of a body by its first bytes, then by its content type, for the format ``auto``.

Bytes are preferred, because servers often send a wrong content type. A body that is not recognized is an error: reading
it in a guessed format could list the wrong sites.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from typing import Any, BinaryIO, NamedTuple

from blocklist.domain.errors import UnreadableFeedError
from blocklist.formats.csv import delimiter_hint
from blocklist.formats.hosts import is_address
from blocklist.formats.lines import without_comment

#: Bytes that are examined, and lines of them.
_HEAD = 65_536
_LINES = 200
#: Atomic groups: otherwise consecutive comments could be divided in exponentially many ways.
_ROOT = re.compile(r"\s*+(?:(?><\?.*?\?>|<!--.*?-->)\s*+)*+<(!doctype\s+)?([a-z][\w:.-]*)", re.IGNORECASE | re.DOTALL)
_ROOTS = {"rss": "rss", "rdf:rdf": "rss", "feed": "atom", "html": "html", "head": "html", "body": "html"}
_ZONE_RECORD = re.compile(r"\$(?:ORIGIN|TTL)\s|\S*\s+(?:\d\S*\s+)?(?:IN\s+)?(?:SOA|CNAME)\s+\S", re.IGNORECASE)
_FILTER = re.compile(r"\|\|[^/\s]+\^|@@\|\||\S*##\S")
_COMMENT = ("#", "!", ";", "//")
_DELIMITERS = {"\t": "tab", ";": "semicolon", ",": "comma", "|": "|"}
_CSV_TYPES = ("text/csv", "application/csv")


class Recognized(NamedTuple):
    """The format of a body, the options that its bytes imply, and the reason in words."""

    format: str
    options: dict[str, Any]
    reason: str


def recognize(body: BinaryIO, content_type: str | None = None, encoding: str | None = None) -> Recognized:
    """Return the format of a body that is already unwrapped; the body is left at its beginning.

    :raises UnreadableFeedError: the body looks like no format, or could be of several.
    """
    body.seek(0)
    head = body.read(_HEAD)
    body.seek(0)
    media_type = (content_type or "").partition(";")[0].strip().lower()
    recognized = _document(head) or _text(head, media_type, encoding)
    suffix = f", content type {content_type}" if content_type else ""
    return recognized._replace(reason=f"{recognized.reason}{suffix}")


def _document(head: bytes) -> Recognized | None:
    if b"%PDF-" in head[:1_024]:
        return Recognized("pdf", {}, "it begins with %PDF")
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return Recognized("xls", {}, "it is a document of old Office")
    if head.startswith(b"PK\x03\x04"):
        if b"opendocument.spreadsheet" in head[:200]:
            return Recognized("ods", {}, "it is an OpenDocument spreadsheet")
        return Recognized("xlsx", {}, "it is a zip with the parts of an Office document")
    return None


def _text(head: bytes, media_type: str, encoding: str | None) -> Recognized:
    options: dict[str, Any] = {}
    if encoding is None and head.startswith((b"\xff\xfe", b"\xfe\xff")):
        options["encoding"] = encoding = "utf-16"
    text = head.decode(encoding or "utf-8-sig", "replace").lstrip("\ufeff")
    if not encoding and "\0" in text:
        raise UnreadableFeedError("format auto: the body is binary, and of no kind that is known: set the format")
    if text.lstrip().startswith("<"):
        return _markup(text)
    # The last line may be incomplete, because only the first bytes of the body were read.
    lines = text.splitlines()[: _LINES if len(head) < _HEAD else -1][:_LINES]
    recognized = _json(text, lines) or _lines([line.strip() for line in lines], media_type)
    has_encoding = recognized.format not in ("json", "ndjson")
    return recognized._replace(options=options | recognized.options if has_encoding else {})


def _markup(text: str) -> Recognized:
    root = _ROOT.match(text[:4_096])
    name = root[2].lower() if root else ""
    if name in _ROOTS:
        return Recognized(_ROOTS[name], {}, f"its first element is <{name}>")
    raise UnreadableFeedError(
        f"format auto: the body is HTML or XML of no known kind: it begins with {text.strip()[:60]!r}"
    )


def _json(text: str, lines: list[str]) -> Recognized | None:
    start = text.lstrip()[:1]
    if start not in ("{", "[") or text.lstrip().lower().startswith("[adblock"):
        return None
    filled = [line for line in lines if line.strip()]
    if len(filled) > 1 and all(_is_json(line) for line in filled[:2]):
        return Recognized("ndjson", {}, "each of its lines is JSON")
    return Recognized("json", {}, f"it begins with {start}")


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _lines(lines: list[str], media_type: str) -> Recognized:  # noqa: PLR0911 - one return per format
    if lines and lines[0].lower().startswith("[adblock"):
        return Recognized("adblock", {}, "it begins with [Adblock")
    if lines and (hint := delimiter_hint(lines[0])):
        return Recognized("csv", {"delimiter": hint}, f"its first line names the delimiter: {lines[0]}")
    rows = [line for line in lines if line and not line.startswith(_COMMENT)]
    if not rows:
        raise UnreadableFeedError("format auto: the body has no line that is not a comment: set the format")
    half = len(rows) / 2
    if media_type == "text/dns" or rows[0].startswith("$") or sum(bool(_ZONE_RECORD.match(row)) for row in rows) > half:
        return Recognized("rpz", {}, f"its lines are records of a zone, such as {rows[0][:60]!r}")
    if sum(bool(_FILTER.match(row)) for row in rows) > half:
        return Recognized("adblock", {}, "its lines are filters (||host^)")
    words = [row.partition("#")[0].split() for row in rows]
    if sum(len(line) > 1 and is_address(line[0]) for line in words) > half:
        return Recognized("hosts", {}, "its lines begin with an address and name a host")
    if delimiter := _delimiter(rows, media_type in _CSV_TYPES):
        reason = f"its lines have columns, separated by {_DELIMITERS[delimiter]}"
        return Recognized("csv", {"delimiter": delimiter}, reason)
    if sum(" " not in without_comment(row) for row in rows) > half:
        if media_type in _CSV_TYPES:
            return Recognized("csv", {}, "its lines have one column")
        return Recognized("lines", {}, "each of its lines is one word")
    raise UnreadableFeedError(
        f"format auto: the format of the body is not recognized: set it; the body has lines such as {rows[0][:80]!r}"
    )


def _delimiter(rows: list[str], declared: bool) -> str | None:
    """Return the delimiter that gives the most rows the same number of columns, and more than one; None for none.

    ``declared``: the content type is that of CSV, so fewer rows need to agree.
    """
    best: tuple[int, int, str] | None = None
    for delimiter in _DELIMITERS:
        try:
            widths = Counter(len(row) for row in csv.reader(rows, delimiter=delimiter))
        except csv.Error:
            continue
        width, count = widths.most_common(1)[0]
        if width > 1 and count >= (0.5 if declared else 0.8) * sum(widths.values()) and (len(rows) > 1 or declared):
            best = max(best or (0, 0, ""), (count, width, delimiter))
    return best[2] if best else None
