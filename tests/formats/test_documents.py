"""Documents: spreadsheets, pages, PDFs and news feeds, good and hostile."""

from __future__ import annotations

import importlib.util
import io
import subprocess
import sys
from typing import Any

import pytest

from blocklist.domain.errors import UnreadableFeedError, UsageError
from blocklist.domain.listing import Entry, Rejected
from blocklist.formats.registry import format_of
from tests.formats import making
from tests.support import parsed, sites

ROWS = (
    f'<row r="3">{making.cell("B3", "Site")}{making.cell("C3", "Ref")}</row>'
    f'<row r="6">{making.cell("B6", "a.example")}<c r="C6"><v>7</v></c></row>'
    f'<row r="7"><c r="B7" t="str"><f>X</f><v>b.example</v></c></row>'
    f'<row r="8"><c r="B8"><f>Y</f></c><c r="C8"><v>1</v></c></row>'
)
PAGE = b"""<html><title>Orders</title><nav><a href="https://court.example/">home</a></nav>
<main><a href="https://a.example/x">A</a> <a href="/about">about</a> <a href="//b.example">b.example</a></main>
<table><tr><th>Site</th><th>Order</th></tr><tr><td><a href="http://c.example/f">c.example</a></td><td>R-1</td></tr></table>"""
NEWS = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>x</title><item><title>a.example, b.example</title>
<link>https://a.example/</link><guid>R-1</guid></item></channel></rss>"""
LAUGHS = (
    b"<?xml version='1.0'?><!DOCTYPE l [<!ENTITY a 'aaaaaaaaaa'>"
    + b"".join(b"<!ENTITY a%d '%s'>" % (i, (b"&a%d;" % (i - 1) if i else b"&a;") * 10) for i in range(9))
    + b"]>"
)


def test_a_sheet_gives_its_rows_with_the_numbers_that_a_person_sees() -> None:
    items = parsed("xlsx", making.xlsx({"A": ROWS}), column="Site", reference="Ref")
    assert items[:2] == [Entry("a.example", 6, reference="7"), Entry("b.example", 7)]
    assert [(i.position, i.code) for i in items[2:] if isinstance(i, Rejected)] == [(8, "empty")]
    assert sites(parsed("xlsx", making.xlsx({"A": ROWS}), column=2, header_row=3)) == ["a.example", "b.example"]


def test_the_first_sheet_that_is_not_hidden_counts_unless_one_is_named() -> None:
    book = making.xlsx({"Old": f'<row r="1">{making.cell("A1", "old.example")}</row>', "New": ROWS}, hidden=("Old",))
    assert sites(parsed("xlsx", book, column="Site")) == ["a.example", "b.example"]
    assert sites(parsed("xlsx", book, column=1, header="false", sheet="Old")) == ["old.example"]
    assert sites(parsed("xlsx", book, column=1, header="false", sheet="1")) == ["old.example"]
    with pytest.raises(UnreadableFeedError, match="sheet: there is no sheet 'X', only 'Old', 'New'"):
        parsed("xlsx", book, column=1, sheet="X")


def test_an_open_document_is_read_like_any_sheet() -> None:
    assert parsed("ods", making.ods([["Site"], ["a.example"]]), column="Site") == [Entry("a.example", 2)]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            making.xlsx(
                {"A": '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>3</v></c></row>'}
            ),
            "bytes of memory, or breaks its reader",
        ),
        (
            making.xlsx({"A": ROWS.replace("a.example", "&a8;")}, before=LAUGHS.decode()[21:]),
            "not XML that can be read",
        ),
        (making.xlsx({"A": ROWS})[:-40], "not a zip file"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "damaged"),
        (b"a.example\n", "not a spreadsheet: it begins with"),
    ],
)
def test_a_hostile_sheet_fails_in_a_sentence_and_takes_nothing_down(body: bytes, said: str) -> None:
    with pytest.raises(UnreadableFeedError) as refused:
        parsed("xlsx", body, column=1)
    assert said in str(refused.value)


def test_a_sheet_that_opens_to_more_than_it_may_is_not_opened() -> None:
    chosen, options = format_of("xlsx", {"column": 1})
    body = making.xlsx({"A": f"<row r='1'>{making.cell('A1', 'a' * 300_000)}</row>"})
    with pytest.raises(UnreadableFeedError, match="opens to more than 100,000 bytes"):
        list(chosen.entries(io.BytesIO(body), options, 100_000))


def test_links_to_other_sites_are_read_where_the_selector_says() -> None:
    assert parsed("html", PAGE, select="main a") == [Entry("https://a.example/x", 1), Entry("//b.example", 3)]
    assert sites(parsed("html", PAGE, select="main a", take="text")) == ["A", "about", "b.example"]


