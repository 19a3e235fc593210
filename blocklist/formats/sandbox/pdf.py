"""Tables or text of a PDF document, read by pdfplumber page by page."""

from __future__ import annotations

from collections.abc import Iterator
from io import BufferedReader
from itertools import pairwise
from typing import Any, BinaryIO, cast

import pdfplumber
from pdfplumber.utils.exceptions import PdfminerException

from blocklist.formats.sandbox.protocol import PAGE_STEP, DocumentError

#: Far more than any list: the published ones have hundreds.
_MAX_PAGES = 5_000
#: The most of one page; beyond that it is a drawing. Finding tables costs the square of the lines.
_MAX_CHARACTERS, _MAX_LINES = 50_000, 20_000
#: The share of a letter that may be covered by another; kerning covers a tenth or two.
_OVERDRAWN = 0.5


def rows(file: BinaryIO, options: dict[str, Any]) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of the tables on each page, or (without ``table``) its lines of text as rows of one cell.

    :raises DocumentError: the document needs a password or has too many pages, or a page has too much on it.
    """
    try:
        document = pdfplumber.open(cast(BufferedReader, file))
        pages = len(document.pages)
    except PdfminerException as error:
        cause = error.args[0] if error.args else error
        reason = f"not a PDF that can be read: {type(cause).__name__}: {str(cause)[:200]}".rstrip(": ")
        if type(cause).__name__ in ("PDFPasswordIncorrect", "PDFTextExtractionNotAllowed"):
            reason = "the document is locked with a password: ask its publisher for one without"
        raise DocumentError(reason) from None
    if pages > _MAX_PAGES:
        raise DocumentError(f"the document has {pages:,} pages; at most {_MAX_PAGES:,} are read")
    for page in document.pages:
        number = page.page_number
        if len(page.chars) > _MAX_CHARACTERS or len(page.lines) + len(page.rects) + len(page.curves) > _MAX_LINES:
            raise DocumentError(f"page {number} has more characters or lines than a page of a list can have")
        if _is_overdrawn(page.chars):
            raise DocumentError(f"page {number} draws letters over each other, so its text cannot be read reliably")
        if options["table"]:
            found = [[cell or "" for cell in row] for table in page.extract_tables() for row in table]
        else:
            found = [[line["text"]] for line in page.extract_text_lines(return_chars=False, strip=True)]
        for index, row in enumerate(found, 1):
            if index >= PAGE_STEP:
                raise DocumentError(f"page {number} has more than {PAGE_STEP - 1:,} rows")
            yield number * PAGE_STEP + index, row
        # Each page keeps what it found until it is closed: a long document would fill memory.
        page.close()


def _is_overdrawn(chars: list[dict[str, Any]]) -> bool:
    """Return whether two different ASCII letters or digits overlap: sorted by position, they would make wrong words.

    The same letter twice is allowed, since some programs print bold that way; so is an accent over a letter.
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
