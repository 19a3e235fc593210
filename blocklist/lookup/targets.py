"""What a request, or an item of a batch, names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from blocklist.normalize.candidates import Candidates, app_candidates, domain_candidates, page_candidates

_READERS: dict[str, Callable[[str], Candidates]] = {
    "url": page_candidates,
    "domain": domain_candidates,
    "app": app_candidates,
}


def named_candidates(members: Mapping[str, Any]) -> Candidates:
    """Return what is given as ``url``, ``domain`` or ``app``, and what stands within.

    :raises ValueError: none or several of them are given, or no browser could open what is.
    """
    # Other readers of JSON take a member for another one that differs only in case.
    given = [(known, text) for name, text in members.items() if (known := name.lower()) in _READERS]
    if len(given) != 1:
        raise ValueError("name exactly one of url, domain and app")
    name, text = given[0]
    if not isinstance(text, str):
        raise ValueError(f"{name} must be a string")
    return _READERS[name](text)