def test_a_table_on_a_page_has_columns_like_any_other() -> None:
    assert parsed("html", PAGE, column="Site", reference="Order") == [Entry("c.example", 2, reference="R-1")]
    assert sites(parsed("html", PAGE, column=1, take="href")) == ["http://c.example/f"]
    with pytest.raises(UnreadableFeedError, match="table: number 2 is not there: 1 tables were found"):
        parsed("html", PAGE, column=1, table=2)


def cell(inside: str, **options: Any) -> list[Entry | Rejected]:
    """Return what a table gives that has this in the site's cell of its second row."""
    page = f"<table><tr><th>The<br>site<th>Order</tr><tr><td>{inside}<td>R<br>1</tr></table>"
    return parsed("html", page, column="The site", reference="Order", **options)


@pytest.mark.parametrize(
    "inside",
    [
        "a.example<br>b.example",
        "a.example<br/><br />\n b.example<br>",
        "<p>a.example</p><p>b.example</p>",
        "<ul><li>a.example<li>b.example</ul>",
        "<div>a.example</div>b.example",
        "a.example<div><b>b.example</b></div>",
    ],
)
def test_names_on_lines_of_their_own_in_a_cell_are_names_of_their_own(inside: str) -> None:
    assert cell(inside) == [Entry("a.example", 2, reference="R 1"), Entry("b.example", 2, reference="R 1")]
    assert sites(cell(inside, values=" ")) == ["a.example", "b.example"]
    assert sites(cell(inside, values="\\n")) == ["a.example", "b.example"]


def test_lines_and_a_separator_both_end_a_value_in_a_cell() -> None:
    assert sites(cell("a.example, b.example<br>c.example", values=",")) == ["a.example", "b.example", "c.example"]
    assert sites(cell("http://a.example/x<br>https://b.example/")) == ["http://a.example/x", "https://b.example/"]


@pytest.mark.parametrize(
    "inside",
    [
        "http://a.example/<br>film/x",
        "http://a.example/<br>index.html",
        "a.example/<br>b.example",
        "a.example<br>and more",
    ],
)
def test_a_url_that_a_page_breaks_into_lines_is_neither_widened_nor_made_two(inside: str) -> None:
    (refused,) = cell(inside)
    assert isinstance(refused, Rejected)
    assert refused.code == "syntax"
    assert "set the option values to the separator" in refused.reason


def test_words_side_by_side_in_a_cell_stay_in_one_line() -> None:
    assert sites(cell("<b>a</b>\n <i>b</i>")) == ["a b"]


def test_a_page_without_what_is_looked_for_says_its_title() -> None:
    with pytest.raises(UnreadableFeedError, match=r"does not find a link on the page \(its title is 'Sign in'\)"):
        parsed("html", "<title>Sign in</title><form>", select="main a")
    with pytest.raises(UnreadableFeedError, match="is not a CSS selector"):
        parsed("html", PAGE, select="[[")


def test_items_of_a_news_feed_are_rows() -> None:
    assert parsed("rss", NEWS, reference="id") == [Entry("https://a.example/", 1, reference="R-1")]
    assert sites(parsed("rss", NEWS, column="title", values=",")) == ["a.example", "b.example"]
    atom = b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>c.example</title></entry></feed>'
    assert sites(parsed("atom", atom, column="title")) == ["c.example"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (NEWS[:-20], "not XML that can be read"),
        (PAGE, "not"),
        (LAUGHS + b"<rss version='2.0'><channel><item><title>&a8;</title></item></channel></rss>", "amplification"),
    ],
)
def test_a_news_feed_that_is_broken_or_hostile_is_not_half_read(body: bytes, said: str) -> None:
    with pytest.raises(UnreadableFeedError, match=said):
        parsed("rss", body, column="title")


OWN_PAGES = b"""<rss version="2.0"><channel><title>t</title><link>https://court.example/</link>
<item><title><![CDATA[Blocked: a.example]]></title><link>https://court.example/1</link><guid>R-1</guid>
<description><![CDATA[<p>Domains: a.example, <b>pirate</b>.example &amp; <del>legal.example</del>
https://c.example/film. Order: order.pdf</p>]]></description></item>
<item><title>d.example</title><link>https://www.court.example/2</link>
<description>&lt;a href="http://court.example/more"&gt;e.example&lt;/a&gt;, mail@court.example</description></item>
<item><title>Nothing new</title><link>https://court.example/3</link></item></channel></rss>"""


def test_a_news_feed_whose_links_are_the_publishers_own_pages_says_which_option_reads_the_sites() -> None:
    with pytest.raises(UnreadableFeedError, match=r"all 3 links .* lead to court\.example.* find=title,summary"):
        parsed("rss", OWN_PAGES)
    assert len(sites(parsed("rss", OWN_PAGES, column="link"))) == 3


