"""Functions with which the corpus declares a body and its expected outcome."""

from __future__ import annotations

from functools import partial
from typing import Any

from blocklist.domain.run import Outcome
from tests.hostile.good import good
from tests.hostile.served import Case


def _case(outcome: Outcome, format_: str, what: str, body: Any, says: str = "", **more: Any) -> Case:
    return Case(format_, what, body, outcome, says, **more)


failed = partial(_case, Outcome.FAILED)
held = partial(_case, Outcome.HELD)
applied = partial(_case, Outcome.APPLIED)
unchanged = partial(_case, Outcome.UNCHANGED)


def also(*lines: str) -> bytes:
    """Return the good list with these lines appended."""
    return good("lines", *lines)
