"""``csv``: separated values, with columns by name or number. Format: RFC 4180 and what publishers make of it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import chain
from typing import Annotated, BinaryIO

from pydantic import BeforeValidator, Field, model_validator

from blocklist.domain.errors import UnreadableFeedError
from blocklist.domain.listing import Entry, Rejected
from blocklist.formats.lines import Encoding, text_of
from blocklist.formats.table import NumberedRows, TableOptions, entries_of

#: The longest cell read; a quote that is never closed swallows the rest of a body, and is noticed here.
MAX_CELL = 1_048_576
_NAMED_DELIMITERS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";"}

#: A row put behind the last one: it is swallowed by a quote that is still open there.
_END = "\x1eEND\x1e"


class CsvOptions(TableOptions):
    """Options of ``csv``: those of a table, and how it is written."""

    delimiter: Annotated[str, BeforeValidator(lambda text: _NAMED_DELIMITERS.get(text, text))] = Field(
        ",", min_length=1, max_length=1
    )
    quote: str = Field('"', max_length=1)
    encoding: Encoding = "utf-8"

    @model_validator(mode="after")
    def _signs_differ(self) -> CsvOptions:
        if self.delimiter == self.quote or not {self.delimiter, self.quote}.isdisjoint("\r\n"):
            raise ValueError("delimiter and quote must differ, and be no line break")
        return self


def parse(body: BinaryIO, options: CsvOptions) -> Iterator[Entry | Rejected]:
    """Return an iterator of one Entry per value in the site's cell of each row that ``where`` keeps.

    It raises :class:`UnreadableFeedError` where a named column is not in the header, or a cell never ends.
    """
    return entries_of(_numbered_rows(body, options), options, "line {}".format, options.delimiter)


def _numbered_rows(body: BinaryIO, options: CsvOptions) -> NumberedRows:
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
