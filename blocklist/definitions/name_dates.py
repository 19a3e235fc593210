"""Dates as publishers write them into names and titles, read by a pattern that a definition states."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

#: The codes of ``strftime`` that a pattern may hold, with what each matches.
_CODES = {"Y": r"(?P<Y>\d{4})", "y": r"(?P<y>\d{2})", "m": r"(?P<m>\d{1,2})", "d": r"(?P<d>\d{1,2})"}


@lru_cache
def date_pattern(pattern: str) -> re.Pattern[str]:
    """Return a date pattern as a regular expression: ``%Y``, ``%y``, ``%m``, ``%d``, and all else as it stands.

    :raises ValueError: it does not name year, month and day once each.
    """
    parts = re.split(r"%(.)", pattern)
    codes = parts[1::2]
    if sorted(codes) not in (["Y", "d", "m"], ["d", "m", "y"]):
        raise ValueError(f"{pattern!r} is not a date pattern: it holds %Y (or %y), %m and %d once each")
    told = "".join(_CODES[part] if number % 2 else re.escape(part) for number, part in enumerate(parts))
    # A date does not begin or end within a longer number, such as that of an order.
    return re.compile(rf"(?<!\d){told}(?!\d)" if not parts[0] else rf"{told}(?!\d)")


def newest_date(text: str, pattern: str) -> date | None:
    """Return the newest date in a text; None if it holds none.

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
