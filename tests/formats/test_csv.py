"""``csv``: columns by name or number, several values in a cell, and what publishers do to quoting."""

from __future__ import annotations

from typing import Any

import pytest

from blocklist.domain.errors import UnreadableFeedError, UsageError
from blocklist.domain.listing import Entry, Rejected
from blocklist.formats.registry import format_of
from tests.support import parsed, sites


def test_a_column_is_found_by_its_name() -> None:
    body = "Date,Domain\n2026-01-01,a.example\n2026-01-02,b.example\n"
    assert parsed("csv", body, column="Domain") == [Entry("a.example", 2), Entry("b.example", 3)]


def test_a_column_is_found_by_its_number_from_1_with_and_without_a_header() -> None:
    assert parsed("csv", "d,s\nx,a.example\n", column=2) == [Entry("a.example", 2)]
    assert parsed("csv", "x,a.example\n", column=2, header=False) == [Entry("a.example", 1)]
    assert parsed("csv", "x,a.example\n", column="2", header="false") == [Entry("a.example", 1)]


def test_a_header_is_read_through_byte_order_mark_crlf_and_spaces() -> None:
    body = b"\xef\xbb\xbf Domain ,Date\r\n a.example ,x\r\n"
    assert sites(parsed("csv", body, column="Domain")) == ["a.example"]
    assert sites(parsed("csv", b'\xef\xbb\xbf"Domain",Date\r\na.example,x\r\n', column="Domain")) == ["a.example"]


def test_the_first_of_several_columns_that_is_not_empty_counts() -> None:
    body = "ip;host;url\n1.1.1.1;a.example;http://a.example/x\n1.1.1.1;b.example;\n1.1.1.1;;\n"
    found = sites(parsed("csv", body, delimiter=";", column="url,host,ip"))
    assert found == ["http://a.example/x", "b.example", "1.1.1.1"]
    assert sites(parsed("csv", body, delimiter=";", column=[3, 2, 1])) == found


def test_a_cell_may_hold_several_values() -> None:
    items = parsed("csv", "s\na.example | b.example |  | c.example\n", column="s", values=" | ")
    assert items == [Entry("a.example", 2), Entry("b.example", 2), Entry("c.example", 2)]


def test_where_keeps_the_rows_with_that_value_and_counts_no_others() -> None:
    body = "s,court\na.example,Moscow\nb.example,Other\n,Other\nc.example, Moscow \n"
    assert sites(parsed("csv", body, column="s", where="court=Moscow")) == ["a.example", "c.example"]
    assert sites(parsed("csv", "a.example,x=y\n", column=1, header=False, where="2=x=y")) == ["a.example"]
    assert len(parsed("csv", body, column="s", where="court=Other")) == 2


def test_what_a_row_states_is_kept_with_its_entry() -> None:
    body = "s,ref,date,law,who,where\na.example,R-1,2026-01-01,Art. 1,Court A,IT\nb.example,,,,,\n"
    options = {"reference": "ref", "published_at": "date", "legal_basis": "law", "authority": "who", "country": "where"}
    assert parsed("csv", body, column="s", **options) == [
        Entry("a.example", 2, None, "R-1", "Art. 1", "2026-01-01", "Court A", "IT"),
        Entry("b.example", 3),
    ]


def test_lines_above_the_header_are_skipped_and_still_counted() -> None:
    body = "Updated: today\n\nDomain\na.example\n"
    assert parsed("csv", body, column="Domain", skip_rows=2) == [Entry("a.example", 4)]


@pytest.mark.parametrize(("delimiter", "written"), [("tab", "\t"), ("\\t", "\t"), ("semicolon", ";"), ("|", "|")])
def test_delimiters_have_names(delimiter: str, written: str) -> None:
    assert sites(parsed("csv", f"x{written}a.example\n", column=2, header=False, delimiter=delimiter)) == ["a.example"]


def test_quoted_cells_may_hold_delimiters_quotes_and_line_breaks() -> None:
    body = 's,t\n"http://a.example/?a;b,c","say ""x"""\n"b.example","two\nlines"\nc.example,\n'
    assert parsed("csv", body, column="s") == [
        Entry("http://a.example/?a;b,c", 2),
        Entry("b.example", 3),
        Entry("c.example", 5),
    ]


def test_quoting_can_be_off() -> None:
    assert sites(parsed("csv", 's\n"a.example\nb.example\n', column="s", quote="")) == ['"a.example', "b.example"]
    assert sites(parsed("csv", "s\n'a,b'\n", column="s", quote="'")) == ["a,b"]


def test_a_list_in_windows_1251_is_read() -> None:
    body = "домен;суд\nкино.рф;Мосгорсуд\nкнига.рф;суд\n".encode("windows-1251")
    options = {"delimiter": ";", "encoding": "windows-1251", "column": "домен", "where": "суд=Мосгорсуд"}
    assert sites(parsed("csv", body, **options)) == ["кино.рф"]


