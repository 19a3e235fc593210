"""Hostile bodies in rows and fields: csv, json, ndjson and spreadsheets."""

from __future__ import annotations

import json
from typing import Any

from tests.formats.making import cell, ods, xlsx, zipped
from tests.hostile.cases import applied, failed, held
from tests.hostile.good import SITES, good, sheet
from tests.hostile.served import Case

_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
#: Entities that expand to three billion characters, and one that refers to a file of this machine.
ENTITIES = f'<!DOCTYPE x [<!ENTITY l0 "lol">{_LAUGHS}<!ENTITY f SYSTEM "file:///etc/passwd">]>'


def rows(*more: str, header: str = "Site;Order") -> bytes:
    """Return the good table with these lines appended."""
    return "\n".join([header, *(f"{site};O-1" for site in SITES), *more, ""]).encode()


def listing(*more: Any, **top: Any) -> bytes:
    """Return the good list as JSON with these rows appended."""
    return json.dumps({"rows": [*({"site": s, "order": f"O-{n}"} for n, s in enumerate(SITES)), *more]} | top).encode()


def book(*more: list[str], **files: Any) -> bytes:
    """Return the good list as a workbook with these rows appended."""
    return xlsx({"List": sheet([["Site", "Order"], *([site, "O-1"] for site in SITES), *more])}, **files)


NEW = {"site": "new.example"}
CSV: list[Case] = [
    failed(
        "csv",
        "a header that clears a terminal",
        rows(header="\x1b[2J\u202eSite;\x85Order"),
        "it has \\x1b[2J\\u202eSite",
    ),
    failed(
        "csv",
        "a header without the column",
        rows(header="Domain;Order"),
        "no column 'Site' in the header; it has Domain, Order",
    ),
    failed("csv", "a header in other letters", rows(header="SITE;ORDER"), "no column 'Site'"),
    failed("csv", "another delimiter", rows().replace(b";", b","), "no column 'Site'"),
    failed("csv", "a header and nothing below it", b"Site;Order\n", "it has no rows"),
    applied(
        "csv",
        "a line for a spreadsheet program before the header",
        b"sep=;\n" + rows("new.example;O-1"),
        listed=("new.example",),
        rejected={},
    ),
    failed(
        "csv",
        "a quote that is never closed",
        rows('"new.example;O-1', "a.example;O-2"),
        "opens a quote that is never closed",
    ),
    failed("csv", "a cell of two megabytes", lambda: rows(f'"{"a" * 2_000_000}";O-1'), "field larger than field limit"),
    failed(
        "csv",
        "columns that changed places under the same header",
        b"Site;Order\n" + b"".join(f"O-1;{site}\n".encode() for site in SITES),
        "all 20 rows were rejected",
    ),
    held("csv", "a last row that ends in its first column", rows("a.example;O-1") + b"b.exam", "may be cut off"),
    failed(
        "csv",
        "two columns of the same name",
        rows("new.example;O-1;a.example", header="Site;Order;Site"),
        "the columns 1 and 3 are both named 'Site'",
    ),
    applied(
        "csv",
        "a cell with a line break between two names",
        rows('"a.example\nb.example";O-1', "new.example;O-1"),
        listed=("new.example",),
        spared=("a.exampleb.example", "a.example", "b.example"),
        rejected={"unreadable": 1},
    ),
    applied(
        "csv",
        "formulas in the cells of addresses and orders",
        rows('"=HYPERLINK(""http://a.example"")";O-1', "new.example;=cmd|' /C calc'!A0"),
        listed=("new.example",),
        spared=("a.example",),
        rejected={"unreadable": 1},
    ),
    applied(
        "csv",
        "rows with too few and too many columns",
        rows("new.example", ";O-1", "a.example;O-1;b.example;c.example", ""),
        listed=("new.example", "a.example"),
        spared=("b.example", "c.example"),
        rejected={"empty": 1},
    ),
    applied(
        "csv",
        "white space and quotes round the names",
        rows('" new.example ";O-1', "'a.example';O-1", '"""b.example""";O-1'),
        listed=("new.example", "a.example", "b.example"),
        rejected={},
    ),
    applied(
        "csv",
        "an order of a megabyte",
        lambda: rows(f"new.example;{'x' * 1_000_000}"),
        listed=("new.example",),
        rejected={},
    ),
    failed(
        "csv",
        "the page that shows the table instead of the table",
        b"<html><table><tr><td>Site</td></tr></table></html>",
        "HTML or XML page",
    ),
]

