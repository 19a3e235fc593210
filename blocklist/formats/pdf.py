"""``pdf``: the tables of a PDF document, or its text. Needs the extra ``pdf`` of the package."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import BinaryIO, Literal, NamedTuple

from pydantic import model_validator

from blocklist.domain.errors import UnreadableFeedError
from blocklist.domain.listing import Entry, Rejected
from blocklist.formats.base import Extra, Format
from blocklist.formats.marks import MARKS, ends_in_hyphen
from blocklist.formats.sandbox.protocol import BROKEN, PAGE_STEP
from blocklist.formats.sandbox.subprocess_reader import DEFAULT_MAX_BYTES, rows_in_subprocess
from blocklist.formats.table import NumberedRows, OptionalTableOptions, Row, entries_of

#: A long PDF takes minutes.
_CPU_SECONDS = 300
#: A word that can be an address: a URL, or a host whose last label is not a number. Not an e-mail address. What follows
#: it after a hyphen may belong to its name.
_ADDRESS = re.compile(
    r"(?<![\w@.-])(?P<address>h(?:tt|xx)ps?://\S+|(?:[\w-]+(?:\.|\[\.\]))+(?:[^\W\d_]{2,}|xn--[\w-]+)(?:[:/]\S*)?)"
    r"(?P<more>[-\u00ad\u2010]\S*)?(?![\w@])"
)
#: The name of a file. ``zip`` is a top-level domain too, but a document that mentions one means a file.
_FILE = re.compile(
    r"[^/:]+\.(?:pdf|txt|csv|json|xml|html?|docx?|xlsx?|pptx?|od[tsp]|rtf|p7m|zip|jpe?g|png|gif)", re.IGNORECASE
).fullmatch
#: A line that may be a complete name, and a line with which a new name begins.
_WHOLE = re.compile(r"(?:\w+://)?(?:[\w-]+\.)+[^\W\d_]{2,}/?")
_NEW = re.compile(r"\w+://|(?:[\w-]+\.)+[\w-]")
#: Punctuation around an address in a sentence.
_PUNCTUATION = "()<>\"'“”«»,;"


class PdfOptions(OptionalTableOptions):
    """Options of ``pdf``: those of a table; without ``column``, the text is read.

    ``text``: ``lines`` makes an entry of each line, ``words`` of each word that looks like an address. ``hyphens``:
    what a hyphen at the end of a line is: part of a name that goes on in the next line (``keep``), added by the
    typesetter (``drop``), or unknown, so that both lines are rejected (``reject``).
    """

    text: Literal["lines", "words"] = "lines"
    hyphens: Literal["reject", "keep", "drop"] = "reject"

    @model_validator(mode="after")
    def _a_table_or_text(self) -> PdfOptions:
        if self.column is None:
            self._refuse_without_table({"text", "hyphens"})
        elif "text" in self.model_fields_set:
            raise ValueError("text is for a document without tables: set either column or text")
        return self


def position_text(position: int) -> str:
    """Return a position in words.

    >>> position_text(30012)
    'page 3, row 12'
    """
    return f"page {position // PAGE_STEP}, row {position % PAGE_STEP}"


def parse(body: BinaryIO, options: PdfOptions, max_bytes: int = DEFAULT_MAX_BYTES) -> Iterator[Entry | Rejected]:
    """Yield the entries of the tables, read as one table over all pages, or of the text.

    :raises UnreadableFeedError: the extra is not installed; the body is not a PDF, is locked, damaged or too large.
    """
    if missing := FORMATS[0].missing_extra():
        raise UnreadableFeedError(missing)
    head = body.read(1_024)
    if b"%PDF-" not in head:
        raise UnreadableFeedError(f"the body is not a PDF document: it begins with {head[:8]!r}")
    rows = rows_in_subprocess("pdf", body, {"table": options.column is not None}, max_bytes, _CPU_SECONDS)
    if options.column is not None:
        yield from entries_of(_one_table(rows, options), options, position_text)
        return
    for line in _unbroken(rows, options.hyphens):
        if options.text == "words":
            yield from _words(line)
        elif line.begins_within or line.ends_within:
            yield _rejected(line, line.text)
        else:
            yield Entry(line.text, line.number)


class _Line(NamedTuple):
    """A line of text; whether a hyphen divides its first word from the line above, or its last from the one below."""

    number: int
    text: str
    begins_within: bool = False
    ends_within: bool = False


def _unbroken(rows: NumberedRows, hyphens: str) -> Iterator[_Line]:
    """Yield the lines; if ``hyphens`` is ``keep`` or ``drop``, a line that ends in one is joined with the next."""
    before: _Line | None = None
    for number, (text, *_) in rows:
        within = bool(before and before.ends_within)
        if before and within and hyphens != "reject":
            start = before.text if hyphens == "keep" else before.text[:-1]
            before = _Line(before.number, f"{start}{text}", ends_within=bool(ends_in_hyphen(text)))
            continue
        if before:
            yield before
        before = _Line(number, text, within, bool(ends_in_hyphen(text)))
    if before:
        # After the last line, the rest of the word is missing.
        yield before


def _words(line: _Line) -> Iterator[Entry | Rejected]:
    """Yield an Entry for each word of a line that looks like an address."""
    for match in _ADDRESS.finditer(line.text):
        word = match["address"].strip(_PUNCTUATION).rstrip(".")
        at_break = (line.begins_within and not line.text[: match.start()].strip(_PUNCTUATION)) or (
            line.ends_within and match.end() == len(line.text)
        )
        if match["more"] or at_break:
            yield _rejected(line, match[0])
        elif _FILE(word):
            reason = f"{position_text(line.number)} names the file {word[:80]!r}, which is no site"
            yield Rejected(word[:200], line.number, "file_name", reason)
        else:
            yield Entry(word, line.number, line.text)


def _rejected(line: _Line, text: str) -> Rejected:
    mark = MARKS[BROKEN]
    return Rejected(text[:200], line.number, mark.code, f"{position_text(line.number)} {mark.reason}")


def _one_table(rows: NumberedRows, options: PdfOptions) -> NumberedRows:
    """Yield the rows as of one table: repeated headers are dropped, and addresses broken over lines are joined.

    A narrow cell breaks a long address into two lines. Lines that may be two names are not joined; such a cell becomes
    no rule, unless the option ``values`` says that line breaks separate values.
    """
    header: Row | None = None
    for number, row in islice(rows, options.skip_rows, None):
        words = [" ".join(cell.split()) for cell in row]
        if options.header and header is None:
            header = words
            yield number, words
        elif words != header:
            cells = [_without_breaks(cell, options.hyphens) for cell in row]
            yield number, cells if options.values else [_joined(cell) for cell in cells]


def _without_breaks(cell: str, hyphens: str) -> str:
    """Return a cell without line breaks after hyphens, or with a mark on the lines around them."""
    numbered = ((0, [line.strip()]) for line in cell.splitlines())
    lines = list(_unbroken(numbered, hyphens))
    return "\n".join(f"{BROKEN if line.begins_within or line.ends_within else ''}{line.text}" for line in lines)


def _joined(cell: str) -> str:
    if BROKEN in cell:
        return BROKEN + cell.replace(BROKEN, "").replace("\n", "")
    lines = [line.strip() for line in cell.splitlines()]
    if any(_NEW.match(line) and ("://" in line or _WHOLE.fullmatch(before)) for before, line in pairwise(lines)):
        return "\n".join(lines)
    whole = "".join(lines)
    return whole if "." in whole and not any(" " in line for line in lines) else " ".join(lines)


FORMATS = (Format("pdf", PdfOptions, parse, "binary", extra=Extra("pdf", "pdfplumber")),)
