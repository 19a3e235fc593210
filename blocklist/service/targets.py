"""Reading targets as people write them."""

from __future__ import annotations

from blocklist.domain.errors import UsageError
from blocklist.domain.verdict import Target
from blocklist.guards.setting_types import target_of


def read_target(text: str) -> Target:
    """Return the target of a text: a host, a URL, or ``app:`` and an app's id.

    :raises UsageError: the text is none of these; the message tells why.
    """
    try:
        return target_of(text)
    except ValueError as error:
        raise UsageError(str(error)) from None