JSON: list[Case] = [
    failed("json", "an object where the list should be", b'{"rows": {"site": "a.example"}}', "no list at 'rows'"),
    failed("json", "an error instead of the list", b'{"error": {"code": 429}}', "no list at 'rows'"),
    failed("json", "an empty list", b'{"rows": []}', "it has no rows"),
    failed("json", "a list cut off in the middle", good("json")[:-30], "not JSON that can be read"),
    failed("json", "a list with something behind its end", good("json") + b'{"rows": []}', "not JSON that can be read"),
    failed("json", "a comma too many, single quotes, a comment", b"{'rows': [,] /* x */}", "not JSON that can be read"),
    failed(
        "json",
        "brackets within brackets, a hundred thousand deep",
        b'{"rows": [' + b"[" * 100_000,
        "nested deeper than 100 levels",
    ),
    failed(
        "json",
        "objects within objects under long names",
        (b'{"' + b"k" * 1_000 + b'":') * 3_000,
        "nested deeper than 100 levels",
    ),
    failed("json", "UTF-16", good("json").decode().encode("utf-16"), "utf-16"),
    failed(
        "json", "half a surrogate pair within the list", b'{"rows": [{"site": "\\ud800.example"}]}', "gives no rules"
    ),
    failed("json", "a page instead of an API's answer", b"<!DOCTYPE html><html></html>", "HTML or XML page"),
    failed(
        "json",
        "the list twice, under the same name",
        good("json")[:-1] + b', "rows": [{"site": "new.example"}]}',
        "twice",
    ),
    failed(
        "json",
        "rows whose sites have another name",
        listing().replace(b'"site"', b'"domain"'),
        "all 20 rows were rejected",
    ),
    applied(
        "json",
        "a row that names its site twice",
        listing()[:-2] + b', {"site": "a.example", "site": "b.example"}, {"site": "new.example"}]}',
        listed=("new.example",),
        spared=("a.example", "b.example"),
        rejected={"repeated_member": 1},
    ),
    applied(
        "json",
        "sites that are numbers, null, truth, lists of lists and objects",
        listing(
            {"site": 16843009},
            {"site": None},
            {"site": True},
            {"site": [["a.example"], "new.example"]},
            {"site": {"site": "b.example"}},
            NEW,
        ),
        listed=("new.example",),
        spared=("1.1.1.1", "a.example", "b.example"),
        rejected={"empty": 5},
    ),
    applied(
        "json",
        "rows that are no objects",
        listing("a.example", 7, None, [], ["b.example"], NEW),
        listed=("new.example",),
        spared=("a.example", "b.example"),
        rejected={"empty": 5},
    ),
    failed(
        "json",
        "a number of a million digits beside a site",
        listing()[:-2] + b', {"site": "a.example", "n": ' + b"9" * 1_000_000 + b"}]}",
        "not JSON that can be read",
    ),
    applied(
        "json",
        "line breaks and tabs within the sites",
        listing({"site": "a.example\nb.example"}, {"site": "a.exam\tple"}, NEW),
        listed=("new.example",),
        spared=("a.exampleb.example", "a.example"),
        rejected={"unreadable": 2},
    ),
    applied(
        "json",
        "a site of five megabytes",
        lambda: listing({"site": "a.example/" + "a" * 5_000_000}, NEW),
        listed=("new.example",),
        rejected={"unreadable": 1},
        expands=True,
    ),
    applied(
        "json",
        "NUL characters within the sites",
        listing({"site": "a\0.example"}, {"site": "archive.org\0.example"}, NEW),
        listed=("new.example",),
        spared=("archive.org", "a.example"),
        rejected={"unreadable": 2},
    ),
    failed(
        "ndjson",
        "a page of JSON in which no line is a row",
        b'[\n{"site":\n"a.example"\n}\n]\n',
        "all 5 rows were rejected",
    ),
    applied(
        "ndjson",
        "lines that are no JSON, and nested beyond any stack",
        good("ndjson", "new.example")
        + b"{'site'\n"
        + b"[" * 60_000
        + b"\n"
        + b'{"site": "a.example"} {"site": "b.example"}\n',
        listed=("new.example",),
        spared=("a.example", "b.example"),
        rejected={"syntax": 3},
    ),
]


def _reaching(place: str) -> bytes:
    return xlsx({"List": f'<row r="1">{cell("A1", "Site")}</row><row r="1048576">{cell(place, "new.example")}</row>'})