def test_sites_are_found_in_titles_and_descriptions() -> None:
    items = parsed("rss", OWN_PAGES, find="title,summary", reference="id")
    assert [(item.position, item.site) for item in items if isinstance(item, Entry)] == [
        *((1, "a.example"), (1, "pirate.example"), (1, "https://c.example/film"), (2, "d.example"), (2, "e.example"))
    ]
    assert next(item.reference for item in items if isinstance(item, Entry)) == "R-1"
    assert [(item.position, item.code) for item in items if isinstance(item, Rejected)] == [(3, "empty")]


def test_tables_of_a_pdf_are_one_table_and_positions_name_the_page() -> None:
    pytest.importorskip("pdfplumber")
    first = making.grid([["Nr", "Site"], ["1", "a.example"]])
    second = making.grid([["Nr", "Site"], ["2", "b.example"], ["3", "c.example"]])
    items = parsed("pdf", making.pdf(first, second), column="Site", reference="Nr")
    assert items == [
        Entry("a.example", 10_002, reference="1"),
        Entry("b.example", 20_002, reference="2"),
        Entry("c.example", 20_003, reference="3"),
    ]


@pytest.mark.parametrize(
    ("lines", "site"),
    [
        (("http://www.filmes-on", "line.example/x"), "http://www.filmes-online.example/x"),
        (("pirate", ".example"), "pirate.example"),
        (("pirate.exam", "ple"), "pirate.example"),
        (("http://a.example/fil", "m.html"), "http://a.example/film.html"),
        (("a.example", "b.example"), "a.example\nb.example"),
        (("http://a.example/x", "http://b.example"), "http://a.example/x\nhttp://b.example"),
    ],
)
def test_a_broken_address_in_a_cell_is_mended_and_two_names_are_not_made_one(lines: tuple[str, str], site: str) -> None:
    pytest.importorskip("pdfplumber")
    drawn = making.grid([["Site"], [lines[0]]], height=30) + making.words(55, 645, lines[1])
    assert sites(parsed("pdf", making.pdf(drawn), column="Site")) == [site]


def test_text_of_a_pdf_is_read_by_lines_or_for_addresses() -> None:
    pytest.importorskip("pdfplumber")
    body = making.pdf(making.words(50, 700, "a.example") + making.words(50, 680, "see hxxp://b[.]example/x, no 12.5"))
    assert sites(parsed("pdf", body)) == ["a.example", "see hxxp://b[.]example/x, no 12.5"]
    assert sites(parsed("pdf", body, text="words")) == ["a.example", "hxxp://b[.]example/x"]


@pytest.mark.parametrize("body", [b"%PDF-1.4\nnothing", b"hello", making.pdf("x")[:60]])
def test_a_pdf_that_is_broken_fails_in_a_sentence(body: bytes) -> None:
    with pytest.raises(UnreadableFeedError, match="not a PDF"):
        parsed("pdf", body)


def test_a_pdf_without_the_extra_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UnreadableFeedError, match=r"pip install 'blocklist\[pdf\]'"):
        parsed("pdf", b"%PDF-1.4")


@pytest.mark.parametrize(
    ("format_", "options", "said"),
    [
        ("xlsx", {}, "format xlsx: column: is missing"),
        ("xlsx", {"column": 1, "header_row": 2, "skip_rows": 1}, "leave out skip_rows and header"),
        ("xlsx", {"column": 1, "delimiter": ";"}, "format xlsx: delimiter: is unknown; known: sheet, header_row"),
        ("html", {}, "the list on the page is not specified"),
        ("html", {"select": "a", "reference": 2}, "reference is only for a table"),
        ("pdf", {"where": "a=b"}, "where is only for a table"),
        ("rss", {"find": "title,text"}, "find: an item of a news feed has no 'text'"),
        ("rss", {"find": "title", "column": "link"}, "set one of the two"),
        ("rss", {"column": "site"}, "an item of a news feed has no 'site'; it has title, link"),
        ("auto", {"speed": 1}, "format auto: speed: is unknown; known: "),
        ("auto", {"sheet": 1, "delimiter": ";"}, "no format takes delimiter, sheet together"),
    ],
)
def test_options_are_held_against_the_format_when_they_are_given(
    format_: str, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError) as refused:
        format_of(format_, options)
    assert said in str(refused.value)


@pytest.mark.parametrize("kind", ["spreadsheet", "pdf", "html", "rss"])
def test_the_child_process_loads_neither_the_service_nor_its_libraries(kind: str) -> None:
    heavy = ("pydantic", "flask", "sqlite3", "sqlite_utils", "httpx", "structlog", "blocklist.text", "blocklist.config")
    program = (
        f"import sys, blocklist.formats.sandbox.__main__, blocklist.formats.sandbox.{kind}; "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_is_heavy_is_loaded_only_when_a_body_needs_it() -> None:
    heavy = ("python_calamine", "pdfplumber", "feedparser", "dns", "selectolax", "zstandard")
    program = f"import sys, blocklist.formats; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
