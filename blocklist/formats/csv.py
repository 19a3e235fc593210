"""``csv``: separated values, with columns by name or number. Format: RFC 4180 and what publishers make of it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Annotated, Any, BinaryIO

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from blocklist.errors import UnreadableFeedError
from blocklist.formats.lines import Encoding, text_of
from blocklist.vocabulary import Entry, Rejected

#: The longest cell read; a quote that is never closed swallows the rest of a body, and is noticed here.
MAX_CELL = 1_048_576
_NAMED_DELIMITERS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";"}
_OPTIONAL = ("reference", "published_at", "legal_basis", "authority", "country")

Row = list[str]

#: A row put behind the last one: it is swallowed by a quote that is still open there.
_END = "\x1eEND\x1e"


def _column(value: object) -> object:
    """Read ``3`` as a number, ``domain`` as a name, and ``3,2`` as "the first of these that is not empty"."""
    if isinstance(value, str) and "," in value:
        return [_column(part.strip()) for part in value.split(",")]
    if isinstance(value, str) and value.strip().isdigit():
        return int(value)
    return value


OneColumn = Annotated[int | str, BeforeValidator(_column)]
Columns = Annotated[list[OneColumn] | int | str, BeforeValidator(_column)]


class CsvOptions(BaseModel):
    """Options of ``csv``.

    ``column`` holds the site's address: a name, a number from 1, or several of them, of which the first that is not
    empty in a row counts. ``values`` separates several values in that cell. ``where`` (``COLUMN=VALUE``) keeps the rows
    in which that column has that value. ``skip_rows`` lines are passed over before the header.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    delimiter: Annotated[str, BeforeValidator(lambda text: _NAMED_DELIMITERS.get(text, text))] = Field(
        ",", min_length=1, max_length=1
    )
    quote: str = Field('"', max_length=1)
    encoding: Encoding = "utf-8"
    header: bool = True
    skip_rows: int = Field(0, ge=0, le=1_000_000)
    column: Columns
    values: str | None = None
    where: str | None = None
    reference: OneColumn | None = None
    published_at: OneColumn | None = None
    legal_basis: OneColumn | None = None
    authority: OneColumn | None = None
    country: OneColumn | None = None

    @model_validator(mode="after")
    def _columns_make_sense(self) -> CsvOptions:
        if self.where is not None and "=" not in self.where:
            raise ValueError(f"where must be COLUMN=VALUE, not {self.where!r}")
        wanted = {"column": self.sites, "where": [self.condition[0]] if self.condition else []}
        wanted |= {name: [getattr(self, name)] for name in _OPTIONAL if getattr(self, name) is not None}
        if self.delimiter == self.quote or not {self.delimiter, self.quote}.isdisjoint("\r\n"):
            raise ValueError("delimiter and quote must differ, and be no line break")
        for option, columns in wanted.items():
            for column in columns:
                if column == "" or (isinstance(column, int) and column > 10_000):
                    raise ValueError(f"{option}: {column!r} is not a column: use its name, or its number from 1")
                if isinstance(column, int) and column < 1:
                    raise ValueError(f"{option}: columns count from 1, not {column}")
                if isinstance(column, str) and not self.header:
                    raise ValueError(f"{option}: without a header a column is a number from 1, not {column!r}")
        return self

    @property
    def sites(self) -> list[int | str]:
        """The columns that may hold the site's address, in order of preference."""
        return self.column if isinstance(self.column, list) else [self.column]

    @property
    def condition(self) -> tuple[int | str, str] | None:
        """The column and the value that rows must have."""
        if self.where is None:
            return None
        column, _, value = self.where.partition("=")
        return (int(column) if column.strip().isdigit() else column.strip()), value.strip()


def parse(body: BinaryIO, options: CsvOptions) -> Iterator[Entry | Rejected]:
    """Yield one Entry per value in the site's cell of each row that ``where`` keeps.

    :raises UnreadableFeedError: a named column is not in the header, or a cell never ends.
    """
    rows = _numbered_rows(body, options)
    read = _row_reader(next(rows, (0, []))[1] if options.header else None, options)
    for number, row in rows:
        yield from read(number, row)


def _numbered_rows(body: BinaryIO, options: CsvOptions) -> Iterator[tuple[int, Row]]:
    """Yield each row that is not blank with the number of the line it begins on."""
    csv.field_size_limit(MAX_CELL)
    with text_of(body, options.encoding, newline="") as text:
        for _ in range(options.skip_rows):
            if not text.readline():
                break
        reader = csv.reader(
            chain(text, (_END,)),
            delimiter=options.delimiter,
            quotechar=options.quote or None,
            quoting=csv.QUOTE_MINIMAL if options.quote else csv.QUOTE_NONE,
        )
        begins = options.skip_rows + 1
        try:
            for row in reader:
                if row and row[-1].endswith(_END):
                    if row == [_END]:
                        return
                    raise UnreadableFeedError(f"line {begins} opens a quote that is never closed")
                if any(row):
                    yield begins, row
                begins = options.skip_rows + reader.line_num + 1
        except csv.Error as error:
            raise UnreadableFeedError(f"line {begins}: {error}") from None


def _row_reader(header: Row | None, options: CsvOptions) -> Callable[[int, Row], Iterator[Entry | Rejected]]:
    """Return a function that reads a row, with every column looked up once."""
    find = _finder(header)
    sites = [find("column", column) for column in options.sites]
    condition = (find("where", options.condition[0]), options.condition[1]) if options.condition else None
    details = {name: find(name, column) for name in _OPTIONAL if (column := getattr(options, name)) is not None}
    nearest = min(sites)

    def read(number: int, row: Row) -> Iterator[Entry | Rejected]:
        if condition and _cell(row, condition[0]) != condition[1]:
            return
        site = next((cell for index in sites if (cell := _cell(row, index))), "")
        if not site:
            short = f"has {len(row)} columns, the site is in column {nearest + 1}"
            why = short if len(row) <= nearest else "has no site in its column"
            yield Rejected(options.delimiter.join(row)[:200], number, "empty", f"line {number} {why}")
            return
        said: dict[str, Any] = {name: _cell(row, index) or None for name, index in details.items()}
        for value in site.split(options.values) if options.values else [site]:
            if value := value.strip():
                yield Entry(value, number, **said)

    return read


def _finder(header: Row | None) -> Callable[[str, int | str], int]:
    names = [name.strip().strip("\ufeff") for name in header or []]

    def find(option: str, column: int | str) -> int:
        if isinstance(column, int):
            return column - 1
        if column not in names:
            raise UnreadableFeedError(f"{option}: no column {column!r} in the header; it has {', '.join(names)[:300]}")
        return names.index(column)

    return find


def _cell(row: Row, index: int) -> str:
    return row[index].strip() if index < len(row) else ""
