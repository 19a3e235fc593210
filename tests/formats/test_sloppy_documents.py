"""Spreadsheets and PDFs as sloppy publishers make them: merged cells, hidden rows, links, names broken over lines."""

from __future__ import annotations

import importlib.util

import pytest

from blocklist.domain.listing import Entry, Rejected
from tests.formats import making
from tests.support import parsed, sites

HEADER = making.row(1, "Order", "Site", "Status", "Day")
DAY, NUMBER = '<c r="@" s="1"><v>45898</v></c>', '<c r="@"><v>45898</v></c>'
STRUCK = '<c r="@" s="2" t="inlineStr"><is><t>legal.example</t></is></c>'
needs_pdf = pytest.mark.skipif(importlib.util.find_spec("pdfplumber") is None, reason="the extra pdf is not installed")


def sheet(*rows: str, more: str = "") -> str:
    return f"<sheetData>{HEADER}{''.join(rows)}</sheetData>{more}"


def codes(items: list[Entry | Rejected]) -> list[str]:
    return [item.code for item in items if isinstance(item, Rejected)]


MERGED = making.workbook(
    sheet(
        making.row(2, "O-1", "pirate-one.example", "Blocked", "2025-08-29"),
        making.row(3, "", "pirate-two.example"),
        making.row(4, "", "pirate-three.example"),
        making.row(6, "O-2", "legal.example", "Lifted", "2025-08-30"),
        more='<mergeCells><mergeCell ref="A2:A5"/><mergeCell ref="C2:C4"/><mergeCell ref="D2:D4"/></mergeCells>',
    )
)


def test_the_value_of_merged_cells_counts_in_each_of_their_rows() -> None:
    items = parsed("xlsx", MERGED, column="Site", reference="Order", published_at="Day", where="Status=Blocked")
    assert items == [
        Entry(f"pirate-{name}.example", number, reference="O-1", published_at="2025-08-29")
        for number, name in ((2, "one"), (3, "two"), (4, "three"))
    ]
    # Row 5 has nothing of its own.
    assert [item.position for item in parsed("xlsx", MERGED, column="Site")] == [2, 3, 4, 6]


def test_cells_that_are_formatted_as_dates_are_dates_and_others_are_numbers() -> None:
    book = making.workbook(
        sheet(making.row(2, "O-1", "a.example", "", DAY), making.row(3, "O-2", "b.example", "", NUMBER))
    )
    items = parsed("xlsx", book, column="Site", published_at="Day")
    assert [item.published_at for item in items if isinstance(item, Entry)] == ["2025-08-29", "45898"]


def test_hidden_and_struck_through_rows_of_a_sheet_are_rejected() -> None:
    run = '<c r="@" t="s"><v>1</v></c>'
    book = making.workbook(
        sheet(
            making.row(2, "O-1", "pirate-one.example"),
            making.row(3, "O-2", "legal.example", more=' hidden="1"'),
            making.row(4, "O-3", STRUCK),
            making.row(5, "O-4", run),
            making.row(6, STRUCK.replace("legal.example", "O-0"), "pirate-two.example"),
        ),
        strings="<si><t>x</t></si><si><r><rPr><strike/></rPr><t>legal-two.example</t></r></si>",
    )
    items = parsed("xlsx", book, column="Site", reference="Order")
    assert sites(items) == ["pirate-one.example", "pirate-two.example"]
    assert [(item.position, item.code) for item in items if isinstance(item, Rejected)] == [
        (3, "withdrawn"),
        (4, "withdrawn"),
        (5, "withdrawn"),
    ]
    assert len(sites(parsed("xlsx", book, column="Site", withdrawn="read"))) == 5


def test_hidden_struck_through_and_spanning_cells_of_an_open_document_count_the_same() -> None:
    office = "urn:oasis:names:tc:opendocument:xmlns"

    def cell(text: str, more: str = "") -> str:
        return f'<table:table-cell office:value-type="string" {more}><text:p>{text}</text:p></table:table-cell>'

    def row(*cells: str, more: str = "") -> str:
        return f"<table:table-row {more}>{''.join(cells)}</table:table-row>"

    rows = (
        row(cell("O-1", 'table:number-rows-spanned="2"'), cell("a.example"))
        + row("<table:covered-table-cell/>", cell("b.example"))
        + row(cell("O-2"), cell("legal.example"), more='table:visibility="filter" table:number-rows-repeated="2"')
        + row(cell("O-3"), cell("legal.example", 'table:style-name="ce1"'))
    )
    style = (
        f'<office:automatic-styles><style:style xmlns:style="{office}:style:1.0" style:name="ce1">'
        '<style:text-properties style:text-line-through-style="solid"/></style:style></office:automatic-styles>'
    )
    items = parsed("ods", making.ods([["Order", "Site"]], rows, style), column="Site", reference="Order")
    assert items[:2] == [Entry("a.example", 2, reference="O-1"), Entry("b.example", 3, reference="O-1")]
    assert [(item.position, item.code) for item in items[2:] if isinstance(item, Rejected)] == [
        (4, "withdrawn"),
        (5, "withdrawn"),
        (6, "withdrawn"),
    ]


