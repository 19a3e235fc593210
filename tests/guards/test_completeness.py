"""The guards over lists that say of themselves that they are not whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from blocklist.domain.run import RunCounts
from blocklist.guards.guard import BodyScan
from blocklist.guards.guard_settings import GuardSettings
from blocklist.guards.stated_sizes import StatedSize, has_end_marker, stated_size
from blocklist.refresh.guard_evaluation import judge
from tests.guards.test_list_guards import facts

SAMPLES = Path(__file__).parents[1] / "formats" / "sloppy"


@pytest.mark.parametrize(
    ("line", "entries"),
    [
        ("# Number of entries: 2153", 2_153),
        ("! Number of unique domains: 133,000", 133_000),
        ("# Total number of domains: 3.000", 3_000),
        ("# Entries: 2,154", 2_154),
        ("; Domain count = 12", 12),
        ("# Blocked hosts: 200", 200),
        ("// Total: 7", 7),
        ("# 2153 entries", 2_153),
        ("# Expires: 1 day", 0),
        ("# Entries removed: 12", 0),
        ("# Version: 2025", 0),
        ("# 12 entries were removed", 0),
        ("# Last modified: 2025-08-29", 0),
        ("total.example", 0),
        ("Total,12", 0),
    ],
)
def test_the_first_lines_of_a_body_may_state_its_size(line: str, entries: int) -> None:
    assert stated_size(f"# Title: x\n{line}\na.example\n", "\n".join(["a.example"] * 9)).entries == entries


def test_the_last_lines_of_a_body_may_state_its_size_as_a_row_or_as_a_part_of_several() -> None:
    assert stated_size("domain,ref\n", "a.example,1\nTotal,2153\n").entries == 2_153
    assert stated_size("", (SAMPLES / "end-marker.txt").read_text()) == StatedSize(
        part=1, parts=3, line="# END OF LIST: 868 of 2153 (part 1/3)"
    )
    assert stated_size("", "a.example\n# part 3 of 3\n").parts == 0
    assert stated_size("", "Total,2153\n" + "a.example,1\n" * 9).entries == 0


@pytest.mark.parametrize(
    ("last", "marked"),
    [
        *(("# EOF", True), ("### END OF LIST ###", True), ("; end of file", True), ("! --- End ---", True)),
        *(("a.example", False), ("end.example", False), ("# Endorsed by the court", False), ("", False)),
    ],
)
def test_a_last_line_may_say_that_it_is_the_end(last: str, marked: bool) -> None:
    assert has_end_marker(f"a.example\n{last}\n\n") is marked


def held(size: StatedSize, rows: int, limits: GuardSettings | None = None, **more: object) -> list[str]:
    """Return the guards that hold a list of this many rows."""
    counts = RunCounts(entries=rows, rules=rows)
    judged = replace(facts(counts), scan=BodyScan(stated_size=size), **more)  # type: ignore[arg-type]
    return [finding.guard for finding in judge(judged, limits or GuardSettings())]


def test_a_list_with_fewer_rows_than_it_states_is_held() -> None:
    stated = StatedSize(1_000, line="# Entries: 1000")
    assert held(stated, 989) == ["stated_count"]
    assert held(stated, 990) == held(stated, 1_200) == []
    assert held(stated, 900, GuardSettings.model_validate({"max_missing": 0.1})) == []
    # One row of three may be a mistake in counting.
    assert held(StatedSize(3, line="x"), 2) == []
    assert held(StatedSize(3, line="x"), 1) == ["stated_count"]


def test_a_stated_count_says_nothing_of_rows_that_are_left_out_nor_of_documents() -> None:
    stated = StatedSize(1_000, line="# Entries: 1000")
    assert held(stated, 10, filtered=True) == []
    assert held(stated, 10, line_based=False) == []


def test_a_part_of_several_is_held() -> None:
    assert held(StatedSize(part=1, parts=3, line="# part 1/3"), 9) == ["stated_count"]


def test_a_list_that_lacks_the_last_line_of_all_before_is_held() -> None:
    assert held(StatedSize(), 9, always_marked=lambda: True) == ["end_marker"]
    assert held(StatedSize(), 9, always_marked=lambda: False) == []


def test_a_list_of_which_a_part_was_not_read_is_held_with_the_reason() -> None:
    assert held(StatedSize(), 9, not_read="sheet 'B' was not read") == ["incomplete"]
