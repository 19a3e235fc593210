"""A good list in every format: the same sites, as a publisher without faults would send them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from tests.formats.making import cell, grid, ods, pdf, xlsx

SITES = [f"site-{number}.example" for number in range(20)]
#: The site that only the next good list has.
NEXT = "next.example"

_ITEM = "<item><title>{}</title><link>https://court.example/order</link></item>"
_ENTRY = "<entry><title>{0}</title><id>urn:x:{0}</id><updated>2026-01-01T00:00:00Z</updated></entry>"
ZONE = "$TTL 60\n@ IN SOA localhost. root.localhost. 1 2 3 4 5\n  IN NS localhost.\n"


def _lines(pattern: str, before: str = "", after: str = "") -> Callable[[Sequence[str]], bytes]:
    return lambda sites: (before + "".join(pattern.format(site) for site in sites) + after).encode()


def _json(sites: Sequence[str]) -> bytes:
    return json.dumps({"rows": [{"site": site, "order": f"O-{n}"} for n, site in enumerate(sites)]}).encode()


def _xlsx(sites: Sequence[str]) -> bytes:
    rows = [["Site", "Order"], *([site, "O-1"] for site in sites)]
    return xlsx({"List": sheet(rows)})


def sheet(rows: Sequence[Sequence[str]]) -> str:
    """Return the XML of a sheet's rows."""
    return "".join(
        f'<row r="{number}">'
        + "".join(cell(f"{'AB'[column]}{number}", text) for column, text in enumerate(row))
        + "</row>"
        for number, row in enumerate(rows, 1)
    )


#: Each format with the options of its feed and the function that makes a body of sites.
FORMATS: dict[str, tuple[dict[str, Any], Callable[[Sequence[str]], bytes]]] = {
    "lines": ({}, _lines("{}\n", "# The court's list\n")),
    "hosts": ({}, _lines("0.0.0.0 {}\n", "# The court's list\n")),
    "adblock": ({}, _lines("||{}^\n", "[Adblock Plus]\n! The court's list\n")),
    "csv": ({"delimiter": ";", "column": "Site", "reference": "Order"}, _lines("{};O-1\n", "Site;Order\n")),
    "json": ({"rows": "rows", "field": "site", "reference": "order"}, _json),
    "ndjson": ({"field": "site"}, _lines('{{"site": "{}"}}\n')),
    "xlsx": ({"column": "Site", "reference": "Order"}, _xlsx),
    "xls": ({"column": "Site"}, _xlsx),
    "ods": ({"column": "Site"}, lambda sites: ods([["Site"], *([site] for site in sites)])),
    "html": (
        {"select": "main a"},
        _lines(
            '<li><a href="https://{0}/">{0}</a></li>\n',
            "<!DOCTYPE html><title>Orders</title><main><ul>\n",
            "</ul></main>\n",
        ),
    ),
    "pdf": ({"column": 1}, lambda sites: pdf(grid([["Site", "Order"], *([site, "O-1"] for site in sites)]))),
    "rss": (
        {"column": "title"},
        _lines(_ITEM, '<?xml version="1.0"?><rss version="2.0"><channel><title>x</title>', "</channel></rss>"),
    ),
    "atom": (
        {"column": "title"},
        _lines(_ENTRY, '<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title>', "</feed>"),
    ),
    "rpz": ({}, _lines("{} IN CNAME .\n", ZONE)),
    "auto": ({}, _lines("{}\n", "# The court's list\n")),
}


def good(format_: str, *more: str, sites: Sequence[str] = SITES) -> bytes:
    """Return a good list of a format, with these sites appended."""
    return FORMATS[format_][1]([*sites, *more])
