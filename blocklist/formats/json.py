"""``json`` (RFC 8259, so always UTF-8) and ``ndjson`` (a JSON value a line), streamed: never a tree in memory."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import ijson

from blocklist.domain.errors import UnreadableFeedError
from blocklist.domain.listing import Entry, Rejected
from blocklist.formats.lines import numbered_lines
from blocklist.formats.options import FormatOptions

#: What JSON can write and no encoding can carry; it spoils its row alone.
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_DETAILS = ("reference", "published_at", "legal_basis", "authority", "country")
#: Far above the nesting of any list. ijson names each value by its whole path: a body of brackets would fill memory.
_MAX_DEPTH = 100
#: Bytes read at a time, which bounds how deep one read can go beyond that.
_READ = 4_096


class NdjsonOptions(FormatOptions):
    """Options of ``ndjson``: ``field`` names the site's address in a row (dots lead into objects)."""

    field: str = ""
    reference: str | None = None
    published_at: str | None = None
    legal_basis: str | None = None
    authority: str | None = None
    country: str | None = None


class JsonOptions(NdjsonOptions):
    """Options of ``json``: as for ``ndjson``, and ``rows``, the path to the list (dots between names; empty: the root).

    Without ``field``, the rows are strings.
    """

    rows: str = ""


def parse(body: BinaryIO, options: JsonOptions) -> Iterator[Entry | Rejected]:
    """Yield one Entry per site of each row.

    :raises UnreadableFeedError: the body is not JSON, ends too early, or has no list at ``rows``.
    """
    prefix = f"{options.rows}.item" if options.rows else "item"
    if body.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
        body.seek(0)
    found = False
    try:
        for number, value in _rows(body, options.rows, prefix):
            found = True
            if number:
                yield from _row_entries(number, value, options)
    except ijson.JSONError as error:
        said = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error)
        raise UnreadableFeedError(f"not JSON that can be read: {said.strip().splitlines()[0]}") from None
    except UnicodeDecodeError:
        raise UnreadableFeedError(
            "not UTF-8, which JSON always is, or a string in it holds half a surrogate pair"
        ) from None
    if not found:
        raise UnreadableFeedError(f"rows: no list at {options.rows or 'the root'!r} in the body")


def parse_ndjson(body: BinaryIO, options: NdjsonOptions) -> Iterator[Entry | Rejected]:
    """Yield one Entry per site of each line; a line that is not JSON is rejected alone."""
    for number, line in numbered_lines(body, "utf-8"):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield Rejected(line[:200], number, "syntax", f"line {number} is not JSON: {error}")
            continue
        yield from _row_entries(number, row, options)


def _rows(body: BinaryIO, path: str, prefix: str) -> Iterator[tuple[int, Any]]:
    """Yield (0, None) where the list begins, then each row with its number from 1."""
    number = depth = lists = 0
    builder: ijson.ObjectBuilder | None = None
    for where, event, value in ijson.parse(body, use_float=True, buf_size=_READ):
        if event in ("start_map", "start_array"):
            depth += 1
            if depth > _MAX_DEPTH:
                raise UnreadableFeedError(f"nested deeper than {_MAX_DEPTH} levels: not a list")
        elif event in ("end_map", "end_array"):
            depth -= 1
        if builder is None:
            if where == path and event == "start_array":
                lists += 1
                # Of a name that comes twice, one reader takes the first value and the next one the last (RFC 8259, 4).
                if lists > 1 and "item" not in path.split("."):
                    raise UnreadableFeedError(f"rows: the body has {path!r} twice: nobody can tell which is the list")
                yield 0, None
            if where != prefix:
                continue
            number += 1
            if event not in ("start_map", "start_array"):
                yield number, value
                continue
            builder = ijson.ObjectBuilder()
        builder.event(event, value)
        if where == prefix and event in ("end_map", "end_array"):
            yield number, builder.value
            builder = None


def _row_entries(number: int, row: Any, options: NdjsonOptions) -> Iterator[Entry | Rejected]:
    sites = _at(row, options.field)
    said: dict[str, Any] = {}
    for name in _DETAILS:
        path = getattr(options, name)
        value = _at(row, path) if path else None
        if value is not None and value != "":
            said[name] = _LONE_SURROGATE.sub("\ufffd", str(value))
    for site in sites if isinstance(sites, list) else [sites]:
        if isinstance(site, str) and site.strip():
            yield Entry(_LONE_SURROGATE.sub("\ufffd", site.strip()), number, **said)
        else:
            where = f"at {options.field!r}" if options.field else "as a string"
            yield Rejected(_shown(row), number, "empty", f"row {number} has no site {where}")


def _shown(row: Any) -> str:
    try:
        return json.dumps(row, ensure_ascii=False, default=str)[:200]
    except RecursionError:
        return "(nested too deeply to show)"


def _at(row: Any, path: str) -> Any:
    for name in path.split(".") if path else ():
        row = row.get(name) if isinstance(row, dict) else None
    return row
