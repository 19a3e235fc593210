"""Dates as lists write them, read as RFC 3339. One reader for what rows state and what a whole list states.

The date of a row is read where only one reading is possible: ``29/08/2025`` has no month 29. ``03/04/2025`` is in March
or April, and only an option of the feed can tell. The date that a whole list states is only compared with earlier ones
of the same list, so there the day comes first.
"""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal

#: How a list writes dates that can be read in two ways. ``auto``: such dates are not read. ``day-first`` and
#: ``month-first``: ``03/04/2025``. ``excel``: days since 1900, as in ``45898``. ``unix``: seconds (or milliseconds)
#: since 1970.
DateForm = Literal["auto", "day-first", "month-first", "excel", "unix"]

#: Day 0 of spreadsheets, chosen so that days from March 1900 on are right although they count February 29, 1900.
_EXCEL_EPOCH = date(1899, 12, 30)
_ISO = re.compile(
    r"(?P<year>\d{4})(?P<sign>[-/.])(?P<month>\d{1,2})(?P=sign)(?P<day>\d{1,2})(?!\d)(?P<rest>.*)", re.DOTALL
)
_COMPACT = re.compile(r"(?P<year>(?:19|20)\d\d)(?P<month>[01]\d)(?P<day>[0-3]\d)(?!\d)(?P<rest>.*)", re.DOTALL)
_NUMBERS = re.compile(r"(\d{1,2})([-/.]) ?(\d{1,2})\2 ?(\d{4}|\d{2})(?!\d)(?P<rest>.*)", re.DOTALL)
_DAY_NAMED = re.compile(
    r"(?:\w+,? +)?(?P<day>\d{1,2})(?:\.|º|°|st|nd|rd|th|er)?(?: +de| +d')?[ -]+(?P<month>[^\W\d_]{3,})\.?"
    r"(?: +de| +del)?,?[ -]+(?P<year>\d{4})(?!\d)(?P<rest>.*)",
    re.DOTALL,
)
_MONTH_NAMED = re.compile(
    r"(?P<month>[^\W\d_]{3,})\.? +(?P<day>\d{1,2})(?:st|nd|rd|th)?,? +(?P<year>\d{4})(?!\d)(?P<rest>.*)", re.DOTALL
)
_TIME = re.compile(
    r"(?:T|,? +(?:at +)?)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?"
    r"\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})?(?!\w)",
    re.IGNORECASE,
)
#: How the names of the months begin in the languages of published lists, January first.
_MONTHS = (
    "jan gen ene sty leden sau янв січ ιαν",
    "feb fév fev lut únor vas фев лют φεβ",
    "mar mär mrt märz kov мар бер μαρ μάρ",
    "apr avr abr kwi duben bal апр кві απρ",
    "may mai mag maj mei gegu мая май тра μαΐ μαϊ μάι",
    "jun juin giu cze červen birž июн чер ιουν",
    "jul juil lug lip červenec liep июл лип ιουλ",
    "aug aoû aou ago sie srpen rugp авг сер αυγ αύγ",
    "sep set wrz září rugs сен вер σεπ",
    "oct okt ott out paź říjen spal окт жов οκτ",
    "nov lis listopad lapk ноя лис νοε νοέ",
    "dec déc dez dic gru prosinec gruo дек гру δεκ",
)
_MONTH_OF = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}
_LONGEST_MONTH = max(map(len, _MONTH_OF))


def published_date(text: str, form: DateForm = "auto", today: date | None = None) -> str | None:
    """Return the date in a row as RFC 3339, or None if it is no date or can be read in two ways.

    A time with its zone gives a moment in UTC. Any other date gives the day alone, since the zone is not known. A date
    before 1990, or more than a year after ``today``, is none.

    >>> published_date("29/08/2025"), published_date("2026-01-02 10:00 +0200"), published_date("29 agosto 2025")
    ('2025-08-29', '2026-01-02T08:00:00Z', '2025-08-29')
    >>> published_date("03/04/2025"), published_date("03/04/2025", "day-first"), published_date("45898", "excel")
    (None, '2025-04-03', '2025-08-29')
    """
    found = _found(" ".join(text.split()), form)
    latest = (today or datetime.now(UTC).date()) + timedelta(days=366)
    if found is None or not found.year >= 1990 or _day(found) > latest:
        return None
    if isinstance(found, datetime):
        return _rfc3339(found) if found.tzinfo else found.date().isoformat()
    return found.isoformat()


