"""What the parent process and the child process must agree on."""

from __future__ import annotations

#: The columns of a news feed's items, by feedparser's names.
NEWS_COLUMNS = ("title", "link", "id", "summary", "published", "updated", "author", "category")
#: A position in a PDF is the page times this, plus the row on the page: 30012 is row 12 of page 3.
PAGE_STEP = 10_000


class DocumentError(Exception):
    """A document that cannot be read; its text is the reason that people see in the run."""
