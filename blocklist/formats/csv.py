"""``csv``: separated values, with columns by name or number. Format: RFC 4180 and the variants that are published."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Annotated, Any, BinaryIO, NamedTuple

from pydantic import BeforeValidator, Field, model_validator

from blocklist.domain.errors import UnreadableFeedError
from blocklist.domain.listing import Entry, Rejected
from blocklist.formats.base import Format
from blocklist.formats.header import is_site
from blocklist.formats.sandbox.protocol import COMMENTED
from blocklist.formats.table import NumberedRows, Row, TableOptions, entries_of
from blocklist.formats.text_body import Encoding, as_text

#: The longest cell, in characters. A quote that is never closed makes one cell of the rest of the body.
MAX_CELL = 1_048_576
_NAMED_DELIMITERS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";"}

#: A row appended to the body: a quote that is still open there makes it part of another cell.
_END = "\x1eEND\x1e"
#: Rows needed before the last one to compare their widths with it.
_MIN_ROWS = 3
#: ``#`` alone is the name of a column of numbers, and ``#12`` such a number.
_ROW_NUMBER = re.compile(r"#\s*\d*").fullmatch


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
    rows = _without_comments(_numbered_rows(body, options), options)
    return entries_of(rows, options, "line {}".format, options.delimiter, delimited=True)


def _reader(lines: Iterable[str], options: CsvOptions) -> Any:
    return csv.reader(
        lines,
        delimiter=options.delimiter,
        quotechar=options.quote or None,
        quoting=csv.QUOTE_MINIMAL if options.quote else csv.QUOTE_NONE,
    )


class _FirstCharacters:
    """Passes lines on, and remembers with which character the first of them since the last :meth:`take` began."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = lines
        self._first = ""

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self._first = self._first or line[:1]
            yield line

    def take(self) -> str:
        """Return that character, and forget it."""
        first, self._first = self._first, ""
        return first


class _CsvRow(NamedTuple):
    """A row with the number of its first line; ``commented``: it begins with ``#`` outside of quotes."""

    number: int
    cells: Row
    commented: bool


def _numbered_rows(body: BinaryIO, options: CsvOptions) -> Iterator[_CsvRow]:
    csv.field_size_limit(MAX_CELL)
    with as_text(body, options.encoding, newline="") as text:
        for _ in range(options.skip_rows):
            if not text.readline():
                break
        lines = _FirstCharacters(text)
        reader = _reader(chain(lines, (_END,)), options)
        begins = options.skip_rows + 1
        try:
            for row in reader:
                if row and row[-1].endswith(_END):
                    if row == [_END]:
                        return
                    raise UnreadableFeedError(f"line {begins} opens a quote that is never closed")
                first = lines.take()
                if any(row):
                    yield _CsvRow(begins, row, first == "#" and not _ROW_NUMBER(row[0]))
                begins = options.skip_rows + reader.line_num + 1
        except csv.Error as error:
            raise UnreadableFeedError(f"line {begins}: {error}") from None


def _without_comments(rows: Iterator[_CsvRow], options: CsvOptions) -> NumberedRows:
    """Yield the rows without comments. The header may be in a comment, and a commented-out row of the list is marked.

    ``# Domain,Date`` is the header if it has all columns that the options name, or as many columns as the first row,
    which is no header because it has a site.
    """
    named = {column for columns in options.columns_named().values() for column in columns if isinstance(column, str)}
    header: Row | None = None
    above: _CsvRow | None = None
    for row in rows:
        cells = row.cells
        if header is None and options.header:
            if row.commented:
                bare = [cells[0].lstrip("# "), *cells[1:]]
                above = row._replace(cells=bare)
                if not named or not named <= {cell.strip() for cell in bare}:
                    if not named or not named <= {cell.strip() for cell in cells}:
                        continue
                    above = row
                header = above.cells
                yield above.number, header
                continue
            header = cells
            if above and len(above.cells) == len(cells) and _has_site(cells, options):
                header = above.cells
                yield above.number, header
        elif row.commented:
            if _has_site(cells, options) and (header is None or len(cells) == len(header)):
                bare = [cells[0].lstrip("# "), *cells[1:]]
                yield row.number, [f"{COMMENTED}{cell}" for cell in bare]
            continue
        yield row.number, cells


def _has_site(cells: Row, options: CsvOptions) -> bool:
    """Return whether a cell of a column that is given by its number has a site, or any cell if none is."""
    numbers = [column for column in options.sites if isinstance(column, int)]
    chosen = [cells[number - 1] for number in numbers if number <= len(cells)] if numbers else cells
    return any(is_site(cell.strip().lstrip("# ")) for cell in chosen)


def find_cut_row(tail: bytes, whole: bool, options: CsvOptions) -> str | None:
    """Return a sentence if the last row has fewer columns than every other row in the body's tail, else None.

    ``whole``: the tail is the whole body; otherwise its first line may be incomplete and is ignored.
    """
    lines = tail.decode(options.encoding, "replace").splitlines()[options.skip_rows if whole else 1 :]
    try:
        widths = [len(row) for row in _reader(lines, options) if any(row)]
    except csv.Error:
        return None
    if len(widths) <= _MIN_ROWS or widths[-1] >= min(widths[:-1]):
        return None
    return (
        f"the last row has {widths[-1]} columns and the {len(widths) - 1:,} before it at least {min(widths[:-1])}: "
        "the body may be cut off in it"
    )


FORMATS = (Format("csv", CsvOptions, parse, line_based=True, find_cut_row=find_cut_row),)
