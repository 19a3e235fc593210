"""Formats: bytes to entries, and nothing else.

Each parser is a generator over an open body that yields an :class:`.Entry` or a :class:`.Rejected` with its
position, and raises :class:`.UnreadableFeedError` when no later row could be trusted. None of them decides what counts.

The set is closed and chosen by name, never by import path: a definition cannot run code. What is heavy (the readers of
documents, dnspython, zstandard) is loaded only when a body needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal

from pydantic import BaseModel, create_model

from blocklist.domain.errors import UnreadableFeedError, UsageError
from blocklist.domain.listing import Entry, LineBlock, Rejected
from blocklist.formats import adblock, csv, hosts, html, json, lines, pdf, rpz, rss, spreadsheet
from blocklist.formats.auto import Seen, recognize
from blocklist.formats.options import FormatOptions
from blocklist.text.validation import validate

Parser = Callable[..., Iterator[Entry | Rejected]]


@dataclass(frozen=True, slots=True)
class Format:
    """One format: the options a definition may give it, its parser, and what its bodies are made of.

    ``holds``: ``text``, ``markup`` (begins with ``<``) or ``binary`` (is no text at all). Bodies that are not text are
    documents, whose parsers take a third argument: the bytes that they may have.
    """

    name: str
    options: type[BaseModel]
    parse: Parser
    holds: Literal["text", "markup", "binary"] = "text"
    in_blocks: Callable[..., Iterator[Entry | Rejected | LineBlock]] | None = None

    def blocks(self, body: BinaryIO, options: BaseModel, max_bytes: int) -> Iterator[Entry | Rejected | LineBlock]:
        """Return what :meth:`entries` does, lines that hold nothing but a name many together where the format can.

        :raises UnreadableFeedError: no later row of the body could be trusted.
        """
        return self.in_blocks(body, options) if self.in_blocks else self.entries(body, options, max_bytes)

    def entries(self, body: BinaryIO, options: BaseModel, max_bytes: int) -> Iterator[Entry | Rejected]:
        """Return what the body holds, in order.

        :raises UnreadableFeedError: no later row of the body could be trusted.
        """
        return self.parse(body, options) if self.holds == "text" else self.parse(body, options, max_bytes)


def _auto(body: BinaryIO, options: BaseModel) -> Iterator[Entry | Rejected]:
    format_, chosen, _ = taken_for(body, options)
    yield from format_.parse(body, chosen)


_NAMED = (
    Format("lines", lines.TextOptions, lines.parse, in_blocks=lines.blocks),
    Format("hosts", lines.TextOptions, hosts.parse, in_blocks=hosts.blocks),
    Format("adblock", lines.TextOptions, adblock.parse),
    Format("csv", csv.CsvOptions, csv.parse),
    Format("json", json.JsonOptions, json.parse),
    Format("ndjson", json.NdjsonOptions, json.parse_ndjson),
    Format("xlsx", spreadsheet.SheetOptions, spreadsheet.parse, "binary"),
    Format("xls", spreadsheet.SheetOptions, spreadsheet.parse, "binary"),
    Format("ods", spreadsheet.SheetOptions, spreadsheet.parse, "binary"),
    Format("html", html.HtmlOptions, html.parse, "markup"),
    Format("pdf", pdf.PdfOptions, pdf.parse, "binary"),
    Format("rss", rss.NewsOptions, rss.parse, "markup"),
    Format("atom", rss.NewsOptions, rss.parse, "markup"),
    Format("rpz", rpz.RpzOptions, rpz.parse),
)
#: Every option that any format has; which of them hold together, :func:`_check_auto` says.
_EVERY_OPTION: dict[str, Any] = {
    name: (Any, None) for format_ in _NAMED for name in format_.options.model_fields if name != "member"
}
AutoOptions: type[FormatOptions] = create_model("AutoOptions", __base__=FormatOptions, **_EVERY_OPTION)
FORMATS = {format_.name: format_ for format_ in (*_NAMED, Format("auto", AutoOptions, _auto))}


def format_of(name: str, options: dict[str, Any]) -> tuple[Format, BaseModel]:
    """Return a format and its validated options.

    :raises UsageError: the format or an option is unknown, or an option's value is wrong.
    """
    if name not in FORMATS:
        raise UsageError(f"format {name!r} is unknown: use one of {', '.join(FORMATS)}")
    validated = validate(FORMATS[name].options, options, f"format {name}")
    if name == "auto":
        _check_auto(options)
    return FORMATS[name], validated


def taken_for(body: BinaryIO, options: BaseModel, content_type: str | None = None) -> tuple[Format, BaseModel, str]:
    """Return what ``auto`` takes a body for: the format, the options of it, and the reason in words.

    :raises UnreadableFeedError: it cannot be told, or the format needs an option that is missing.
    """
    given = options.model_dump(exclude_unset=True)
    seen = recognize(body, content_type, given.get("encoding"))
    known = FORMATS[seen.format].options.model_fields
    wanted = {name: value for name, value in (seen.options | given).items() if name in known}
    said = f"{seen.format} ({seen.why})"
    try:
        format_, validated = format_of(seen.format, wanted)
    except UsageError as error:
        raise UnreadableFeedError(f"the body was taken for {said}: {error}{_columns(body, seen, wanted)}") from None
    return format_, validated, said


def _columns(body: BinaryIO, seen: Seen, wanted: dict[str, Any]) -> str:
    """Return the columns of a body in a sentence, where the option that chooses among them is missing."""
    if seen.format != "csv" or "column" in wanted:
        return ""
    try:
        list(FORMATS["csv"].parse(body, csv.CsvOptions.model_validate(wanted | {"column": "\0"})))
    except UnreadableFeedError as error:
        return f"; its first row is {str(error).partition('it has ')[2]}"
    finally:
        body.seek(0)
    return ""


def _check_auto(options: dict[str, Any]) -> None:
    """Make sure that some format takes all these options together.

    :raises UsageError: none does.
    """
    if options and not any(_takes(format_, options) for format_ in _NAMED):
        raise UsageError(f"format auto: no format takes {', '.join(sorted(options))} together with these values")


def _takes(format_: Format, options: dict[str, Any]) -> bool:
    try:
        validate(format_.options, options, "")
    except UsageError:
        return False
    return True
