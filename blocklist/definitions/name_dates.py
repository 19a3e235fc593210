"""Dates in file names and titles, read by a pattern of the feed's definition."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

#: The codes of ``strftime`` that a pattern may contain, and what each matches.
_CODES = {"Y": r"(?P<Y>\d{4})", "y": r"(?P<y>\d{2})", "m": r"(?P<m>\d{1,2})", "d": r"(?P<d>\d{1,2})"}


@lru_cache
def date_pattern(pattern: str) -> re.Pattern[str]:
    """Return a date pattern as a regular expression: ``%Y``, ``%y``, ``%m`` and ``%d`` are codes, all else is literal.

    :raises ValueError: the pattern does not contain year, month and day once each.
    """
    parts = re.split(r"%(.)", pattern)
    codes = parts[1::2]
    if sorted(codes) not in (["Y", "d", "m"], ["d", "m", "y"]):
        raise ValueError(f"{pattern!r} is not a date pattern: it must contain %Y (or %y), %m and %d once each")
    expression = "".join(_CODES[part] if number % 2 else re.escape(part) for number, part in enumerate(parts))
    # A date must not be part of a longer number, such as that of an order.
    return re.compile(rf"(?<!\d){expression}(?!\d)" if not parts[0] else rf"{expression}(?!\d)")


def newest_date(text: str, pattern: str) -> date | None:
    """Return the newest date in a text, or None.

    >>> newest_date("Allegato B 0000350_2025.29.08", "_%Y.%d.%m")
    datetime.date(2025, 8, 29)
    """
    found = []
    for match in date_pattern(pattern).finditer(text):
        parts = {code: int(value) for code, value in match.groupdict().items()}
        try:
            found.append(date(parts["Y"] if "Y" in parts else 2000 + parts["y"], parts["m"], parts["d"]))
        except ValueError:
            continue
    return max(found, default=None)
