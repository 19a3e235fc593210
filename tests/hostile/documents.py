"""Hostile documents: pages, PDFs and news feeds."""

from __future__ import annotations

import zlib

from tests.formats.making import grid, pdf
from tests.hostile.cases import applied, failed, held, unchanged
from tests.hostile.good import SITES, good
from tests.hostile.served import Case
from tests.hostile.tables import ENTITIES
from tests.hostile.text import LOGIN


def page(*more: str, before: str = "") -> bytes:
    """Return the good page with these items appended to its list."""
    items = "".join(f'<li><a href="https://{site}/">{site}</a></li>\n' for site in SITES)
    return f"<!DOCTYPE html>{before}<title>Orders</title><main><ul>\n{items}{''.join(more)}</ul></main>".encode()


def news(*more: str, before: str = "", title: str = "{}") -> bytes:
    """Return the good news feed with these items appended."""
    items = "".join(f"<item><title>{title.format(site)}</title></item>" for site in SITES)
    body = f'<rss version="2.0"><channel><title>x</title>{items}{"".join(more)}</channel></rss>'
    return f'<?xml version="1.0"?>{before}{body}'.encode()


def link(address: str) -> str:
    return f'<li><a href="{address}">x</a></li>'


def item(title: str) -> str:
    return f"<item><title>{title}</title></item>"


def _pdf_bomb() -> bytes:
    """Return a PDF whose page expands to 96 megabytes."""
    packed = zlib.compress(b" " * 96_000_000, 9)
    whole = pdf("@")
    return whole.replace(
        b"<</Length 1>>\nstream\n@\n", b"<</Length %d/Filter/FlateDecode>>\nstream\n%b\n" % (len(packed), packed)
    )


TABLE = {"options": {"column": 1}}
WORDS = {"options": {"text": "words"}}

HTML: list[Case] = [
    failed("html", "a page that asks for a password", LOGIN, "a login, an error, a new layout?"),
    failed("html", "a page of another layout", page().replace(b"main", b"div"), "'main a' does not find a link"),
    failed("html", "a list in text", good("lines"), "does not find a link"),
    failed(
        "html",
        "a page whose links all lead to the publisher's own pages",
        page().replace(b"https:/", b""),
        "gives no rules",
    ),
    failed("html", "an open tag twenty thousand times", b"<div>" * 20_000, "does not find a link", expands=True),
    failed(
        "html",
        "an attribute of five megabytes",
        lambda: b'<a href="' + b"x" * 5_000_000,
        "does not find a link",
        expands=True,
    ),
    held(
        "html",
        "a table stretched over a billion columns, ten thousand times",
        lambda: (
            b"<table><tr><th>Site</th></tr>"
            + b'<tr><td colspan="1000000000">a.example</td></tr>' * 10_000
            + b"</table>"
        ),
        "remove 20 of 20",
        feed=TABLE,
        before=b"<table>" + b"".join(f"<tr><td>{s}</td></tr>".encode() for s in ["Site", *SITES]) + b"</table>",
        expands=True,
    ),
    applied(
        "html",
        "links that run scripts, write mail and hold data",
        page(
            link("javascript:location='//a.example'"),
            link("mailto:x@a.example"),
            link("data:text/html,a.example"),
            link("https://new.example/"),
        ),
        listed=("new.example",),
        spared=("a.example",),
        rejected={},
    ),
    applied(
        "html",
        "a base address that would make every link another site's",
        page(link("/order/1"), link("//new.example/"), before='<base href="https://youtube.com/">'),
        listed=("new.example",),
        spared=("youtube.com",),
        rejected={},
    ),
    applied(
        "html",
        "links within comments, scripts and templates",
        page(
            "<!--",
            link("https://a.example/"),
            "--><script>",
            link("https://b.example/"),
            "</script>",
            link("https://new.example/"),
        ),
        listed=("new.example",),
        spared=("a.example", "b.example"),
        rejected={},
    ),
    applied(
        "html",
        "an address that shows one site and leads to another",
        page('<li><a href="https://new.example/">youtube.com</a></li>'),
        listed=("new.example",),
        spared=("youtube.com",),
        rejected={},
    ),
    applied(
        "html",
        "a page that declares UTF-7 and holds its signs",
        page(
            link("https://new.example/"),
            "+ADw-a href+AD0AIg-https://a.example/+ACIAPg-",
            before='<meta charset="utf-7">',
        ),
        listed=("new.example",),
        spared=("a.example",),
        rejected={},
    ),
    held("html", "a page whose list ends where its server gave up", page()[:900], "remove"),
]

