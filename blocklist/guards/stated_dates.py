"""The date that a body states, in a header such as ``# Last modified: …``, and the guard that compares it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from blocklist.domain.clock import later, now
from blocklist.domain.errors import UnreadableFeedError
from blocklist.domain.run import Effect
from blocklist.guards.guard import ListFacts, Setting, list_guard
from blocklist.guards.setting_types import DatePattern
from blocklist.text.dates import stated_moment
from blocklist.text.safe_regex import RegexTimeoutError, search

#: Bytes at the beginning of a body in which its date is searched.
DATE_WITHIN = 4_096
#: Characters of a line that are searched.
_MAX_LINE = 300
#: Seconds by which a stated date may be in the future.
_MOST_AHEAD = 2 * 86_400
_LABELED = re.compile(
    r"""^[\s\#!;/*"'{<-]*
    (?:last[\s_-]?)?(?:updated?|modified|changed|generated|published|date|stand|timestamp|aggiornato|generated_at)
    (?:[\s_-]?(?:on|at|date|time|al))?["']?\s*[:=]\s*["']?(?P<date>.+)$""",
    re.IGNORECASE | re.VERBOSE,
)
#: AGCOM's header: the number of the order, then year, day and month, in this order.
_AGCOM = re.compile(r"^\d{7}_(?P<year>\d{4})\.(?P<day>\d{2})\.(?P<month>\d{2})\b")
#: The serial number of a zone (RFC 1912, section 2.2): the day, and two digits that count within it.
_SERIAL = re.compile(r"\bSOA\b[^;]*?\s(?P<year>20\d\d)(?P<month>[01]\d)(?P<day>[0-3]\d)\d\d\b")


STATED_DATE = Setting(
    "stated_date",
    DatePattern,
    "auto",
    "Where a body states its date: auto (its usual places), off, or a regular expression with a group.",
)


def is_believed(date: str, moment: str) -> bool:
    """Return whether a date that a list states can be right at a moment: it is at most two days in the future.

    A list is prepared ahead by a day at most, and its date may be in any time zone.

    >>> is_believed("2026-01-03T00:00:00Z", "2026-01-02T00:00:00Z"), is_believed("2062-01-01T00:00:00Z", now())
    (True, False)
    """
    return date <= later(moment, _MOST_AHEAD)


@list_guard("stated_date", Effect.HOLDS, "the body states an older date than the one that serves", STATED_DATE)
def stated_date_guard(facts: ListFacts, _: str) -> str | None:
    """Check that a body is not older than that of the list that serves."""
    stated, served = facts.scan.stated_date, facts.served_date()
    if not stated or not served or stated >= served or not is_believed(stated, now()):
        return None
    return f"states the date {stated}, older than {served} of the list that serves"


@list_guard(
    "future_date", Effect.NOTES, "the body states a date more than two days in the future, which is not believed"
)
def future_date_guard(facts: ListFacts, _: None) -> str | None:
    """Check that the date of a body can be right: as a wrong one, it would make every later list look old."""
    stated = facts.scan.stated_date
    if not stated or is_believed(stated, now()):
        return None
    return f"states the date {stated}, more than two days in the future: it is not believed"


def stated_date(head: str, pattern: str = "auto") -> str | None:
    r"""Return the date that the beginning of a body states (RFC 3339, UTC), or None.

    ``pattern`` is ``auto``, ``off``, or a regular expression: the date is in its groups ``year``, ``month`` and
    ``day``, or else in its first group.

    >>> stated_date("Updated: 2016-06-13 12:04:00 +0000"), stated_date("0000350_2025.29.08")
    ('2016-06-13T12:04:00Z', '2025-08-29T00:00:00Z')
    >>> stated_date("list of 3/2/2024, order 7", r"of (?P<day>\d+)/(?P<month>\d+)/(?P<year>\d+)")
    '2024-02-03T00:00:00Z'

    :raises UnreadableFeedError: the regular expression takes too long.
    """
    if pattern == "off":
        return None
    if pattern != "auto":
        try:
            matches = search(pattern, [line[:_MAX_LINE] for line in head.splitlines()])
        except RegexTimeoutError as error:
            raise UnreadableFeedError(f"the stated date cannot be searched: {error} (guards.stated_date)") from None
        return next((_from_groups(match.groups, match.named) for match in matches if match), None)
    for line in (line.strip("\ufeff \t")[:_MAX_LINE] for line in head.splitlines()):
        if match := _AGCOM.match(line) or _SERIAL.search(line):
            return _from_groups(match.groups(), match.groupdict())
        if (match := _LABELED.match(line)) and (found := stated_moment(match["date"])):
            return found
    return None


def _from_groups(groups: Sequence[str | None], named: Mapping[str, str | None]) -> str | None:
    if {"year", "month", "day"} <= named.keys():
        return _from_parts(named["year"] or "", named["month"] or "", named["day"] or "")
    return stated_moment(groups[0] or "")


def _from_parts(year: str, month: str, day: str) -> str | None:
    return stated_moment(f"{year}-{month}-{day}")
