"""The target that a request, or an item of a batch, names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from blocklist.domain.verdict import Target
from blocklist.normalize.hosts import parse_app, parse_target

_MEMBERS = ("url", "domain", "app")


def named_target(members: Mapping[str, Any]) -> Target:
    """Return the one target that is given as ``url``, ``domain`` or ``app``.

    :raises ValueError: none or several of them are given, or the target is one that no browser could open.
    """
    given = [name for name in _MEMBERS if name in members]
    if len(given) != 1:
        raise ValueError("name exactly one of url, domain and app")
    name, text = given[0], members[given[0]]
    if not isinstance(text, str):
        raise ValueError(f"{name} must be a string")
    if name == "app":
        return parse_app(text)
    target = parse_target(text)
    return target.site if name == "domain" else target