LINKED = making.workbook(
    sheet(
        making.row(2, "O-1", "pirate-one.example"),
        making.row(3, "O-2", "Link"),
        making.row(4, "O-3", "pirate-three…"),
        making.row(5, "O-4", '<c r="@" t="str"><f>HYPERLINK("https://pirate-four.example/","open")</f><v>open</v></c>'),
        making.row(6, "O-5", "pirate-five.example"),
        more='<hyperlinks><hyperlink ref="B3:B4" r:id="rId1"/><hyperlink ref="B6" r:id="rId2"/>'
        '<hyperlink ref="A2" r:id="rId2"/></hyperlinks>',
    ),
    links=("https://pirate-two.example/", "https://registry.example/5"),
)


def test_the_label_of_a_link_is_no_site_and_the_option_take_reads_where_it_leads() -> None:
    items = parsed("xlsx", LINKED, column="Site", reference="Order")
    assert items[0] == Entry("pirate-one.example", 2, reference="O-1")
    assert (sites(items)[1:], codes(items)) == (["pirate-five.example"], ["link_text"] * 3)
    assert sites(parsed("xlsx", LINKED, column="Site", take="href")) == [
        "pirate-one.example",
        "https://pirate-two.example/",
        "https://pirate-two.example/",
        "https://pirate-four.example/",
        "https://registry.example/5",
    ]


def test_another_sheet_with_the_same_header_is_read_or_said() -> None:
    sheets = [sheet(making.row(2, "O-1", "a.example")), sheet(making.row(2, "O-2", "b.example"))]
    book = making.workbook(*sheets, "<sheetData/>", f"<sheetData>{making.row(1, 'Notes')}</sheetData>")
    items = parsed("xlsx", book, column="Site")
    assert (sites(items), codes(items)) == (["a.example"], ["not_read"])
    assert parsed("xlsx", book, column="Site", sheet="*") == [Entry("a.example", 2), Entry("b.example", 4)]
    assert parsed("xlsx", book, column="Site", sheet=1) == [Entry("a.example", 2)]
    assert codes(parsed("xlsx", book, column=2, header=False)) == []


def test_a_sheet_with_as_many_rows_as_old_programs_could_write_may_be_cut_off() -> None:
    full = making.workbook(sheet(making.row(65_536, "O-1", "a.example")))
    assert codes(parsed("xlsx", full, column="Site")) == ["not_read"]
    assert codes(parsed("xlsx", making.workbook(sheet(making.row(65_535, "O-1", "a.example"))), column="Site")) == []


TEXT = making.pdf(
    making.words(50, 700, "The following are blocked: www.long-name-of-a-pirate-")
    + making.words(
        50, 680, "legal.example and pirate-two.example, pirate-three.example-related, n.350/25, Annex_B.pdf;"
    )
    + making.words(50, 660, "https://pirate-four.example/films-")
)
TABLE = making.pdf(
    making.grid([["Order", "Site"], ["O-1", ""], ["O-2", "pirate-two.example"]], height=30)
    + making.words(255, 660, "pirate-na-")
    + making.words(255, 649, "me.example")
)


@needs_pdf
def test_a_name_that_a_pdf_breaks_at_a_hyphen_lists_no_other_site() -> None:
    items = parsed("pdf", TEXT, text="words")
    assert sites(items) == ["pirate-two.example"]
    assert codes(items) == ["hyphenated", "hyphenated", "hyphenated", "file_name", "hyphenated"]
    joined = "www.long-name-of-a-pirate-legal.example"
    assert sites(parsed("pdf", TEXT, text="words", hyphens="keep"))[0] == joined
    assert sites(parsed("pdf", TEXT, text="words", hyphens="drop"))[0] == joined.replace("pirate-", "pirate")


@needs_pdf
def test_lines_around_a_hyphen_at_the_end_of_a_line_are_rejected_unless_an_option_says_what_it_is() -> None:
    lines = making.pdf(
        making.words(50, 700, "www.pirate-")
        + making.words(50, 680, "one.example")
        + making.words(50, 660, "two.example")
    )
    items = parsed("pdf", lines)
    assert (sites(items), codes(items)) == (["two.example"], ["hyphenated", "hyphenated"])
    assert sites(parsed("pdf", lines, hyphens="keep")) == ["www.pirate-one.example", "two.example"]
    assert sites(parsed("pdf", lines, hyphens="drop")) == ["www.pirateone.example", "two.example"]


@needs_pdf
def test_a_cell_of_a_pdf_that_is_broken_at_a_hyphen_is_rejected_unless_an_option_says_what_it_is() -> None:
    items = parsed("pdf", TABLE, column="Site", reference="Order")
    assert (sites(items), codes(items)) == (["pirate-two.example"], ["hyphenated"])
    assert codes(parsed("pdf", TABLE, column="Site", values="\\n")) == ["hyphenated", "hyphenated"]
    assert sites(parsed("pdf", TABLE, column="Site", hyphens="keep"))[0] == "pirate-na-me.example"
    assert sites(parsed("pdf", TABLE, column="Site", hyphens="drop"))[0] == "pirate-name.example"