PDF: list[Case] = [
    failed(
        "pdf",
        "two names drawn in one place, whose letters would be shuffled",
        good("pdf").replace(b"255 665 Td (O-1)", b"057 665 Td (O-1)"),
        "draws letters over each other",
    ),
    failed("pdf", "a document cut off in the middle", good("pdf")[:900], "not a PDF that can be read"),
    failed(
        "pdf",
        "a document without its table of objects",
        good("pdf").replace(b"xref", b"xxxx"),
        "not a PDF that can be read",
    ),
    failed("pdf", "a page instead of the document", LOGIN, "not a PDF document"),
    unchanged(
        "pdf", "a document whose pages are their own parents", good("pdf").replace(b"/Kids[4 0 R]", b"/Kids[2 0 R]")
    ),
    unchanged(
        "pdf",
        "a document that says it has a billion pages, and whose tree has none",
        good("pdf").replace(b"/Kids[4 0 R]/Count 1", b"/Kids[]/Count 999999999"),
    ),
    failed("pdf", "a page that expands to 96 megabytes", _pdf_bomb, "", expands=True),
    failed("pdf", "a page of thirty thousand lines", lambda: pdf("0 0 m 9 9 l S\n" * 30_000), "memory", expands=True),
    failed(
        "pdf",
        "a document whose lock makes no sense",
        good("pdf").replace(
            b"/Root 1 0 R", b"/Root 1 0 R/Encrypt<</Filter/Standard/V 1/R 2/O(x)/U(x)/P 0>>/ID[(x)(x)]"
        ),
        "not a PDF that can be read",
    ),
    applied(
        "pdf",
        "a table in which a cell has two lines",
        pdf(grid([["Site", "Order"], *([s, "O-1"] for s in [*SITES, "new.example"])])),
        listed=("new.example",),
        rejected={},
    ),
]

NEWS: list[Case] = [
    failed(
        "rss",
        "entities that open to three billion characters",
        news(item("&l9;"), before=ENTITIES),
        "",
        expands=True,
    ),
    applied(
        "rss",
        "an entity that is a file of this machine",
        news(item("&f;"), item("new.example"), before=ENTITIES),
        listed=("new.example",),
        rejected={},
    ),
    failed("rss", "a feed cut off in the middle", news()[:-60], "not XML that can be read"),
    failed("rss", "a page instead of the feed", LOGIN, "not XML that can be read"),
    failed(
        "rss", "a feed without items", b'<rss version="2.0"><channel><title>x</title></channel></rss>', "it has no rows"
    ),
    failed(
        "rss",
        "elements within elements, a hundred thousand deep",
        lambda: news().removesuffix(b"</channel></rss>") + b"<x>" * 100_000,
        "not XML that can be read",
        expands=True,
    ),
    failed(
        "atom",
        "a feed of another kind, whose items are elsewhere",
        b'<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title></feed>',
        "it has no rows",
    ),
    failed("rss", "titles in words, not sites", news(title="Order of the court"), "all 20 rows were rejected"),
    applied(
        "rss",
        "markup and scripts within titles",
        news(item("&lt;b&gt;a.example&lt;/b&gt;"), item("<![CDATA[<script>b.example</script>]]>"), item("new.example")),
        listed=("new.example",),
        spared=("a.example", "b.example"),
    ),
    applied(
        "rss",
        "addresses of files and networks as names of a namespace",
        news(item("new.example")).replace(b"<rss", b'<rss xmlns:x="file:///etc/passwd" xmlns:y="http://127.0.0.1:1/"'),
        listed=("new.example",),
        rejected={},
    ),
]

CASES = [*HTML, *PDF, *NEWS]
