"""How much one request may ask for."""

from __future__ import annotations

#: Items of a batch.
MAX_ITEMS = 10_000
#: Bytes of a body.
MAX_BYTES = 8 * 1024 * 1024


class TooLargeError(ValueError):
    """A request is over a limit."""
