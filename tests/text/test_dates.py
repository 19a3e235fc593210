"""Dates as lists write them: read where one reading is possible."""

from __future__ import annotations

from datetime import date

import pytest

from blocklist.text.dates import DateForm, published_date, stated_moment


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2025-08-29", "2025-08-29"),
        ("2025/8/29", "2025-08-29"),
        ("2025.08.29", "2025-08-29"),
        ("20250829", "2025-08-29"),
        ("29/08/2025", "2025-08-29"),
        ("08/29/2025", "2025-08-29"),
        ("05/05/2025", "2025-05-05"),
        ("3.4.2025", "2025-04-03"),
        ("29 agosto 2025", "2025-08-29"),
        ("29 de agosto de 2025", "2025-08-29"),
        ("29 août 2025", "2025-08-29"),
        ("29. August 2025", "2025-08-29"),
        ("August 29, 2025", "2025-08-29"),
        ("29-Aug-2025", "2025-08-29"),
        ("29 серпня 2025", "2025-08-29"),
        ("29 Αυγούστου 2025", "2025-08-29"),
        ("29 lipca 2025", "2025-07-29"),
        # The zone of a time decides on the day; without one, only the day is certain.
        ("2025-08-29 01:00:00", "2025-08-29"),
        ("2025-08-29T01:00:00+02:00", "2025-08-28T23:00:00Z"),
        ("Fri, 29 Aug 2025 10:00:00 GMT", "2025-08-29T10:00:00Z"),
        ("Fri, 29 Aug 2025 10:00:00 EST", "2025-08-29T15:00:00Z"),
    ],
)
def test_a_date_that_can_be_read_in_one_way_is_read(text: str, read: str) -> None:
    assert published_date(text) == read
    assert published_date(f"  {text} ") == read


@pytest.mark.parametrize(
    "text",
    [
        *("03/04/2025", "3-4-2025", "29/08/25", "45898", "1756425600", "0000-00-00", "2025-29-08", "2026-02-30"),
        *("n/a", "-", "R-1 2025", "2025", "August 2025", "2025-08-29 (2)", "29/08/2025 and later", "31/04/2025"),
        *("2052-08-29", "1066-10-14"),
    ],
)
def test_a_date_that_is_none_or_has_two_readings_is_not_read(text: str) -> None:
    assert published_date(text, today=date(2026, 1, 2)) is None


@pytest.mark.parametrize(
    ("text", "form", "read"),
    [
        ("03/04/2025", "day-first", "2025-04-03"),
        ("03/04/2025", "month-first", "2025-03-04"),
        ("3/4/25", "day-first", "2025-04-03"),
        # Only one reading is possible, so the option does not matter.
        ("08/29/2025", "day-first", "2025-08-29"),
        ("29/08/2025", "month-first", "2025-08-29"),
        ("2025-08-29", "month-first", "2025-08-29"),
        ("45898", "excel", "2025-08-29"),
        ("2025-08-29", "excel", "2025-08-29"),
        ("1756425600", "unix", "2025-08-29T00:00:00Z"),
        ("1756425600000", "unix", "2025-08-29T00:00:00Z"),
        ("99999999999999999999", "unix", None),
        ("99999999999999999999", "excel", None),
    ],
)
def test_an_option_tells_how_other_dates_are_written(text: str, form: DateForm, read: str | None) -> None:
    assert published_date(text, form) == read


def test_the_date_of_a_whole_list_may_have_text_behind_it_and_has_the_day_first() -> None:
    assert stated_moment("03/04/2025, 12 sites") == "2025-04-03T00:00:00Z"
    assert stated_moment("01/31/2026") == "2026-01-31T00:00:00Z"
    assert stated_moment("2062-01-01") == "2062-01-01T00:00:00Z"
    assert stated_moment("24 Aug 2025 00:15 UTC") == "2025-08-24T00:15:00Z"
    assert stated_moment("never") is None