def test_a_row_without_a_site_is_rejected_with_its_line() -> None:
    items = parsed("csv", "a,s\nx,a.example\nx\nx,  \n\n,,\nx,b.example\n", column="s")
    assert sites(items) == ["a.example", "b.example"]
    assert [(item.position, item.code, item.reason) for item in items if isinstance(item, Rejected)] == [
        (3, "empty", "line 3 has 1 columns, the site is in column 2"),
        (4, "empty", "line 4 has no site in its column"),
    ]


def test_a_missing_column_is_named_with_those_there_are() -> None:
    with pytest.raises(UnreadableFeedError, match="column: no column 'Domain' in the header; it has site, date"):
        parsed("csv", "site,date\na.example,x\n", column="Domain")
    with pytest.raises(UnreadableFeedError, match="reference: no column 'Ref'"):
        parsed("csv", "site\na.example\n", column="site", reference="Ref")
    with pytest.raises(UnreadableFeedError, match="where: no column 'court'"):
        parsed("csv", "site\na.example\n", column="site", where="court=x")
    with pytest.raises(UnreadableFeedError, match="no column 'site'"):
        parsed("csv", "", column="site")


@pytest.mark.parametrize(
    "body",
    [
        's\na.example\n"b.example\nc.example\nd.example\n',
        's\na.example\n"b.example\nc.example\nd.example',
        's\na.example\n"b.example',
    ],
)
def test_a_quote_that_is_never_closed_ends_the_reading_with_its_line(body: str) -> None:
    with pytest.raises(UnreadableFeedError, match="line 3 opens a quote that is never closed"):
        parsed("csv", body, column="s")


def test_a_quote_closed_on_the_last_character_is_closed() -> None:
    assert sites(parsed("csv", 's\n"a.example"', column="s")) == ["a.example"]
    assert sites(parsed("csv", 's\n"a.example"""', column="s")) == ['a.example"']


def test_a_cell_of_more_than_a_megabyte_ends_the_reading_with_its_line() -> None:
    with pytest.raises(UnreadableFeedError, match="line 2: field larger than field limit"):
        parsed("csv", b"s\n" + b"a" * 1_100_000 + b"\nb.example\n", column="s")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"column": "site", "header": False}, "column: without a header a column is a number from 1, not 'site'"),
        ({"column": 1, "header": False, "reference": "ref"}, "reference: without a header a column is a number"),
        ({"column": 1, "header": False, "where": "court=x"}, "where: without a header a column is a number"),
        ({"column": 0}, "column: columns count from 1, not 0"),
        ({"column": "site", "where": "court"}, "where must be COLUMN=VALUE or COLUMN!=VALUE, not 'court'"),
        ({"column": "site", "delimiter": ";;"}, "delimiter: "),
        ({"column": "site", "skip_rows": -1}, "skip_rows: "),
        ({"column": "site", "encoding": "x"}, "encoding: 'x' is not an encoding"),
    ],
)
def test_options_that_make_no_sense_are_refused_when_they_are_given(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        format_of("csv", options)
    assert said in str(refused.value)


def test_skipping_more_lines_than_there_are_ends_with_the_body() -> None:
    assert parsed("csv", "a\n", column=1, header=False, skip_rows=1_000_000) == []


@pytest.mark.parametrize(
    "options",
    [
        {"column": ""},
        {"column": "1,"},
        {"column": 10**20},
        {"column": 1, "delimiter": '"'},
        {"column": 1, "quote": "\n"},
    ],
)
def test_options_that_could_only_fail_later_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        format_of("csv", options)


def test_the_hint_for_spreadsheet_programs_is_not_a_row_and_names_the_delimiter() -> None:
    body = "sep=;\r\nSite;Order\r\na.example;1\r\nb.example;2\r\nc.example;3\r\n"
    assert [(item.position, item[0]) for item in parsed("csv", body, column="Site")] == [
        *((3, "a.example"), (4, "b.example"), (5, "c.example"))
    ]
    assert sites(parsed("csv", '\ufeff"sep=;"\nSite;Order\na.example;1\n', column="Site")) == ["a.example"]
    assert sites(parsed("csv", "sep=,\nSite;Order\na.example;1\n", column="Site", delimiter=";")) == ["a.example"]
    assert sites(parsed("auto", body, column="Site")) == ["a.example", "b.example", "c.example"]


@pytest.mark.parametrize("name", ["url", "Domain", "SITE", "host", "Hostname"])
def test_auto_takes_the_one_column_that_is_called_like_an_address(name: str) -> None:
    assert sites(parsed("auto", f"Order;{name}\n1;a.example\n2;b.example\n")) == ["a.example", "b.example"]


@pytest.mark.parametrize("header", ["URL;Domain", "Name;Title"])
def test_auto_does_not_guess_between_columns(header: str) -> None:
    with pytest.raises(UnreadableFeedError, match=f"column: is missing; its first row is {header.replace(';', ', ')}"):
        parsed("auto", f"{header}\nhttp://a.example/;a.example\nhttp://b.example/;b.example\n")
