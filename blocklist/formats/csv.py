"""``csv``: separated values, with columns by name or number. Format: RFC 4180 and the variants that are published."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Annotated, Any, BinaryIO

from pydantic import BeforeValidator, Field, model_validator

from blocklist.domain.errors import UnreadableFeedError
from blocklist.domain.listing import Entry, Rejected
from blocklist.formats.base import Format
from blocklist.formats.csv_comments import without_comments
from blocklist.formats.table import NumberedRows, TableOptions, entries_of
from blocklist.formats.text_body import Encoding, as_text

#: The longest cell, in characters. A quote that is never closed makes one cell of the rest of the body.
MAX_CELL = 1_048_576
_NAMED_DELIMITERS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";"}

#: The first line of some files: it tells spreadsheet programs the delimiter.
_HINT = re.compile(r"\ufeff?\"?sep=(.)\"?[\r\n]*").fullmatch
#: A row appended to the body: a quote that is still open there makes it part of another cell.
_END = "\x1eEND\x1e"
#: Rows needed before the last one to compare their widths with it.
_MIN_ROWS = 3


class CsvOptions(TableOptions):
    """Options of ``csv``: those of a table, and how its cells are separated, quoted and encoded."""

    delimiter: Annotated[str, BeforeValidator(lambda text: _NAMED_DELIMITERS.get(text, text))] = Field(
        ",", min_length=1, max_length=1
    )
    quote: str = Field('"', max_length=1)
    encoding: Encoding = "utf-8"

    @model_validator(mode="after")
    def _signs_differ(self) -> CsvOptions:
        if self.delimiter == self.quote or not {self.delimiter, self.quote}.isdisjoint("\r\n"):
            raise ValueError("delimiter and quote must differ, and neither may be a line break")
        return self


def parse(body: BinaryIO, options: CsvOptions) -> Iterator[Entry | Rejected]:
    """Return an iterator of one Entry per value in the site's cell of each row that ``where`` keeps.

    Rows that begin with ``#`` are comments; one that is a commented-out row of the list is rejected.

    The iterator raises :class:`UnreadableFeedError` if a named column is not in the header, or a cell never ends.
    """
    rows = without_comments(_numbered_rows(body, options), options)
    return entries_of(rows, options, "line {}".format, options.delimiter, delimited=True)


def delimiter_hint(line: str) -> str | None:
    """Return the delimiter that a line ``sep=;`` names, None for any other line.

    >>> delimiter_hint("sep=;"), delimiter_hint("Site;Order")
    (';', None)
    """
    match = _HINT(line)
    return match[1] if match else None


def _reader(lines: Iterable[str], options: CsvOptions, hint: str | None = None) -> Any:
    return csv.reader(
        lines,
        delimiter=hint if hint and "delimiter" not in options.model_fields_set else options.delimiter,
        quotechar=options.quote or None,
        quoting=csv.QUOTE_MINIMAL if options.quote else csv.QUOTE_NONE,
    )


def _numbered_rows(body: BinaryIO, options: CsvOptions) -> NumberedRows:
    csv.field_size_limit(MAX_CELL)
    with as_text(body, options.encoding, newline="") as text:
        for _ in range(options.skip_rows):
            if not text.readline():
                break
        first = text.readline()
        hint = delimiter_hint(first)
        lines = text if hint else chain((first,), text)
        skipped = options.skip_rows + bool(hint)
        reader = _reader(chain(lines, (_END,)), options, hint)
        begins = skipped + 1
        try:
            for row in reader:
                if row and row[-1].endswith(_END):
                    if row == [_END]:
                        return
                    raise UnreadableFeedError(f"line {begins} opens a quote that is never closed")
                if any(row):
                    yield begins, row
                begins = skipped + reader.line_num + 1
        except csv.Error as error:
            raise UnreadableFeedError(f"line {begins}: {error}") from None


def find_cut_row(tail: bytes, whole: bool, options: CsvOptions) -> str | None:
    """Return a sentence if the last row has fewer columns than every other row in the body's tail, else None.

    ``whole``: the tail is the whole body; otherwise its first line may be incomplete and is ignored.
    """
    lines = tail.decode(options.encoding, "replace").splitlines()[options.skip_rows if whole else 1 :]
    hint = delimiter_hint(lines[0]) if whole and lines else None
    try:
        widths = [len(row) for row in _reader(lines[1:] if hint else lines, options, hint) if any(row)]
    except csv.Error:
        return None
    if len(widths) <= _MIN_ROWS or widths[-1] >= min(widths[:-1]):
        return None
    return (
        f"the last row has {widths[-1]} columns and the {len(widths) - 1:,} before it at least {min(widths[:-1])}: "
        "the body may be cut off in it"
    )


FORMATS = (Format("csv", CsvOptions, parse, line_based=True, find_cut_row=find_cut_row),)
