"""What every format of rows and columns shares: which cells name the site, and what else a row says.

``csv`` reads its rows here, and so do spreadsheets, tables on pages and in PDFs, and the items of a news feed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from blocklist.domain.errors import UnreadableFeedError
from blocklist.domain.listing import Entry, Rejected
from blocklist.formats.options import FormatOptions

_WHOLE_URL = re.compile(r"\w+://\S+").fullmatch
_BARE_HOST = re.compile(r"[^\s/?#:@.]+(?:\.[^\s/?#:@.]+)+\.?").fullmatch
_OPTIONAL = ("reference", "published_at", "legal_basis", "authority", "country")

Row = list[str]
NumberedRows = Iterator[tuple[int, Row]]


def _column(value: object) -> object:
    """Read ``3`` as a number, ``domain`` as a name, and ``3,2`` as "the first of these that is not empty"."""
    if isinstance(value, str) and "," in value:
        return [_column(part.strip()) for part in value.split(",")]
    if isinstance(value, str) and value.strip().isdigit():
        return int(value)
    return value


def _with_line_breaks(value: object) -> object:
    r"""Read the two characters ``\n`` as a line break: a command line has no other way to write one."""
    return value.replace("\\n", "\n") if isinstance(value, str) else value


OneColumn = Annotated[int | str, BeforeValidator(_column)]
Columns = Annotated[list[OneColumn] | int | str, BeforeValidator(_column)]


class TableOptions(FormatOptions):
    """Options of every format of rows and columns.

    ``column`` holds the site's address: a name, a number from 1, or several of them, of which the first that is not
    empty in a row counts. ``values`` separates several values in that cell. ``where`` (``COLUMN=VALUE``) keeps the rows
    in which that column has that value. ``skip_rows`` rows (of ``csv``: lines) are passed over before the header.
    """

    header: bool = True
    skip_rows: int = Field(0, ge=0, le=1_000_000)
    column: Columns
    values: Annotated[str | None, BeforeValidator(_with_line_breaks)] = None
    where: str | None = None
    reference: OneColumn | None = None
    published_at: OneColumn | None = None
    legal_basis: OneColumn | None = None
    authority: OneColumn | None = None
    country: OneColumn | None = None

    @model_validator(mode="after")
    def _columns_make_sense(self) -> TableOptions:
        if self.where is not None and "=" not in self.where:
            raise ValueError(f"where must be COLUMN=VALUE, not {self.where!r}")
        for option, columns in self.columns_named().items():
            for column in columns:
                if column == "" or (isinstance(column, int) and column > 20_000):
                    raise ValueError(f"{option}: {column!r} is not a column: use its name, or its number from 1")
                if isinstance(column, int) and column < 1:
                    raise ValueError(f"{option}: columns count from 1, not {column}")
                if isinstance(column, str) and not self.header:
                    raise ValueError(f"{option}: without a header a column is a number from 1, not {column!r}")
        return self

    def columns_named(self) -> dict[str, list[int | str]]:
        """Return the columns that each option names."""
        wanted = {"column": self.sites, "where": [self.condition[0]] if self.condition else []}
        return wanted | {name: [getattr(self, name)] for name in _OPTIONAL if getattr(self, name) is not None}

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


def entries_of(
    rows: NumberedRows,
    options: TableOptions,
    place: Callable[[int], str] = "row {}".format,
    joined: str = " | ",
    *,
    lined: bool = False,
) -> Iterator[Entry | Rejected]:
    """Yield one Entry per value in the site's cell of each row that ``where`` keeps; the first row is the header.

    ``rows`` are not blank, and numbered. ``place`` says in words where a row of that number is; ``joined`` puts the
    cells of a rejected row together again. ``lined``: cells hold the lines that a reader sees, and a line ends a value.

    :raises UnreadableFeedError: a named column is not in the header.
    """
    read = _row_reader(next(rows, (0, []))[1] if options.header else None, options, place, joined, lined)
    for number, row in rows:
        yield from read(number, row)


def below(rows: NumberedRows, skipped: int) -> NumberedRows:
    """Return the rows that are not blank and whose number is above that of the last one to skip."""
    return ((number, row) for number, row in rows if number > skipped and any(row))


def _row_reader(
    header: Row | None, options: TableOptions, place: Callable[[int], str], joined: str, lined: bool
) -> Callable[[int, Row], Iterator[Entry | Rejected]]:
    """Return a function that reads a row, with every column looked up once."""
    find = _finder([name.replace("\n", " ") for name in header] if header and lined else header)
    sites = [find("column", column) for column in options.sites]
    condition = (find("where", options.condition[0]), options.condition[1]) if options.condition else None
    details = {name: find(name, column) for name in _OPTIONAL if (column := getattr(options, name)) is not None}
    nearest = min(sites)

    def read(number: int, row: Row) -> Iterator[Entry | Rejected]:
        if condition and _in_one_line(row, condition[0]) != condition[1]:
            return
        site = next((cell for index in sites if (cell := _cell(row, index))), "")
        if not site:
            short = f"has {len(row)} columns, the site is in column {nearest + 1}"
            why = short if len(row) <= nearest else "has no site in its column"
            yield Rejected(joined.join(row)[:200], number, "empty", f"{place(number)} {why}")
            return
        values = site.split(options.values) if options.values else [site]
        if lined:
            values = [line for value in values for line in value.split("\n")]
            if len(values) > 1 and not options.values and not _are_sites(values):
                why = "has lines in the site's cell that are not each a site: say with values what separates them"
                yield Rejected(joined.join(row)[:200], number, "syntax", f"{place(number)} {why}")
                return
        said: dict[str, Any] = {name: _in_one_line(row, index) or None for name, index in details.items()}
        for value in values:
            if value := value.strip():
                yield Entry(value, number, **said)

    def _in_one_line(row: Row, index: int) -> str:
        return _cell(row, index).replace("\n", " ") if lined else _cell(row, index)

    return read


def _are_sites(lines: list[str]) -> bool:
    """Return whether each line names a site for certain: all are whole URLs, or all are bare hosts.

    A URL of which a page breaks the path into a line of its own must not become the whole site, and its path another.
    """
    return all(map(_WHOLE_URL, lines)) or all(map(_BARE_HOST, lines))


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
