"""JSON without white space, as every answer has it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    # Lookup nodes import this module, and know nothing of the refresh.
    pass


def compact_json(body: Any) -> str:
    """Return JSON without white space, as all answers have it."""
    try:
        return msgspec.json.encode(body).decode()
    except UnicodeEncodeError:
        # Half of a surrogate pair, which a caller sent as JSON or a list has: ten times slower, and the rest is told.
        return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
