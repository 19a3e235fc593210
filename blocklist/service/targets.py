"""Targets as people write them."""

from __future__ import annotations

from blocklist.domain.errors import UsageError
from blocklist.domain.verdict import Target
from blocklist.normalize.hosts import parse_app, parse_target


def read_target(text: str) -> Target:
    """Return the target that a person writes: a host, a URL, or ``app:`` and an app's id.

    :raises UsageError: why it is none of these.
    """
    try:
        return parse_app(text[4:]) if text[:4] == "app:" else parse_target(text)
    except ValueError as error:
        raise UsageError(str(error)) from None
