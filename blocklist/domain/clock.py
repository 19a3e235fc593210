"""Times as the service writes them: RFC 3339 in UTC, to the second.

All of them have the same form, so sorting them as text sorts them by time.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_DURATION = re.compile(r"(\d+)\s*([smhdw]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def now() -> str:
    """Return the current time, such as ``2026-11-23T18:51:00Z``."""
    return rfc3339(datetime.now(UTC))


def rfc3339(moment: datetime) -> str:
    """Return a datetime with a time zone as RFC 3339 text in UTC.

    >>> rfc3339(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    '2026-01-02T03:04:05Z'
    """
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def parse_time(text: str) -> str:
    """Return a date or time in ISO 8601 as RFC 3339 text in UTC; without a time zone it is read as UTC.

    >>> parse_time("2026-11-23")
    '2026-11-23T00:00:00Z'
    >>> parse_time("2026-11-23T10:00:00+02:00")
    '2026-11-23T08:00:00Z'

    :raises ValueError: if the text is neither; the message shows the expected form.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        return rfc3339(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is not a time: write 2026-11-23 or 2026-11-23T10:00:00Z") from None


def later(moment: str, seconds: float) -> str:
    """Return the RFC 3339 time that is ``seconds`` after ``moment``.

    >>> later("2026-01-02T03:04:05Z", 60)
    '2026-01-02T03:05:05Z'
    """
    return rfc3339(datetime.fromisoformat(moment) + timedelta(seconds=seconds))


def seconds_between(start: str, end: str) -> float:
    """Return the seconds from one RFC 3339 time to another; negative if ``end`` is before ``start``.

    >>> seconds_between("2026-01-02T03:04:05Z", "2026-01-02T03:05:05Z")
    60.0
    """
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def parse_duration(text: str) -> int:
    """Return the seconds in a duration such as ``90s``, ``15m``, ``6h``, ``1d`` or ``1w``; a bare number means seconds.

    >>> parse_duration("6h")
    21600

    :raises ValueError: if the text is not a duration; the message shows the expected form.
    """
    match = _DURATION.fullmatch(text.strip())
    if not match:
        raise ValueError(f"{text!r} is not a duration: write a number and s, m, h, d or w, such as 6h")
    return int(match[1]) * _SECONDS[match[2]]