def stated_moment(text: str) -> str | None:
    """Return the date with which a text begins as a moment (RFC 3339, UTC), or None.

    Without a time it is the beginning of the day. Of dates that can be read in two ways, the day comes first.

    >>> stated_moment("24 Aug 2025 00:15 UTC"), stated_moment("08/29/2025, 12 sites")
    ('2025-08-24T00:15:00Z', '2025-08-29T00:00:00Z')
    """
    found = _found(text.strip(), "day-first", whole=False)
    if found is None:
        return None
    return _rfc3339(found if isinstance(found, datetime) else datetime(found.year, found.month, found.day, tzinfo=UTC))


def _found(text: str, form: DateForm, *, whole: bool = True) -> date | datetime | None:
    """Return the date with which a text begins; ``whole``: only if nothing but a time comes after it."""
    if text.isdecimal() and form in ("excel", "unix"):
        return _counted(int(text), form)
    if match := _ISO.match(text) or _COMPACT.match(text):
        return _joined(match["year"], match["month"], match["day"], match["rest"], whole)
    if match := _NUMBERS.match(text):
        return _from_numbers(match, form, whole)
    named = _DAY_NAMED.match(text) or _MONTH_NAMED.match(text)
    if named and (month := _month(named["month"])):
        found = _joined(named["year"], str(month), named["day"], named["rest"], whole)
        if found is not None:
            return found
    # RFC 5322, with zones such as EST.
    with contextlib.suppress(ValueError, TypeError, IndexError, OverflowError):
        return parsedate_to_datetime(text)
    return None


def _from_numbers(match: re.Match[str], form: DateForm, whole: bool) -> date | datetime | None:
    """Return the date of two numbers and a year, in the order that ``form`` gives or that alone is possible."""
    first, sign, second, year, rest = match.groups()
    # Dates with dots have the day first in every country that writes them.
    day_first = form == "day-first" or sign == "." or int(first) > 12 or first == second
    month_first = (form == "month-first" and int(first) <= 12) or (sign != "." and int(second) > 12)
    if month_first:
        first, second = second, first
    elif not day_first:
        return None
    if len(year) == 2:
        if form not in ("day-first", "month-first"):
            return None
        year = f"20{year}"
    return _joined(year, second, first, rest, whole)


def _counted(number: int, form: DateForm) -> date | datetime | None:
    try:
        if form == "excel":
            return _EXCEL_EPOCH + timedelta(days=number)
        return datetime.fromtimestamp(number / 1_000 if number >= 10**11 else number, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _month(name: str) -> int | None:
    """Return the number of a month by the longest beginning of its name that is known."""
    name = name.lower()
    return next((_MONTH_OF[name[:end]] for end in range(_LONGEST_MONTH, 2, -1) if name[:end] in _MONTH_OF), None)


def _joined(year: str, month: str, day: str, rest: str, whole: bool) -> date | datetime | None:
    """Return a date, with the time in ``rest`` if there is one; ``whole``: None if ``rest`` is anything else."""
    try:
        found = date(int(year), int(month), int(day))
        time = _TIME.match(rest)
        if time is None:
            return None if whole and rest.strip(" .,") else found
        if whole and rest[time.end() :].strip(" .,"):
            return None
        zone = {"Z": "+00:00", "UTC": "+00:00", "GMT": "+00:00"}.get((time["zone"] or "").upper(), time["zone"] or "")
        clock = f"{int(time['hour']):02}:{time['minute']}:{time['second'] or '00'}"
        return datetime.fromisoformat(f"{found.isoformat()}T{clock}{zone}")
    except ValueError:
        return None


def _day(found: date | datetime) -> date:
    return found.date() if isinstance(found, datetime) else found


def _rfc3339(moment: datetime) -> str:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
