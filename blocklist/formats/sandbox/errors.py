"""The one error that a reader of documents raises on purpose."""

from __future__ import annotations


class DocumentError(Exception):
    """A document that cannot be read, in a sentence for the person who looks at the run."""
