"""Formats: bytes to entries, and nothing else.

Each parser is a generator over an open body that yields an :class:`~blocklist.vocabulary.Entry` or a
:class:`~blocklist.vocabulary.Rejected` with its position, and raises
:class:`~blocklist.errors.UnreadableFeedError` when no later row could be trusted. None of them decides what counts.

The set is closed and chosen by name, never by import path: a definition cannot run code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from pydantic import BaseModel

from blocklist.errors import UsageError
from blocklist.formats import adblock, csv, hosts, json, lines
from blocklist.validation import validate
from blocklist.vocabulary import Entry, Rejected

Parser = Callable[[BinaryIO, Any], Iterator[Entry | Rejected]]


@dataclass(frozen=True, slots=True)
class Format:
    """One format: the options a definition may give it, and its parser."""

    name: str
    options: type[BaseModel]
    parse: Parser


FORMATS = {
    format_.name: format_
    for format_ in (
        Format("lines", lines.TextOptions, lines.parse),
        Format("hosts", lines.TextOptions, hosts.parse),
        Format("adblock", lines.TextOptions, adblock.parse),
        Format("csv", csv.CsvOptions, csv.parse),
        Format("json", json.JsonOptions, json.parse),
        Format("ndjson", json.NdjsonOptions, json.parse_ndjson),
    )
}


def format_of(name: str, options: dict[str, Any]) -> tuple[Format, BaseModel]:
    """Return a format and its validated options.

    :raises UsageError: the format or an option is unknown, or an option's value is wrong.
    """
    if name not in FORMATS:
        raise UsageError(f"format {name!r} is unknown: use one of {', '.join(FORMATS)}")
    return FORMATS[name], validate(FORMATS[name].options, options, f"format {name}")
