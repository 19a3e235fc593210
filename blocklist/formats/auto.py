"""``auto``: which format a body is in, by its first bytes and the content type it came with, and why.

Bytes win over the content type, which servers often get wrong. What cannot be told is an error that says what was seen:
a guess that is wrong would list something else.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from typing import Any, BinaryIO, NamedTuple

from blocklist.domain.errors import UnreadableFeedError
from blocklist.formats.hosts import is_address

#: Bytes looked at, and lines of them.
_HEAD = 65_536
_LINES = 200
#: Atomic: comments behind comments could else be divided in exponentially many ways.
_ROOT = re.compile(r"\s*+(?:(?><\?.*?\?>|<!--.*?-->)\s*+)*+<(!doctype\s+)?([a-z][\w:.-]*)", re.IGNORECASE | re.DOTALL)
_ROOTS = {"rss": "rss", "rdf:rdf": "rss", "feed": "atom", "html": "html", "head": "html", "body": "html"}
_ZONE = re.compile(r"\$(?:ORIGIN|TTL)\s|\S*\s+(?:\d\S*\s+)?(?:IN\s+)?(?:SOA|CNAME)\s+\S", re.IGNORECASE)
_FILTER = re.compile(r"\|\|[^/\s]+\^|@@\|\||\S*##\S")
_COMMENT = ("#", "!", ";", "//")
_DELIMITERS = {"\t": "tab", ";": "semicolon", ",": "comma", "|": "|"}
_BY_CONTENT_TYPE = {"text/csv": "csv", "application/csv": "csv", "application/x-ndjson": "ndjson", "text/dns": "rpz"}


class Seen(NamedTuple):
    """The format that a body was taken for, the options that its bytes give, and why, in words."""

    format: str
    options: dict[str, Any]
    why: str


def recognize(body: BinaryIO, content_type: str | None = None, encoding: str | None = None) -> Seen:
    """Return what a body, already unwrapped, is taken for; the body is left at its beginning.

    :raises UnreadableFeedError: it looks like no format, or like none for sure.
    """
    body.seek(0)
    head = body.read(_HEAD)
    body.seek(0)
    seen = _document(head) or _text(head, (content_type or "").partition(";")[0].strip().lower(), encoding)
    said = f", content type {content_type}" if content_type else ""
    return seen._replace(why=f"{seen.why}{said}")


def _document(head: bytes) -> Seen | None:
    if b"%PDF-" in head[:1_024]:
        return Seen("pdf", {}, "it begins with %PDF")
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return Seen("xls", {}, "it is a document of old Office")
    if head.startswith(b"PK\x03\x04"):
        if b"opendocument.spreadsheet" in head[:200]:
            return Seen("ods", {}, "it is an OpenDocument spreadsheet")
        return Seen("xlsx", {}, "it is a zip with the parts of an Office document")
    return None


def _text(head: bytes, content_type: str, encoding: str | None) -> Seen:
    options: dict[str, Any] = {}
    if encoding is None and head.startswith((b"\xff\xfe", b"\xfe\xff")):
        options["encoding"] = encoding = "utf-16"
    text = head.decode(encoding or "utf-8-sig", "replace").lstrip("\ufeff")
    if not encoding and "\0" in text:
        raise UnreadableFeedError("format auto: the body is binary, and of no kind that is known: set the format")
    if text.lstrip().startswith("<"):
        return _markup(text)
    # The last line may be cut off where the looking ends.
    lines = text.splitlines()[: _LINES if len(head) < _HEAD else -1][:_LINES]
    seen = _structured(text, lines) or _of_lines([line.strip() for line in lines], content_type)
    return seen._replace(options=options | seen.options if seen.format not in ("json", "ndjson") else {})


def _markup(text: str) -> Seen:
    root = _ROOT.match(text[:4_096])
    name = root[2].lower() if root else ""
    if name in _ROOTS:
        return Seen(_ROOTS[name], {}, f"its first element is <{name}>")
    raise UnreadableFeedError(
        f"format auto: the body is HTML or XML of no known kind: it begins with {text.strip()[:60]!r}"
    )


def _structured(text: str, lines: list[str]) -> Seen | None:
    start = text.lstrip()[:1]
    if start not in ("{", "[") or text.lstrip().lower().startswith("[adblock"):
        return None
    filled = [line for line in lines if line.strip()]
    if len(filled) > 1 and all(_is_json(line) for line in filled[:2]):
        return Seen("ndjson", {}, "each of its lines is JSON")
    return Seen("json", {}, f"it begins with {start}")


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _of_lines(lines: list[str], content_type: str) -> Seen:  # noqa: PLR0911 - one return a format
    if lines and lines[0].lower().startswith("[adblock"):
        return Seen("adblock", {}, "it begins with [Adblock")
    rows = [line for line in lines if line and not line.startswith(_COMMENT)]
    if not rows:
        raise UnreadableFeedError("format auto: the body has no line that is not a comment: set the format")
    half = len(rows) / 2
    if content_type == "text/dns" or rows[0].startswith("$") or sum(map(_is_record, rows)) > half:
        return Seen("rpz", {}, f"its lines are records of a zone, such as {rows[0][:60]!r}")
    if sum(bool(_FILTER.match(row)) for row in rows) > half:
        return Seen("adblock", {}, "its lines are filters (||host^)")
    if sum(_is_hosts_line(row) for row in rows) > half:
        return Seen("hosts", {}, "its lines begin with an address and name a host")
    if delimiter := _delimiter(rows, _BY_CONTENT_TYPE.get(content_type) == "csv"):
        return Seen("csv", {"delimiter": delimiter}, f"its lines have columns, separated by {_DELIMITERS[delimiter]}")
    if sum(" " not in _bare(row) for row in rows) > half:
        if _BY_CONTENT_TYPE.get(content_type) == "csv":
            return Seen("csv", {}, "its lines have one column")
        return Seen("lines", {}, "each of its lines is one word")
    raise UnreadableFeedError(f"format auto: it cannot be told what the body is; it has lines such as {rows[0][:80]!r}")


def _is_record(row: str) -> bool:
    return bool(_ZONE.match(row))


def _bare(row: str) -> str:
    return re.sub(r"\s(?:#|;|!|//).*$", "", row)


def _is_hosts_line(row: str) -> bool:
    address, *names = row.partition("#")[0].split()
    return bool(names) and is_address(address)


def _delimiter(rows: list[str], said: bool) -> str | None:
    """Return what separates columns: the sign that gives most rows the same number of them, and more than one."""
    best: tuple[int, int, str] | None = None
    for delimiter in _DELIMITERS:
        try:
            widths = Counter(len(row) for row in csv.reader(rows, delimiter=delimiter))
        except csv.Error:
            continue
        width, count = widths.most_common(1)[0]
        if width > 1 and count >= (0.5 if said else 0.8) * sum(widths.values()) and (len(rows) > 1 or said):
            best = max(best or (0, 0, ""), (count, width, delimiter))
    return best[2] if best else None
