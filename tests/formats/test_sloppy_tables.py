"""Tables and JSON as sloppy publishers write them: no site is listed or lost without a word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from blocklist.domain.errors import UnreadableFeedError, UsageError
from blocklist.domain.listing import Entry, Rejected
from blocklist.formats.registry import format_of
from tests.support import parsed, sites

SAMPLES = Path(__file__).parent / "sloppy"


def read(name: str, **options: Any) -> list[Entry | Rejected]:
    """Return what a sample gives, in the format that its name ends with."""
    return parsed(name.rpartition(".")[2], (SAMPLES / name).read_bytes(), **options)


def codes(items: list[Entry | Rejected]) -> list[str]:
    return [item.code for item in items if isinstance(item, Rejected)]


def reasons(items: list[Entry | Rejected]) -> str:
    return "\n".join(item.reason for item in items if isinstance(item, Rejected))


def test_a_site_in_the_place_of_the_header_fails_the_run() -> None:
    with pytest.raises(UnreadableFeedError, match=r"the first row has the site 'pirate-one\.example'.*header=false"):
        read("no-header.csv", column=1)
    assert len(sites(read("no-header.csv", column=1, header=False))) == 3


@pytest.mark.parametrize("header", ["Site", "No.", "Domain name", "www", "site.address", "1", ""])
def test_the_name_of_a_column_is_no_site(header: str) -> None:
    assert sites(parsed("csv", f"{header},x\na.example,y\n", column=1)) == ["a.example"]


def test_a_name_that_two_columns_have_fails_and_says_their_numbers() -> None:
    with pytest.raises(UnreadableFeedError, match="column: the columns 1 and 3 are both named 'domain'"):
        read("column-twice.csv", column="domain")
    for options in ({}, {"reference": "complainant"}):
        assert sites(read("column-twice.csv", column=1, **options)) == ["pirate-one.example", "pirate-two.example"]


def test_a_second_header_is_followed_wherever_its_columns_are() -> None:
    both = ["pirate-one.example", "pirate-two.example"]
    for name in ("second-header.csv", "second-header-same.csv"):
        items = read(name, column="domain")
        assert (sites(items), codes(items)) == (both, [])
    assert (
        sites(parsed("csv", "domain,x\na.example,1\nid,domain,x\n7,b.example,2\n", column="domain"))[1] == "b.example"
    )


def test_a_second_header_that_cannot_be_followed_fails_and_says_where() -> None:
    with pytest.raises(UnreadableFeedError, match=r"line 3 is a second header.*give the columns by their names"):
        read("second-header.csv", column=1)
    with pytest.raises(UnreadableFeedError, match=r"line 3 is a second header, with other columns: reference: no"):
        parsed("csv", "a,b,ref\nx.example,1,2\nb,a\n", column="a", reference="ref")


def test_a_row_with_a_word_of_the_header_is_no_header() -> None:
    body = "site,kind\na.example,site\nb.example,kind\n"
    assert sites(parsed("csv", body, column="site")) == ["a.example", "b.example"]


def test_a_row_that_an_unquoted_delimiter_divides_lists_no_innocent() -> None:
    items = read("unquoted-comma.csv", column="domain", reference="ref")
    assert sites(items) == ["pirate-one.example", "pirate-four.example"]
    assert codes(items) == ["syntax"] * 3
    assert "has 5 columns and the header 4: a cell holds the delimiter without quotes" in reasons(items)


def test_a_divided_row_is_read_where_its_site_is_certain_and_loses_what_is_not() -> None:
    body = "domain,title,ref\na.example,One,R-1\nb.example,One, two,R-2\nhttps://c.example/x,y,One,R-3\nd.example,t,R-4,,\n"
    items = parsed("csv", body, column="domain", reference="ref")
    assert items[:2] == [Entry("a.example", 2, reference="R-1"), Entry("b.example", 3)]
    assert codes(items) == ["syntax"]
    assert items[3] == Entry("d.example", 5, reference="R-4")
    # The row would be left out, or not, by a cell that is another one.
    assert codes(parsed("csv", body, column="domain", where="ref=R-2")) == ["syntax", "syntax"]


def test_comments_of_a_csv_are_skipped_and_a_commented_out_row_is_rejected() -> None:
    items = read("comments.csv", column="Domain", reference="Order")
    assert sites(items) == ["pirate-one.example", "#2", "pirate-two.example"]
    assert [(item.position, item.code) for item in items if isinstance(item, Rejected)] == [(5, "withdrawn")]
    # By its number, the column is found too: the first row with a site is below the header in a comment.
    assert sites(read("comments.csv", column=1)) == sites(items)
    assert "legal-one.example" in sites(read("comments.csv", column=1, withdrawn="read"))
    # A column of numbers is called #.
    assert sites(parsed("csv", "#,Site\n#1,a.example\n2,b.example\n", column="Site")) == ["a.example", "b.example"]


def test_a_cell_over_several_rows_keeps_its_place_in_each_of_them() -> None:
    items = read("rowspan.html", column="Site", reference="Order")
    assert items == [
        Entry("pirate-one.example", 2, reference="O-1"),
        Entry("pirate-two.example", 3, reference="O-1"),
        Entry("pirate-three.example", 4, reference="O-2"),
    ]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # A cell spans no further than its group of rows; 0 means to the end of it.
        (
            "<tbody><tr><td rowspan=9>1<td>a.example<tbody><tr><td>2<td>b.example",
            [("a.example", "1"), ("b.example", "2")],
        ),
        ("<tr><td rowspan=0>1<td>a.example<tr><td>b.example", [("a.example", "1"), ("b.example", "1")]),
        # A row without cells of its own is a row.
        ("<tr><td rowspan=3>1<td>a.example<tr><tr><td>b.example", [("a.example", "1"), ("b.example", "1")]),
        # A span behind the last cell of a short row does not shift the next one.
        (
            "<tr><td>1<td>a.example<td rowspan=3>x<tr><td>2<tr><td>3<td>c.example",
            [("a.example", "1"), ("c.example", "3")],
        ),
        ("<tr><td rowspan=x>1<td>a.example<tr><td>2<td>b.example", [("a.example", "1"), ("b.example", "2")]),
    ],
)
def test_spans_are_laid_out_as_in_a_browser(rows: str, expected: list[tuple[str, str]]) -> None:
    items = parsed("html", f"<table><tr><th>Order<th>Site{rows}</table>", column="Site", reference="Order")
    assert [(item.site, item.reference) for item in items if isinstance(item, Entry)] == expected


def test_a_name_that_inline_elements_divide_is_whole() -> None:
    items = read("inline-elements.html", column="Site")
    assert [site.replace("\u00ad", "") for site in sites(items)] == [
        "pirate-one.example",
        "pirate-two.example",
        "pirate-three.example",
        "pirate-four.example",
    ]
    assert codes(items) == ["syntax"]
    # Not even an explicit separator makes a name of the part behind a hyphen at the end of a line.
    assert codes(read("inline-elements.html", column="Site", values="\\n")) == ["hyphenated", "hyphenated"]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("www.<b>a</b>.example", "www.a.example"),
        ("<span>a.example</span><span>b.example</span>", "a.example b.example"),
        ("a.example<sup>1</sup>", "a.example 1"),
        ("a.example<img src=x>b.example", "a.example b.example"),
        ("<i>https://</i>a.example/<b>x</b>", "https://a.example/x"),
        ("<span style='display: none'>0042</span>a.example", "a.example"),
        ("a.example<script>b.example</script>", "a.example"),
    ],
)
def test_spaces_are_where_a_browser_shows_them(cell: str, shown: str) -> None:
    assert sites(parsed("html", f"<table><tr><th>Site<tr><td>{cell}</table>", column="Site")) == [shown]


def test_what_a_page_strikes_through_or_hides_is_rejected_and_not_listed() -> None:
    items = read("withdrawn.html", column="Site", reference="Order")
    assert sites(items) == ["pirate-one.example", "pirate-two.example", "pirate-six.example"]
    assert codes(items) == ["withdrawn"] * 5
    assert "row 3 has a site that is struck through" in reasons(items)
    assert "row 5 is hidden or filtered out" in reasons(items)
    assert len(sites(read("withdrawn.html", column="Site", withdrawn="read"))) == 8


def test_links_that_are_struck_through_are_rejected_too() -> None:
    page = "<s><a href=//a.example>x</a></s><a href=//b.example> <del>y</del></a><a href=//c.example>z <s>old</s></a>"
    items = parsed("html", page, select="a")
    assert (sites(items), codes(items)) == (["//c.example"], ["withdrawn", "withdrawn"])
    assert len(sites(parsed("html", page, select="a", withdrawn="read"))) == 3


def test_a_part_of_a_word_that_is_struck_through_makes_no_other_word() -> None:
    items = parsed("html", "<table><tr><th>Site<tr><td>a-<del>b</del>c.example</table>", column="Site", values=" ")
    assert (sites(items), codes(items)) == ([], ["withdrawn"])


def test_another_table_with_the_same_header_is_read_or_said() -> None:
    items = read("second-table.html", column="Site")
    assert (sites(items), codes(items)) == (["pirate-one.example"], ["not_read"])
    assert "table 2 on the page has the same header" in reasons(items)
    assert read("second-table.html", column="Site", table=1) == [Entry("pirate-one.example", 2)]
    assert read("second-table.html", column="Site", table="*") == [
        Entry("pirate-one.example", 2),
        Entry("pirate-two.example", 3),
    ]


@pytest.mark.parametrize("sign", ["\ufdd0", "\ufdd1", "\ufdd2", "\ufdd3", "\ufdd4", "\ufdd5"])
def test_a_body_that_contains_the_marks_of_readers_spoils_only_its_own_row(sign: str) -> None:
    for row in (sign, f"{sign}b.example", f"b.example{sign}", f"{sign},x"):
        assert sites(parsed("csv", f"Site\n{row}\na.example\n", column="Site"))[-1] == "a.example"


def test_rows_of_json_that_were_delisted_can_be_left_out() -> None:
    assert sites(read("delisted.json", field="domain", where="active=true")) == ["pirate-one.example"]
    assert sites(read("delisted.json", field="domain", where="status!=removed")) == [
        "pirate-one.example",
        "legal-one.example",
    ]
    rows = '{"d":"a.example","s":["x","y"]}\n{"d":"b.example","s":null}\n{"d":"c.example","s":2}\n'
    for where, kept in (("s=y", "a"), ("s=", "b"), ("s=2", "c"), ("s!=x", "bc")):
        assert [site[0] for site in sites(parsed("ndjson", rows, field="d", where=where))] == list(kept)
    with pytest.raises(UsageError, match="where must be COLUMN=VALUE"):
        format_of("json", {"where": "active"})
    with pytest.raises(UsageError, match="where: name a field"):
        format_of("json", {"where": "=x"})


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("first-page.json", {"rows": "rows"}, "'next' is '/list?page=2', so this is not the whole list"),
        ("partial.json", {"rows": "rows"}, "'error' is 'partial result: backend 2 timed out'"),
        ("total.json", {"rows": "data.sites"}, "'meta.total_count' is 120, and the body has 1 rows"),
        ("ends-in-error.ndjson", {}, "line 2 is no row: 'error' is 'stream aborted after 1 of 2153 rows'"),
    ],
)
def test_a_body_that_says_it_is_not_whole_is_told(name: str, options: dict[str, str], said: str) -> None:
    items = read(name, field="domain", **options)
    assert codes(items) == ["not_read"]
    assert said in reasons(items)


@pytest.mark.parametrize(
    "beside",
    [
        '"next": null, "total": 2',
        '"next": "", "errors": [], "has_more": false, "error": {"code": 0, "message": ""}',
        '"count": "2", "links": {"next": null}, "complete": true, "status": {"error": "none"}',
        '"other": [{"next": "x", "total": 99}], "a": {"b": {"c": {"total": 99}}}',
    ],
)
def test_a_whole_body_has_no_such_row(beside: str) -> None:
    body = f'{{{beside}, "rows": ["a.example", "b.example"]}}'
    assert codes(parsed("json", body, rows="rows")) == []


def test_joined_pages_are_judged_by_their_total_and_errors_not_by_their_next_pages() -> None:
    pages = '[{"next": "/2", "total": 2, "rows": ["a.example"]}, {"next": null, "total": 2, "rows": ["b.example"]}]'
    assert codes(parsed("json", pages, rows="item.rows")) == []
    assert codes(parsed("json", pages.replace("2,", "9,"), rows="item.rows")) == ["not_read"]
    assert codes(parsed("json", pages.replace('"next": null', '"error": "x"'), rows="item.rows")) == ["not_read"]
