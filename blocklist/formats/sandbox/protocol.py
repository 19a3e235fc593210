"""What the parent process and the child process must agree on."""

from __future__ import annotations

#: The columns of a news feed's items, by feedparser's names.
NEWS_COLUMNS = ("title", "link", "id", "summary", "published", "updated", "author", "category")
#: A position in a PDF is the page times this, plus the row on the page: 30012 is row 12 of page 3.
PAGE_STEP = 10_000

#: Marks that a reader puts in front of a text in a cell that must not become an entry as it is written. They are
#: noncharacters (The Unicode Standard, section 23.7), which no published text contains.
STRUCK, HIDDEN, COMMENTED, BROKEN, LINK = "\ufdd0", "\ufdd1", "\ufdd2", "\ufdd3", "\ufdd4"

#: How a row begins (as its only cell) that stands for a part of the document that was not read; the second cell is the
#: sentence about it.
NOT_READ = "\ufdd5"


class DocumentError(Exception):
    """A document that cannot be read; its text is the reason that people see in the run."""
