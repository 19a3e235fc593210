"""Rows and columns to entries: shared by ``csv``, spreadsheets, HTML and PDF tables, and the items of news feeds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, Field, model_validator

from blocklist.domain.errors import UnreadableFeedError
from blocklist.domain.listing import Entry, Rejected
from blocklist.formats.base import FormatOptions

_WHOLE_URL = re.compile(r"\w+://\S+").fullmatch
_BARE_HOST = re.compile(r"[^\s/?#:@.]+(?:\.[^\s/?#:@.]+)+\.?").fullmatch
_DETAILS = ("reference", "published_at", "legal_basis", "authority", "country")

#: How the column of the site's address is usually called, in any case.
_USUAL_NAMES = ("url", "domain", "site", "host", "hostname")
#: As ``column``: the one column with such a name. The format ``auto`` sets it where no column was given.
USUAL_COLUMN = "|".join(_USUAL_NAMES)

Row = list[str]
#: Pairs of position and row.
NumberedRows = Iterator[tuple[int, Row]]


class Condition(NamedTuple):
    """The option ``where``: the value that a row must have in a column."""

    column: int | str
    value: str


def number_or_name(value: object) -> object:
    """Return the number that a text is, else the value itself."""
    return int(value) if isinstance(value, str) and value.strip().isdigit() else value


def _column(value: object) -> object:
    """Read ``3`` as a number, ``domain`` as a name, and ``3,2`` as a list of alternatives."""
    if isinstance(value, str) and "," in value:
        return [_column(part.strip()) for part in value.split(",")]
    return number_or_name(value)


def _with_line_breaks(value: object) -> object:
    r"""Read the two characters ``\n`` as a line break: it cannot be typed on a command line."""
    return value.replace("\\n", "\n") if isinstance(value, str) else value


OneColumn = Annotated[int | str, BeforeValidator(_column)]
Columns = Annotated[list[OneColumn] | int | str, BeforeValidator(_column)]


class TableOptions(FormatOptions):
    """Options of every format of rows and columns. A column is given by its name, or by its number from 1.

    ``column``: the column of the site's address; of several, the first that is not empty in a row counts. ``values``:
    the separator of several values in that cell. ``where``: ``COLUMN=VALUE``, the rows to keep. ``header``: whether the
    first row names the columns. ``skip_rows``: rows (in ``csv``: lines) before the header that are ignored. The others
    are columns with details of a row.
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
        """Return the columns that each option names, by option."""
        columns = {"column": self.sites, "where": [self.condition.column] if self.condition else []}
        return columns | {name: [getattr(self, name)] for name in _DETAILS if getattr(self, name) is not None}

    @property
    def sites(self) -> list[int | str]:
        """The columns that may hold the site's address, in order of preference."""
        return self.column if isinstance(self.column, list) else [self.column]

    @property
    def condition(self) -> Condition | None:
        """The condition that rows must meet, if there is one."""
        if self.where is None:
            return None
        column, _, value = self.where.partition("=")
        return Condition(int(column) if column.strip().isdigit() else column.strip(), value.strip())


class OptionalTableOptions(TableOptions):
    """Options of a document that is read as a table only if ``column`` is set."""

    column: Columns | None = None  # type: ignore[assignment]

    @property
    def sites(self) -> list[int | str]:
        """The columns that may hold the site's address; empty if the document is not read as a table."""
        return super().sites if self.column is not None else []

    def _refuse_without_table(self, allowed: set[str]) -> None:
        for option in sorted(self.model_fields_set - {"column", "member", *allowed}):
            raise ValueError(f"{option} is only for a table: set column too, or leave it out")


def entries_of(
    rows: NumberedRows,
    options: TableOptions,
    position_text: Callable[[int], str] = "row {}".format,
    separator: str = " | ",
    *,
    multiline: bool = False,
) -> Iterator[Entry | Rejected]:
    """Yield one Entry per value in the site's cell of each row that ``where`` keeps; the first row is the header.

    ``rows`` must not be blank. ``position_text`` gives a position in words; ``separator`` joins the cells of a rejected
    row. ``multiline``: each line of the site's cell is a value of its own, as browsers show it.

    :raises UnreadableFeedError: a named column is not in the header.
    """
    header = next(rows, (0, []))[1] if options.header else None
    find = _finder([name.replace("\n", " ") for name in header] if header and multiline else header)
    sites = [find("column", column) for column in options.sites]
    condition = options.condition
    filtered = find("where", condition.column) if condition else 0
    details = {name: find(name, column) for name in _DETAILS if (column := getattr(options, name)) is not None}
    nearest = min(sites)

    def on_one_line(row: Row, index: int) -> str:
        return _cell(row, index).replace("\n", " ") if multiline else _cell(row, index)

    def rejected(code: str, reason: str) -> Rejected:
        return Rejected(separator.join(row)[:200], number, code, f"{position_text(number)} {reason}")

    for number, row in rows:
        if condition and on_one_line(row, filtered) != condition.value:
            continue
        site = next((cell for index in sites if (cell := _cell(row, index))), "")
        if not site:
            short = f"has {len(row)} columns, the site is in column {nearest + 1}"
            yield rejected("empty", short if len(row) <= nearest else "has no site in its column")
            continue
        values = site.split(options.values) if options.values else [site]
        if multiline:
            values = [line for value in values for line in value.split("\n")]
            if len(values) > 1 and not options.values and not _are_sites(values):
                reason = "has lines in the site's cell that are not all sites: set the option values to the separator"
                yield rejected("syntax", reason)
                continue
        found: dict[str, Any] = {name: on_one_line(row, index) or None for name, index in details.items()}
        for value in values:
            if value := value.strip():
                yield Entry(value, number, **found)


def rows_below(rows: NumberedRows, skipped: int) -> NumberedRows:
    """Return the rows that are not blank and whose number is greater than ``skipped``."""
    return ((number, row) for number, row in rows if number > skipped and any(row))


def _are_sites(lines: list[str]) -> bool:
    # Otherwise the lines may be one URL that the page broke: its first line would then list the whole site.
    return all(map(_WHOLE_URL, lines)) or all(map(_BARE_HOST, lines))


def _finder(header: Row | None) -> Callable[[str, int | str], int]:
    names = [name.strip().strip("\ufeff") for name in header or []]

    def find(option: str, column: int | str) -> int:
        if isinstance(column, int):
            return column - 1
        if column == USUAL_COLUMN and column not in names:
            return _usual_column(option, names)
        if column not in names:
            raise UnreadableFeedError(f"{option}: no column {column!r} in the header; it has {', '.join(names)[:300]}")
        return names.index(column)

    return find


def _usual_column(option: str, names: list[str]) -> int:
    found = [index for index, name in enumerate(names) if name.lower() in _USUAL_NAMES]
    if len(found) != 1:
        which = "no column" if not found else "more than one column"
        known = f"{', '.join(_USUAL_NAMES[:-1])} or {_USUAL_NAMES[-1]}"
        raise UnreadableFeedError(f"{option}: {which} is called {known}: set it; it has {', '.join(names)[:300]}")
    return found[0]


def _cell(row: Row, index: int) -> str:
    return row[index].strip() if index < len(row) else ""
