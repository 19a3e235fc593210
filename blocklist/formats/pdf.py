"""``pdf``: the tables of a PDF document, or its text. Needs the extra ``pdf`` of the package."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import BinaryIO, Literal

from pydantic import model_validator

from blocklist.domain.errors import UnreadableFeedError
from blocklist.domain.listing import Entry, Rejected
from blocklist.formats.base import Extra, Format
from blocklist.formats.sandbox.protocol import PAGE_STEP
from blocklist.formats.sandbox.subprocess_reader import DEFAULT_MAX_BYTES, rows_in_subprocess
from blocklist.formats.table import NumberedRows, OptionalTableOptions, Row, entries_of

#: A long PDF takes minutes.
_CPU_SECONDS = 300
#: A word that can be an address: a URL, or a host whose last label is not a number. Not an e-mail address.
_ADDRESS = re.compile(
    r"(?<![\w@.-])(?:h(?:tt|xx)ps?://\S+|(?:[\w-]+(?:\.|\[\.\]))+(?:[^\W\d_]{2,}|xn--[\w-]+)(?:[:/]\S*)?)(?![\w@])"
)
#: A line that may be a complete name, and a line with which a new name begins.
_WHOLE = re.compile(r"(?:\w+://)?(?:[\w-]+\.)+[^\W\d_]{2,}/?")
_NEW = re.compile(r"\w+://|(?:[\w-]+\.)+[\w-]")
#: Punctuation around an address in a sentence.
_PUNCTUATION = "()<>\"'“”«»,;"


class PdfOptions(OptionalTableOptions):
    """Options of ``pdf``: those of a table; without ``column``, the text is read.

    ``text``: ``lines`` makes an entry of each line, ``words`` of each word that looks like an address.
    """

    text: Literal["lines", "words"] = "lines"

    @model_validator(mode="after")
    def _a_table_or_text(self) -> PdfOptions:
        if self.column is None:
            self._refuse_without_table({"text"})
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
    for number, (line, *_) in rows:
        if options.text == "lines":
            yield Entry(line, number)
            continue
        for word in _ADDRESS.findall(line):
            yield Entry(word.strip(_PUNCTUATION).rstrip("."), number, line)


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
            yield number, row if options.values else [_joined(cell) for cell in row]


def _joined(cell: str) -> str:
    lines = [line.strip() for line in cell.splitlines()]
    if any(_NEW.match(line) and ("://" in line or _WHOLE.fullmatch(before)) for before, line in pairwise(lines)):
        return "\n".join(lines)
    whole = "".join(lines)
    return whole if "." in whole and not any(" " in line for line in lines) else " ".join(lines)


FORMATS = (Format("pdf", PdfOptions, parse, "binary", extra=Extra("pdf", "pdfplumber")),)
