"""Times and durations as text."""

from __future__ import annotations

import pytest

from blocklist.domain.clock import later, now, parse_duration, parse_time, seconds_between


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-23", "2026-11-23T00:00:00Z"),
        (" 2026-11-23T10:00:00Z ", "2026-11-23T10:00:00Z"),
        ("2026-11-23 10:00:00", "2026-11-23T10:00:00Z"),
        ("2026-11-23T10:00:00.999+02:00", "2026-11-23T08:00:00Z"),
        ("2026-11-23T23:30:00-01:00", "2026-11-24T00:30:00Z"),
    ],
)
def test_a_time_is_brought_to_utc(text: str, moment: str) -> None:
    assert parse_time(text) == moment


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-13-01", "23.11.2026"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time: write 2026-11-23"):
        parse_time(text)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("15m", 900), ("6h", 21_600), (" 1 d ", 86_400), ("1w", 604_800)]
)
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "6 hours", "-1h", "1.5h", "6H"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


def test_text_order_is_time_order() -> None:
    moment = now()
    assert moment < later(moment, 1) < later(moment, 86_400)
    assert seconds_between(moment, later(moment, 61.9)) == 61


def test_times_at_the_ends_of_the_calendar_are_refused_or_written_in_full() -> None:
    assert parse_time("0500-01-01") == "0500-01-01T00:00:00Z"
    for text in ("0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00"):
        with pytest.raises(ValueError, match="is not a time"):
            parse_time(text)
