"""The date that a body states of itself: a header such as ``# Last modified: …``, or where a definition says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from blocklist.domain.errors import UnreadableFeedError
from blocklist.text.safe_regex import RegexTimeoutError, search

#: Bytes of a body in which its date is looked for, and characters of a line.
HEAD = 4_096
_LINE = 300
_MARK = re.compile(
    r"""^[\s\#!;/*"'{<-]*
    (?:last[\s_-]?)?(?:updated?|modified|changed|generated|published|date|stand|timestamp|aggiornato|generated_at)
    (?:[\s_-]?(?:on|at|date|time|al))?["']?\s*[:=]\s*["']?(?P<date>.+)$""",
    re.IGNORECASE | re.VERBOSE,
)
#: AGCOM's header: the number of the order, then year, day and month.
_AGCOM = re.compile(r"^\d{7}_(?P<year>\d{4})\.(?P<day>\d{2})\.(?P<month>\d{2})\b")
#: The serial number of a zone (RFC 1912, section 2.2): the day, and two digits that count within it.
_SERIAL = re.compile(r"\bSOA\b[^;]*?\s(?P<year>20\d\d)(?P<month>[01]\d)(?P<day>[0-3]\d)\d\d\b")
_ISO = re.compile(
    r"(?P<date>\d{4}[-/.]\d{1,2}[-/.]\d{1,2})(?:[T ]+(?P<time>\d{1,2}:\d{2}(?::\d{2})?)(?:\.\d+)?)?"
    r"\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})?"
)
_DAY_FIRST = re.compile(r"(?P<day>\d{1,2})[./](?P<month>\d{1,2})[./](?P<year>\d{4})")
_NAMED = re.compile(r"(\d{1,2} [A-Z][a-z]{2})[a-z]* (\d{4})(?: (\d{1,2}:\d{2}(?::\d{2})?))?(?: (UTC|GMT|[+-]\d{4}))?")


def stated_date(head: str, where: str = "auto") -> str | None:
    r"""Return the date that the beginning of a body states (RFC 3339, UTC), or None.

    ``where`` is ``auto``, ``off``, or a regular expression: its groups ``year``, ``month`` and ``day``, else its first.

    >>> stated_date("Updated: 2016-06-13 12:04:00 +0000"), stated_date("0000350_2025.29.08")
    ('2016-06-13T12:04:00Z', '2025-08-29T00:00:00Z')
    >>> stated_date("list of 3/2/2024, order 7", r"of (?P<day>\d+)/(?P<month>\d+)/(?P<year>\d+)")
    '2024-02-03T00:00:00Z'

    :raises UnreadableFeedError: the regular expression takes too long.
    """
    if where == "off":
        return None
    if where != "auto":
        try:
            matches = search(where, [line[:_LINE] for line in head.splitlines()])
        except RegexTimeoutError as error:
            raise UnreadableFeedError(f"the stated date cannot be looked for: {error} (guards.stated_date)") from None
        return next((_of_groups(match.groups, match.named) for match in matches if match), None)
    for line in (line.strip("\ufeff \t")[:_LINE] for line in head.splitlines()):
        if match := _AGCOM.match(line) or _SERIAL.search(line):
            return _of_groups(match.groups(), match.groupdict())
        if (match := _MARK.match(line)) and (found := _read(match["date"])):
            return found
    return None


def _of_groups(groups: Sequence[str | None], named: Mapping[str, str | None]) -> str | None:
    if {"year", "month", "day"} <= named.keys():
        return _moment(named["year"] or "", named["month"] or "", named["day"] or "")
    return _read(groups[0] or "")


def _read(text: str) -> str | None:
    text = text.strip()
    if match := _ISO.match(text):
        time, zone = match["time"] or "0:00", (match["zone"] or "+0000").replace(":", "")
        zone = "+0000" if zone in ("Z", "UTC", "GMT") else zone
        day = re.sub(r"[/.]", "-", match["date"])
        time = time if time.count(":") == 2 else f"{time}:00"
        return _utc(f"{day} {time} {zone}", "%Y-%m-%d %H:%M:%S %z")
    if match := _DAY_FIRST.match(text):
        return _moment(match["year"], match["month"], match["day"])
    if match := _NAMED.match(text):
        day, year, time, zone = match.groups()
        time = "00:00:00" if time is None else time if time.count(":") == 2 else f"{time}:00"
        zone = "+0000" if zone in (None, "UTC", "GMT") else zone
        return _utc(f"{day} {year} {time} {zone}", "%d %b %Y %H:%M:%S %z")
    try:
        return _text(parsedate_to_datetime(text))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _moment(year: str, month: str, day: str) -> str | None:
    return _utc(f"{year}-{month}-{day} +0000", "%Y-%m-%d %z")


def _utc(text: str, form: str) -> str | None:
    try:
        return _text(datetime.strptime(text, form))
    except (ValueError, OverflowError):
        return None


def _text(moment: datetime) -> str:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
