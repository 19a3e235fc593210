"""``adblock``: which filters list a whole site, and what a list takes back."""

from __future__ import annotations

import pytest

from blocklist.domain.errors import UnreadableFeedError
from blocklist.domain.listing import Entry, ExactEntry, Rejected
from tests.support import parsed, sites


def rejected(items: list[Entry | Rejected]) -> list[tuple[int, str]]:
    return [(item.position, item.code) for item in items if isinstance(item, Rejected)]


@pytest.mark.parametrize(
    "line",
    [
        *("||a.example^", "||a.example^|", "||a.example^$all", "||a.example^$document", "||a.example^$doc"),
        *("||a.example^$important", "||a.example^$doc,important", "||a.example^$doc,popup", "||a.example^ ! why"),
        "||a.example^ # why",
    ],
)
def test_a_filter_for_a_whole_site_lists_it(line: str) -> None:
    assert parsed("adblock", line) == [Entry("a.example", 1, line)]


@pytest.mark.parametrize(
    "line",
    [
        *("||a.example^$third-party", "||a.example^$popup", "||a.example^$popup,domain=x.example", "||a.example"),
        *("||a.example^$badfilter", "||a.example^$denyallow=good.a.example", "||a.example/path^", "||*.a.example^"),
        *("||ads.*^", "||*^$denyallow=com|net", "|https://a.example^", "@@||a.example^", "||a.example^$doc,domain=x"),
    ],
)
def test_a_filter_for_something_else_is_rejected(line: str) -> None:
    assert rejected(parsed("adblock", line)) == [(1, "not_a_host_rule")]


def test_an_exception_takes_out_its_host_and_what_is_below_wherever_it_stands() -> None:
    items = parsed("adblock", "||a.example^\n||x.a.example^\n@@||A.example^$document\n||b.example^\n||a.example^$all\n")
    assert sites(items) == ["b.example"]
    assert rejected(items) == [(1, "excepted"), (2, "excepted"), (3, "not_a_host_rule"), (5, "excepted")]
    assert isinstance(items[0], Rejected)
    assert items[0].reason == "'||a.example^' is taken back in line 3"


@pytest.mark.parametrize(
    "exception", ["@@||a.example", "@@||a.example/", "@@|https://a.example^", "@@|http://a.example/"]
)
def test_an_exception_for_a_whole_site_counts_in_each_of_its_forms(exception: str) -> None:
    assert sites(parsed("adblock", f"||a.example^\n||b.example^\n{exception}\n")) == ["b.example"]


def test_an_exception_below_a_host_narrows_its_filter_to_the_host_itself() -> None:
    items = parsed("adblock", "||pirates.example^\n@@||legal.pirates.example^\n||more.pirates.example^\n")
    line = "||pirates.example^"
    assert items[:2] == [ExactEntry("pirates.example", 1, line), ExactEntry("www.pirates.example", 1, line)]
    assert [type(item) for item in items[:2]] == [ExactEntry, ExactEntry]
    assert items[3] == Entry("more.pirates.example", 3, "||more.pirates.example^")
    assert sites(parsed("adblock", "||pirates.example^\n@@||www.pirates.example^\n")) == ["pirates.example"]


def test_an_exception_for_a_part_of_a_page_takes_nothing_out() -> None:
    for exception in ("@@||a.example^$elemhide", "@@||a.example^$domain=b.example", "@@||a.example/film^"):
        assert sites(parsed("adblock", f"||a.example^\n{exception}\n")) == ["a.example"]


def test_an_important_filter_is_taken_out_only_by_an_important_exception() -> None:
    assert sites(parsed("adblock", "||a.example^$important\n@@||a.example^\n")) == ["a.example"]
    assert sites(parsed("adblock", "||a.example^$important\n@@||a.example^$important\n")) == []
    assert sites(parsed("adblock", "||a.example^$important\n@@||x.a.example^\n")) == ["a.example"]


def test_badfilter_takes_out_the_filter_that_is_the_same_without_it() -> None:
    body = "||a.example^\n||a.example^$badfilter\n||b.example^$document\n||b.example^$badfilter\n"
    assert sites(parsed("adblock", body)) == ["b.example"]
    assert sites(parsed("adblock", "||b.example^$document\n||b.example^$badfilter,doc\n")) == []
    assert sites(parsed("adblock", "||a.example^\n@@||a.example^\n@@||a.example^$badfilter\n")) == ["a.example"]


def test_an_address_is_not_completed_where_a_list_has_exceptions() -> None:
    assert sites(parsed("adblock", "||8.8.34.^\n@@||a.example^\n")) == ["8.8.34."]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_exceptions_are_found_in_every_encoding(encoding: str) -> None:
    body = "||a.example^\n@@||a.example^\n||пират.example^\n@@||ПИРАТ.example^\n".encode(encoding)
    assert sites(parsed("adblock", body, encoding=encoding)) == []


def test_only_a_condition_that_is_certain_counts() -> None:
    body = """||a.example^
!#if false
||b.example^
!#else
||c.example^
!#endif
!#if env_mobile
||d.example^
!#if true
||e.example^
!#endif
!#else
@@||a.example^
!#endif
!#if !false
||f.example^
!#endif
"""
    items = parsed("adblock", body)
    assert sites(items) == ["a.example", "c.example", "f.example"]
    assert rejected(items) == [(8, "conditional"), (10, "conditional"), (13, "conditional")]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("||a.example^\n!#include more.txt\n", r"line 2: !#include names another list \(more.txt\)"),
        ("!#if true\n||a.example^\n", "line 1 opens !#if, which never ends"),
        ("||a.example^\n!#endif\n", "line 2: !#endif without an !#if"),
    ],
)
def test_a_list_of_which_a_part_is_missing_is_not_half_read(body: str, said: str) -> None:
    with pytest.raises(UnreadableFeedError, match=said):
        parsed("adblock", body)


def test_what_another_list_is_included_for_does_not_matter_where_it_is_left_out() -> None:
    assert sites(parsed("adblock", "!#if false\n!#include more.txt\n!#endif\n||a.example^\n")) == ["a.example"]
