"""``json`` (RFC 8259, so always UTF-8) and ``ndjson`` (one JSON value per line), both read as a stream."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple, NoReturn

import ijson
from pydantic import model_validator

from blocklist.domain.errors import UnreadableFeedError
from blocklist.domain.listing import Entry, Rejected
from blocklist.formats.base import Format, FormatOptions
from blocklist.formats.conditions import Condition, condition_of
from blocklist.formats.json_surroundings import Surroundings
from blocklist.formats.text_body import numbered_lines
from blocklist.text.dates import DateForm

#: JSON can write half a surrogate pair, and no encoding can carry it; it is replaced, so that the row can be stored.
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_DETAILS = ("reference", "published_at", "legal_basis", "authority", "country")
_SCALARS = ("string", "number", "boolean", "null")
#: Far deeper than any list. ijson keeps the whole path of each value, so a body of brackets would fill the memory.
_MAX_DEPTH = 100
#: Bytes read at a time: one read can go so many levels beyond the limit at most.
_CHUNK = 4_096


class _Row(NamedTuple):
    """A row: its number from 1, its value, and the name of a member that an object in it has twice."""

    number: int
    value: Any
    repeated: str | None = None


class _RepeatedMemberError(ValueError):
    """An object has a member twice; its text is the name."""


class NdjsonOptions(FormatOptions):
    """Options of ``ndjson``: paths in a row, with dots between the names; ``field`` is that of the site's address.

    Without ``field``, the rows are strings. ``where``: ``FIELD=VALUE`` or ``FIELD!=VALUE``, the rows to keep.
    ``dates``: how the dates of ``published_at`` are written.
    """

    field: str = ""
    where: str | None = None
    reference: str | None = None
    published_at: str | None = None
    legal_basis: str | None = None
    authority: str | None = None
    country: str | None = None
    dates: DateForm = "auto"

    @model_validator(mode="after")
    def _condition_makes_sense(self) -> NdjsonOptions:
        if self.condition and not self.condition.column:
            raise ValueError(f"where: name a field before the =, not {self.where!r}")
        return self

    @property
    def condition(self) -> Condition | None:
        """The condition that rows must meet, if there is one."""
        return condition_of(self.where) if self.where is not None else None


class JsonOptions(NdjsonOptions):
    """Options of ``json``: those of ``ndjson``, and ``rows``, the path to the list; empty for the root."""

    rows: str = ""


def parse(body: BinaryIO, options: JsonOptions) -> Iterator[Entry | Rejected]:
    """Yield one Entry per site of each row; a last rejected row says if the body is not the whole list.

    :raises UnreadableFeedError: the body is not JSON, ends too early, or has no list at ``rows``.
    """
    prefix = f"{options.rows}.item" if options.rows else "item"
    if body.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
        body.seek(0)
    found = False
    number = 0
    surroundings = Surroundings(paged=prefix.startswith("item.item") or options.rows.startswith("item."))
    try:
        for row in _rows(body, options.rows, prefix, surroundings):
            found = True
            number = row.number
            if row.repeated is not None:
                yield _repeated(row.number, row.repeated, _preview(row.value))
            elif row.number:
                yield from _row_entries(row.number, row.value, options)
    except ijson.JSONError as error:
        message = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error)
        raise UnreadableFeedError(f"not JSON that can be read: {message.strip().splitlines()[0]}") from None
    except UnicodeDecodeError:
        raise UnreadableFeedError(
            "the body is not UTF-8, which JSON always is, or a string in it contains half a surrogate pair"
        ) from None
    if not found:
        raise UnreadableFeedError(f"rows: no list at {options.rows or 'the root'!r} in the body")
    if sentence := surroundings.sentence(number):
        yield Rejected(sentence[:200], number + 1, "not_read", sentence)


def parse_ndjson(body: BinaryIO, options: NdjsonOptions) -> Iterator[Entry | Rejected]:
    """Yield one Entry per site of each line; a line that is not JSON is rejected alone."""
    for number, line in numbered_lines(body, "utf-8"):
        try:
            row = json.loads(line, object_pairs_hook=_unique, parse_constant=_no_constant)
        except _RepeatedMemberError as error:
            yield _repeated(number, str(error), line)
            continue
        except (ValueError, RecursionError) as error:
            yield Rejected(line[:200], number, "syntax", f"line {number} is not JSON: {error}")
            continue
        if sentence := _not_a_row(row, options):
            yield Rejected(line[:200], number, "not_read", f"line {number} is no row: {sentence}")
            continue
        yield from _row_entries(number, row, options)


def _not_a_row(row: Any, options: NdjsonOptions) -> str | None:
    """Return why a line without a site says that the list is not whole, or None."""
    if not isinstance(row, dict) or not options.field or _at(row, options.field):
        return None
    surroundings = Surroundings()
    for name, value in row.items():
        if isinstance(value, dict):
            for inner, deeper in value.items():
                surroundings.note(f"{name}.{inner}", deeper)
        else:
            surroundings.note(name, value)
    return surroundings.finding


class _RowBuilder(ijson.ObjectBuilder):  # type: ignore[misc]
    """Builds a row from events; ``repeated`` is the name of a member that an object has twice, else None."""

    def __init__(self) -> None:
        super().__init__()
        self.repeated: str | None = None
        self._names: list[set[str]] = []

    def event(self, event: str, value: Any) -> None:
        """Take the next event of the parser."""
        super().event(event, value)
        if event == "map_key":
            if value in self._names[-1]:
                self.repeated = value
            self._names[-1].add(value)
        elif event == "start_map":
            self._names.append(set())
        elif event == "end_map":
            self._names.pop()


def _unique(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        names = [name for name, _ in members]
        raise _RepeatedMemberError(next(name for name in names if names.count(name) > 1))
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a value of JSON")


def _repeated(number: int, name: str, shown: str) -> Rejected:
    # Where a name occurs twice, parsers differ in which value they take (RFC 8259, section 4).
    reason = f"row {number} has the member {name[:80]!r} twice: it is unclear which value is meant"
    return Rejected(shown[:200], number, "repeated_member", reason)


def _rows(body: BinaryIO, path: str, prefix: str, surroundings: Surroundings) -> Iterator[_Row]:
    """Yield a row with the number 0 where the list begins, then each row."""
    number = depth = lists = 0
    builder: _RowBuilder | None = None
    for at, event, value in ijson.parse(body, use_float=True, buf_size=_CHUNK):
        if event in ("start_map", "start_array"):
            depth += 1
            if depth > _MAX_DEPTH:
                raise UnreadableFeedError(f"nested deeper than {_MAX_DEPTH} levels: not a list")
        elif event in ("end_map", "end_array"):
            depth -= 1
        if builder is None:
            if at == path and event == "start_array":
                lists += 1
                # Where a name occurs twice, parsers differ in which value they take (RFC 8259, section 4).
                if lists > 1 and "item" not in path.split("."):
                    raise UnreadableFeedError(f"rows: the body has {path!r} twice, so it is unclear which is the list")
                yield _Row(0, None)
            if at != prefix:
                if event in _SCALARS:
                    surroundings.note(at.removeprefix("item.") if surroundings.paged else at, value)
                continue
            number += 1
            if event not in ("start_map", "start_array"):
                yield _Row(number, value)
                continue
            builder = _RowBuilder()
        builder.event(event, value)
        if at == prefix and event in ("end_map", "end_array"):
            yield _Row(number, builder.value, builder.repeated)
            builder = None


def _row_entries(number: int, row: Any, options: NdjsonOptions) -> Iterator[Entry | Rejected]:
    if options.where is not None and not _is_kept(row, options):
        return
    sites = _at(row, options.field)
    details: dict[str, Any] = {}
    for name in _DETAILS:
        path = getattr(options, name)
        value = _at(row, path) if path else None
        if value is not None and value != "":
            details[name] = _LONE_SURROGATE.sub("\ufffd", str(value))
    for site in sites if isinstance(sites, list) else [sites]:
        if isinstance(site, str) and site.strip():
            yield Entry(_LONE_SURROGATE.sub("\ufffd", site.strip()), number, **details)
        else:
            where = f"at {options.field!r}" if options.field else "as a string"
            yield Rejected(_preview(row), number, "empty", f"row {number} has no site {where}")


def _is_kept(row: Any, options: NdjsonOptions) -> bool:
    """Return whether a row meets the condition; of a list, one value must have it, or with ``!=`` none may."""
    condition = options.condition
    assert condition is not None
    value = _at(row, condition.column)
    texts = [_as_text(item) for item in value] if isinstance(value, list) else [_as_text(value)]
    return (condition.value in texts) is not condition.differs


def _as_text(value: Any) -> str:
    """Return a value as JSON writes it, strings without quotes, and null as an empty text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _preview(row: Any) -> str:
    try:
        return json.dumps(row, ensure_ascii=False, default=str)[:200]
    except RecursionError:
        return "(nested too deeply to show)"


def _at(row: Any, path: str) -> Any:
    for name in path.split(".") if path else ():
        row = row.get(name) if isinstance(row, dict) else None
    return row


FORMATS = (Format("json", JsonOptions, parse), Format("ndjson", NdjsonOptions, parse_ndjson, line_based=True))
