"""``pdf``: the tables of a PDF document, or its lines of text. Needs the extra ``pdf`` of the package."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import BinaryIO, Literal

from pydantic import model_validator

from blocklist.domain.errors import UnreadableFeedError
from blocklist.domain.listing import Entry, Rejected
from blocklist.formats.sandbox.subprocess_reader import DEFAULT_MAX_BYTES, rows_in_subprocess
from blocklist.formats.table import Columns, NumberedRows, Row, TableOptions, entries_of

#: A position is the page times this and the row on it: 30012 is row 12 of page 3. As in the sandbox.
PAGE_STEP = 10_000
#: A word that can be an address: a scheme, or a host with a dot and an end that no number is. No mail address.
_ADDRESS = re.compile(
    r"(?<![\w@.-])(?:h(?:tt|xx)ps?://\S+|(?:[\w-]+(?:\.|\[\.\]))+(?:[^\W\d_]{2,}|xn--[\w-]+)(?:[:/]\S*)?)(?![\w@])"
)
#: A line that may be a whole name, and one with which a new name begins rather than the rest of one.
_WHOLE = re.compile(r"(?:\w+://)?(?:[\w-]+\.)+[^\W\d_]{2,}/?")
_NEW = re.compile(r"\w+://|(?:[\w-]+\.)+[\w-]")
_AROUND = "()<>\"'“”«»,;"


class PdfOptions(TableOptions):
    """Options of ``pdf``: those of a table; without ``column``, the text is read.

    ``text``: each of the ``lines`` is an entry, or each of the ``words`` that looks like an address is.
    """

    column: Columns | None = None  # type: ignore[assignment]  # without it, the text is read
    text: Literal["lines", "words"] = "lines"

    @model_validator(mode="after")
    def _a_table_or_text(self) -> PdfOptions:
        given = self.model_fields_set
        if self.column is not None and "text" in given:
            raise ValueError("text is for a document without tables: give either column or text")
        for option in sorted(given - {"column", "text", "member"} if self.column is None else ()):
            raise ValueError(f"{option} is for a table: give column too, or leave it out")
        return self

    @property
    def sites(self) -> list[int | str]:
        """The columns that may hold the site's address; none where the text is read."""
        return super().sites if self.column is not None else []


def place(position: int) -> str:
    """Return where a position is, in words.

    >>> place(30012)
    'page 3, row 12'
    """
    return f"page {position // PAGE_STEP}, row {position % PAGE_STEP}"


def missing_extra() -> str | None:
    """Return what to do where the library that reads PDFs is not installed, else None."""
    if importlib.util.find_spec("pdfplumber") is not None:
        return None
    return "format pdf needs the extra 'pdf' of the package: pip install 'blocklist[pdf]'"


def parse(body: BinaryIO, options: PdfOptions, max_bytes: int = DEFAULT_MAX_BYTES) -> Iterator[Entry | Rejected]:
    """Yield the entries of the tables of all pages as of one table, or of the lines of text.

    :raises UnreadableFeedError: the extra is not installed, or it is no PDF, is locked, damaged, or beyond the limits.
    """
    if missing := missing_extra():
        raise UnreadableFeedError(missing)
    head = body.read(1_024)
    if b"%PDF-" not in head:
        raise UnreadableFeedError(f"the body is not a PDF document: it begins with {head[:8]!r}")
    rows = rows_in_subprocess("pdf", body, {"table": options.column is not None}, max_bytes)
    if options.column is not None:
        yield from entries_of(_one_table(rows, options), options, place)
    elif options.text == "lines":
        for number, (line, *_) in rows:
            yield Entry(line, number)
    else:
        for number, (line, *_) in rows:
            for word in _ADDRESS.findall(line):
                yield Entry(word.strip(_AROUND).rstrip("."), number, line)


def _one_table(rows: NumberedRows, options: PdfOptions) -> NumberedRows:
    """Yield the rows as of one table: a header that each page repeats stands once, and broken lines are mended.

    A cell too narrow for an address breaks it over two lines. Lines that may be two names stay apart, and become no
    rule, unless ``values`` separates several by line breaks.
    """
    header: Row | None = None
    for number, row in islice(rows, options.skip_rows, None):
        words = [" ".join(cell.split()) for cell in row]
        if options.header and header is None:
            header = words
            yield number, words
        elif words != header:
            yield number, row if options.values else [_mended(cell) for cell in row]


def _mended(cell: str) -> str:
    lines = [line.strip() for line in cell.splitlines()]
    if any(_NEW.match(line) and ("://" in line or _WHOLE.fullmatch(before)) for before, line in pairwise(lines)):
        return "\n".join(lines)
    joined = "".join(lines)
    return joined if "." in joined and not any(" " in line for line in lines) else " ".join(lines)
