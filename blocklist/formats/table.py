"""Rows and columns to entries: shared by ``csv``, spreadsheets, HTML and PDF tables, and the items of news feeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from blocklist.domain.errors import UnreadableFeedError
from blocklist.domain.listing import Entry, Rejected
from blocklist.formats.base import FormatOptions
from blocklist.formats.conditions import Condition, condition_of
from blocklist.formats.header import Header, is_bare_host, is_site, is_whole_url
from blocklist.formats.marks import BROKEN_LINE, Mark, ends_in_hyphen, mark_of, unmarked, with_link
from blocklist.formats.sandbox.protocol import NOT_READ
from blocklist.text.dates import DateForm

#: The index of no column.
_NO_COLUMN = 1_000_000
_DETAILS = ("reference", "published_at", "legal_basis", "authority", "country")

Row = list[str]
#: Pairs of position and row.
NumberedRows = Iterator[tuple[int, Row]]


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
    the separator of several values in that cell. ``where``: ``COLUMN=VALUE`` or ``COLUMN!=VALUE``, the rows to keep.
    ``header``: whether the first row names the columns. ``skip_rows``: rows (in ``csv``: lines) before the header that
    are ignored. ``dates``: how the dates of ``published_at`` are written. ``withdrawn``: whether entries are read that
    are struck through, hidden, filtered out or commented out. The others are columns with details of a row.
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
    dates: DateForm = "auto"
    withdrawn: Literal["reject", "read"] = "reject"

    @model_validator(mode="after")
    def _columns_make_sense(self) -> TableOptions:
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
        columns = {"column": self.sites, "where": [self.where_column] if self.condition else []}
        return columns | {name: [getattr(self, name)] for name in _DETAILS if getattr(self, name) is not None}

    @property
    def sites(self) -> list[int | str]:
        """The columns that may hold the site's address, in order of preference."""
        return self.column if isinstance(self.column, list) else [self.column]

    @property
    def condition(self) -> Condition | None:
        """The condition that rows must meet, if there is one."""
        return condition_of(self.where) if self.where is not None else None

    @property
    def where_column(self) -> int | str:
        """The column of that condition; empty if there is none."""
        column = number_or_name(self.condition.column) if self.condition else ""
        assert isinstance(column, int | str)
        return column


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
    delimited: bool = False,
) -> Iterator[Entry | Rejected]:
    """Yield one Entry per value in the site's cell of each row that ``where`` keeps; the first row is the header.

    ``rows`` must not be blank. ``position_text`` gives a position in words; ``separator`` joins the cells of a rejected
    row. ``multiline``: each line of the site's cell is a value of its own, as browsers show it. ``delimited``: cells
    are divided by a character, so a row that has more of them than the header was divided in the wrong place.

    :raises UnreadableFeedError: a named column is not in the header or is there twice; the header is a site.
    """
    return _TableReader(options, position_text, separator, multiline, delimited).entries(rows)


