"""PDF documents: tables and text, read by pdfplumber, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator
from io import BufferedReader
from itertools import pairwise
from typing import Any, BinaryIO, cast

import pdfplumber
from pdfplumber.page import Page
from pdfplumber.utils.exceptions import PdfminerException

from blocklist.formats.sandbox.errors import DocumentError

#: A position is the page times this and the row on it, so that 30012 is row 12 of page 3.
PAGE_STEP = 10_000
#: Far above any list: the published ones have some hundreds.
_MAX_PAGES = 5_000
#: What one page may hold before it is a drawing and not text; finding tables costs the square of its lines.
_MAX_CHARACTERS, _MAX_LINES = 50_000, 20_000
#: The share of a letter that another covers before they are two words in one place; kerning takes a tenth or two.
_OVERDRAWN = 0.5


def rows(file: BinaryIO, options: dict[str, Any]) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of the tables on each page, or (without ``table``) its lines of text as rows of one cell.

    :raises DocumentError: it asks for a password, has too many pages, or a page is more than a list can be.
    """
    try:
        document = pdfplumber.open(cast(BufferedReader, file))
        pages = len(document.pages)
    except PdfminerException as error:
        raise DocumentError(_why(error)) from None
    if pages > _MAX_PAGES:
        raise DocumentError(f"the document has {pages:,} pages; at most {_MAX_PAGES:,} are read")
    for page in document.pages:
        number = page.page_number
        if len(page.chars) > _MAX_CHARACTERS or len(page.lines) + len(page.rects) + len(page.curves) > _MAX_LINES:
            raise DocumentError(f"page {number} holds more characters or lines than a page of a list can")
        if _is_overdrawn(page.chars):
            raise DocumentError(f"page {number} draws letters over each other: what it says cannot be told")
        found = _table_rows(page) if options["table"] else _text_rows(page)
        for place, row in enumerate(found, 1):
            if place >= PAGE_STEP:
                raise DocumentError(f"page {number} has more than {PAGE_STEP - 1:,} rows")
            yield number * PAGE_STEP + place, row
        # Each page keeps what it found until it is closed: a long document would fill memory.
        page.close()


def _is_overdrawn(chars: list[dict[str, Any]]) -> bool:
    """Return whether two different letters or digits stand in one place: sorted by place, they would make other words.

    The same letter twice is how some programs print bold, and an accent over a letter is no letter of ASCII.
    """
    letters = [char for char in chars if char["text"].isascii() and char["text"].isalnum()]
    letters.sort(key=lambda char: (round(char["top"]), char["x0"]))
    for before, char in pairwise(letters):
        if before["text"] == char["text"] or abs(before["top"] - char["top"]) > 1:
            continue
        overlap = min(before["x1"], char["x1"]) - char["x0"]
        if overlap > _OVERDRAWN * min(before["width"], char["width"]):
            return True
    return False


def _table_rows(page: Page) -> Iterator[list[str]]:
    for table in page.extract_tables():
        for row in table:
            yield [cell or "" for cell in row]


def _text_rows(page: Page) -> Iterator[list[str]]:
    for line in page.extract_text_lines(return_chars=False, strip=True):
        yield [line["text"]]


def _why(error: PdfminerException) -> str:
    cause = error.args[0] if error.args else error
    if type(cause).__name__ in ("PDFPasswordIncorrect", "PDFTextExtractionNotAllowed"):
        return "the document is locked with a password: ask its publisher for one that is not"
    return f"not a PDF that can be read: {type(cause).__name__}: {str(cause)[:200]}".rstrip(": ")
