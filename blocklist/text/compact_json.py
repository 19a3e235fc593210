"""JSON without white space: the form of all answers."""

from __future__ import annotations

import json
from typing import Any

import msgspec


def compact_json(body: Any) -> str:
    """Return JSON without white space."""
    try:
        return msgspec.json.encode(body).decode()
    except UnicodeEncodeError:
        # A lone surrogate, from a caller's JSON or from a list. The standard library encodes it, ten times slower.
        return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