class _TableReader:
    """Reads the rows of one table. A header that comes again, as where lists were joined, is followed."""

    def __init__(
        self,
        options: TableOptions,
        position_text: Callable[[int], str],
        separator: str,
        multiline: bool,
        delimited: bool,
    ) -> None:
        self._options = options
        self._position_text = position_text
        self._separator = separator
        self._multiline = multiline
        self._delimited = delimited
        self._condition = options.condition
        self._take_target = getattr(options, "take", None) == "href"
        self._read_withdrawn = options.withdrawn == "read"

    def entries(self, rows: NumberedRows) -> Iterator[Entry | Rejected]:
        """Yield the entries and rejected rows."""
        header = Header()
        if self._options.header and (first := next(rows, None)):
            header = Header.of(first[1])
        self._look_up(header)
        for index in self._sites:
            if isinstance(self._options.sites[self._sites.index(index)], int) and index < header.width:
                self._check_header(header.names[index])
        for number, row in rows:
            if row[0] == NOT_READ and len(row) > 1:
                yield Rejected(row[1][:200], number, "not_read", row[1])
            elif again := header.repeated_in(row):
                header = self._followed(header, again, number)
            elif self._condition and not self._is_kept(row, header.width):
                continue
            elif entry := self._plain_entry(number, row, header.width):
                yield entry
            else:
                yield from self._row_entries(number, row, header.width)

    def _look_up(self, header: Header) -> None:
        options = self._options
        self._sites = [header.index("column", column) for column in options.sites]
        self._filtered = header.index("where", options.where_column) if self._condition else 0
        self._details = {
            name: header.index(name, column) for name in _DETAILS if (column := getattr(options, name)) is not None
        }
        self._is_plain = not (options.values or self._multiline)
        self._in_order = [self._details.get(name, _NO_COLUMN) for name in Entry._fields[3:]]

    def _check_header(self, name: str) -> None:
        if is_site(name):
            raise UnreadableFeedError(
                f"the first row has the site {name[:80]!r} where the header names the column: set header=false if the "
                "table has no header, or give the column by its name"
            )

    def _followed(self, header: Header, again: Header, number: int) -> Header:
        """Return the header to go on with after a row that is one, too."""
        if list(again.names) == list(header.names):
            return header
        where = self._position_text(number)
        if any(isinstance(column, int) for columns in self._options.columns_named().values() for column in columns):
            raise UnreadableFeedError(
                f"{where} is a second header, with the columns in another order: give the columns by their names"
            )
        try:
            self._look_up(again)
        except UnreadableFeedError as error:
            raise UnreadableFeedError(f"{where} is a second header, with other columns: {error}") from None
        return again

    def _plain_entry(self, number: int, row: Row, width: int) -> Entry | None:
        """Return the entry of a row, quickly; None for a row that is to be read with more care."""
        cells = len(row)
        if not self._is_plain or (self._delimited and cells > width > 0):
            return None
        text = ""
        for site in self._sites:
            if site < cells and (text := row[site].strip()):
                break
        # Marks are no ASCII.
        if not text or not text.isascii():
            return None
        details = [unmarked(row[place].strip()) or None if place < cells else None for place in self._in_order]
        return Entry(text, number, None, *details)

    def _is_kept(self, row: Row, width: int) -> bool:
        """Return whether a row meets the condition; a row that was divided in the wrong place is looked at further."""
        assert self._condition is not None
        if self._filtered and self._is_too_wide(row, width):
            return True
        return self._condition.holds(self._on_one_line(row, self._filtered))

    def _is_too_wide(self, row: Row, width: int) -> bool:
        return self._delimited and len(row) > width > 0 and _used_width(row) > width

    def _row_entries(self, number: int, row: Row, width: int) -> Iterator[Entry | Rejected]:
        too_wide = self._is_too_wide(row, width)
        index, site = next(((index, cell) for index in self._sites if (cell := _cell(row, index))), (0, ""))
        if not site:
            nearest = min(self._sites)
            short = f"has {len(row)} columns, the site is in column {nearest + 1}"
            yield self._rejected(number, row, "empty", short if len(row) <= nearest else "has no site in its column")
            return
        linked = with_link(site, take_target=self._take_target)
        if isinstance(linked, Mark):
            yield self._rejected(number, row, linked.code, linked.reason)
            return
        site = linked
        if too_wide and (index or self._filtered or not is_bare_host(site)):
            yield self._rejected(
                *(number, row, "syntax"),
                f"has {_used_width(row)} columns and the header {width}: a cell holds the delimiter without quotes, so "
                "it is unclear which one is the site (if every row has more columns, set header=false, skip_rows and "
                "the number of the column)",
            )
            return
        # In a row that was divided in the wrong place, only the first cell is certain.
        details = {} if too_wide else self._details
        found: dict[str, Any] = {name: self._on_one_line(row, place) or None for name, place in details.items()}
        yield from self._values(number, row, site, found)

    def _values(self, number: int, row: Row, site: str, found: dict[str, Any]) -> Iterator[Entry | Rejected]:
        options = self._options
        values = site.split(options.values) if options.values else [site]
        if self._multiline:
            values = [line for value in values for line in value.split("\n")]
            shown = [value for value in values if mark_of(value) is None]
            if len(shown) > 1 and not options.values and not _are_sites(shown):
                reason = "has lines in the site's cell that are not all sites: set the option values to the separator"
                yield self._rejected(number, row, "syntax", reason)
                return
        broken = _broken_lines(values) if self._multiline or "\n" in (options.values or "") else ()
        for place, value in enumerate(values):
            text = unmarked(value).strip()
            mark = mark_of(value, read_withdrawn=self._read_withdrawn)
            if mark or place in broken:
                mark = mark or BROKEN_LINE
                yield self._rejected(number, row if len(values) == 1 else [text], mark.code, mark.reason)
            elif text:
                yield Entry(text, number, **found)

    def _on_one_line(self, row: Row, index: int) -> str:
        text = _cell(row, index)
        if not self._multiline:
            return unmarked(text)
        lines = text.split("\n")
        # Beside a line that counts, one that was struck through does not.
        counting = [line for line in lines if mark_of(line) is None] or lines
        return unmarked(" ".join(counting))

    def _rejected(self, number: int, row: Row, code: str, reason: str) -> Rejected:
        raw = self._separator.join(map(unmarked, row))[:200]
        return Rejected(raw, number, code, f"{self._position_text(number)} {reason}")


def rows_below(rows: NumberedRows, skipped: int) -> NumberedRows:
    """Return the rows that are not blank and whose number is greater than ``skipped``."""
    return ((number, row) for number, row in rows if number > skipped and any(row))


def _used_width(row: Row) -> int:
    """Return the number of columns up to the last one that is not empty."""
    width = len(row)
    while width and not row[width - 1].strip():
        width -= 1
    return width


def _broken_lines(values: list[str]) -> set[int]:
    """Return the indexes of values that may be two parts of one name: one ends in a hyphen, and another comes after."""
    ends = [place for place, value in enumerate(values[:-1]) if ends_in_hyphen(value)]
    return {*ends, *(place + 1 for place in ends)}


def _are_sites(lines: list[str]) -> bool:
    # Otherwise the lines may be one URL that the page broke: its first line would then list the whole site.
    return all(map(is_whole_url, lines)) or all(map(is_bare_host, lines))


def _cell(row: Row, index: int) -> str:
    return row[index].strip() if index < len(row) else ""
