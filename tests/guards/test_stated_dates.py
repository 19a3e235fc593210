"""The dates that bodies state."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocklist.domain.errors import UnreadableFeedError
from blocklist.guards.guard import BodyType
from blocklist.guards.guard_settings import GuardSettings
from blocklist.guards.stated_dates import stated_date
from blocklist.refresh.guard_evaluation import check_body

DATES = {
    "Updated: 2016-06-13 12:04:00 +0000": "2016-06-13T12:04:00Z",
    "\ufeff# Last modified: 2026-07-06 00:40:29 UTC": "2026-07-06T00:40:29Z",
    "! Last modified: 24 Aug 2025 00:15 UTC": "2025-08-24T00:15:00Z",
    '{\n  "date": "2024-08-29 16:40:00",': "2024-08-29T16:40:00Z",
    "0000350_2025.29.08": "2025-08-29T00:00:00Z",
    "; generated on: Mon, 02 Mar 2026 10:00:00 +0200": "2026-03-02T08:00:00Z",
    "# Stand: 03.02.2024": "2024-02-03T00:00:00Z",
    "@ 3600 IN SOA ns.example. host.example. 2025010203 7200 900 1209600 86400": "2025-01-02T00:00:00Z",
    "# Last updated: 2026/7/6": "2026-07-06T00:00:00Z",
    "updated.example": None,
    "Updated: yesterday": None,
    "# Last modified: 2026-13-45": None,
    "date,domain": None,
    "2026-01-01": None,
}


@pytest.mark.parametrize(("head", "moment"), DATES.items())
def test_a_date_is_found_in_the_usual_places(head: str, moment: str | None) -> None:
    assert stated_date(f"{head}\na.example\n") == moment


def test_a_pattern_says_where_the_date_is_and_off_that_there_is_none() -> None:
    assert stated_date("list no. 7 (03/02/26)", r"\((?P<day>\d\d)/(?P<month>\d\d)/26(?P<year>)\)") is None
    assert stated_date("Allegato B del 2026-02-03", r"del (\S+)") == "2026-02-03T00:00:00Z"
    assert stated_date("Updated: 2016-06-13", "off") is None


@given(st.text(max_size=200))
def test_the_search_for_a_date_accepts_any_text(head: str) -> None:
    found = stated_date(head)
    assert found is None or len(found) >= 20


def test_a_pattern_that_takes_too_long_fails_the_run_and_names_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blocklist.text.safe_regex.SECONDS", 0.5)
    with pytest.raises(UnreadableFeedError, match=r"\(a\+\)\+b\(c\).*guards\.stated_date"):
        check_body(
            io.BytesIO(b"# " + b"a" * 60 + b"!\na.example\n"),
            BodyType(),
            GuardSettings.model_validate({"stated_date": "(a+)+b(c)"}),
        )
