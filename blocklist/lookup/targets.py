"""Which target a request or an item of a batch names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from blocklist.domain.verdict import Target
from blocklist.normalize.hosts import parse_app, parse_target

_NAMES = ("url", "domain", "app")


def named_target(said: Mapping[str, Any]) -> Target:
    """Return the one target that a request names as ``url``, ``domain`` or ``app``.

    :raises ValueError: it names none or several, or one that no browser could open.
    """
    named = [name for name in _NAMES if name in said]
    if len(named) != 1:
        raise ValueError("name exactly one of url, domain and app")
    name, text = named[0], said[named[0]]
    if not isinstance(text, str):
        raise ValueError(f"{name} must be a string")
    if name == "app":
        return parse_app(text)
    target = parse_target(text)
    return target.site if name == "domain" else target
