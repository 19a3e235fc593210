"""Limits of one request."""

from __future__ import annotations

#: The most items of a batch.
MAX_ITEMS = 10_000
#: The most bytes of a body.
MAX_BYTES = 8 * 1024 * 1024


class TooLargeError(ValueError):
    """A request exceeds a limit."""