def _nameless() -> bytes:
    """Return a workbook without one of its parts."""
    return zipped({"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook/>"})


_REPEATED = (
    '<table:table-row table:number-rows-repeated="100000"><table:table-cell table:number-columns-repeated="500" '
    'office:value-type="string"><text:p>a.example</text:p></table:table-cell></table:table-row>'
)

_SERVED = sheet([["Site", "Order"], *([site, "O-1"] for site in SITES)])
_LISTED = sheet([["Site", "Order"], *([site, "O-1"] for site in [*SITES, "new.example"])])

SHEETS: list[Case] = [
    failed(
        "xlsx",
        "a damaged tag between two cells, which a lenient reader makes one",
        xlsx({"List": _SERVED.replace("site-3.example</t></is>", "site-3.example</t>[/is>")}),
        "sheet1.xml is not XML that can be read",
    ),
    failed(
        "xlsx", "a workbook without the column", xlsx({"List": sheet([["Domain"], ["a.example"]])}), "no column 'Site'"
    ),
    failed("xlsx", "a list in text", good("csv"), "the body is not a spreadsheet"),
    failed("xlsx", "a zip that is no workbook", zipped({"list.csv": good("csv")}), "not a spreadsheet"),
    failed("xlsx", "a workbook of which parts are missing", _nameless(), "damaged"),
    failed("xlsx", "a workbook cut off in the middle", book()[:-200], "cannot be opened"),
    failed(
        "xlsx",
        "a sheet that opens to ninety-six megabytes of nothing",
        lambda: book(before=" " * 96_000_000),
        "opens to more than 8,388,608 bytes",
        expands=True,
    ),
    failed(
        "xlsx",
        "two cells in opposite corners, with seventeen billion empty ones between them",
        _reaching("XFD1048576"),
        "memory",
        expands=True,
    ),
    failed(
        "xlsx",
        "entities that open to three billion characters",
        book(["&l9;", "x"], before=ENTITIES),
        "damaged",
        expands=True,
    ),
    failed(
        "xlsx",
        "nothing but a hidden sheet",
        xlsx({"List": sheet([["Site"], ["a.example"]])}, hidden=("List",)),
        "no visible sheet",
    ),
    failed(
        "xls",
        "an old Office document of which only the beginning came",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        "damaged",
    ),
    failed(
        "xls",
        "an old Office document whose table of sectors leads in a circle",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + bytes(16)
        + b"\x3e\x00\x03\x00\xfe\xff\x09\x00\x06\x00"
        + bytes(10)
        + b"\x01\0\0\0" * 4
        + bytes(9_000),
        "damaged",
        expands=True,
    ),
    failed(
        "ods", "one cell that repeats itself fifty million times", ods([["Site"]], _REPEATED), "memory", expands=True
    ),
    applied(
        "xlsx",
        "a cell with a line break between two names, as spreadsheets have",
        book(["a.example\nb.example", "O-1"], ["new.example", "O-1"]),
        listed=("new.example",),
        spared=("a.exampleb.example", "a.example"),
        rejected={"unreadable": 1},
    ),
    applied(
        "xlsx",
        "a formula, of which the value counts",
        xlsx(
            {
                "List": _SERVED
                + '<row r="22"><c r="A22" t="str"><f>HYPERLINK("http://a.example")</f><v>new.example</v></c></row>'
            }
        ),
        listed=("new.example",),
        spared=("a.example",),
        rejected={},
    ),
    applied(
        "xlsx",
        "a hidden sheet before the list",
        xlsx({"Old": sheet([["Site"], ["a.example"]]), "List": _LISTED}, hidden=("Old",)),
        listed=("new.example",),
        spared=("a.example",),
        rejected={},
    ),
    applied(
        "xlsx",
        "numbers, dates, truths and errors where sites should be",
        xlsx(
            {
                "List": _LISTED
                + '<row r="40"><c r="A40"><v>16843009</v></c></row><row r="41"><c r="A41" t="b"><v>1</v></c></row>'
                + '<row r="42"><c r="A42" t="e"><v>#REF!</v></c></row><row r="43"><c r="A43"><v>1.5</v></c></row>'
            }
        ),
        listed=("new.example",),
        spared=("1.1.1.1", "1.0.0.5"),
    ),
]

CASES = [*CSV, *JSON, *SHEETS]
