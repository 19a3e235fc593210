"""Links or a table of a web page, read by selectolax (Lexbor, an HTML parser that agrees with browsers)."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Set
from typing import Any, BinaryIO

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from blocklist.formats.sandbox.protocol import DocumentError

#: The most columns that one cell may span; no list has more.
_MAX_SPAN = 1_000
_DECLARED = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([a-zA-Z0-9_:.-]{1,40})", re.IGNORECASE)
#: Elements in a cell that begin a new line.
_BLOCKS = frozenset({"p", "div", "li", "ul", "ol", "dl", "dt", "dd", "table", "tr", "td", "th", "pre", "blockquote"})
#: The encodings that browsers know (WHATWG Encoding, 4.2) by Python's names, without families such as ``cp125*``.
_ENCODINGS = frozenset(
    {
        *("ascii", "big5", "big5hkscs", "cp866", "cp874", "euc_jp", "euc_kr", "gb18030", "gb2312", "gbk", "iso2022_jp"),
        *("mac-cyrillic", "mac-roman", "shift_jis", "utf-8"),
    }
)


def rows(file: BinaryIO, options: dict[str, Any]) -> Iterator[tuple[int, list[str]]]:
    """Yield the links that ``select`` finds, or the rows of a table, numbered from 1 in the order of the page.

    :raises DocumentError: ``select`` finds nothing, or is not a CSS selector.
    """
    page = LexborHTMLParser(_decoded(file.read(), options.get("encoding")))
    if options["table"]:
        yield from _table_rows(_found(page, options["select"] or "table", "a table"), options)
    else:
        for number, node in enumerate(_found(page, options["select"], "a link"), 1):
            yield number, [_value(node, options["take"])]


def _decoded(data: bytes, encoding: str | None) -> str:
    """Return the page as text, in the given encoding, else in the one that it declares (HTML, section 13.2.3.2)."""
    if data.startswith(codecs.BOM_UTF8):
        return data[3:].decode("utf-8", "replace")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    declared = _DECLARED.search(data[:1024])
    return data.decode(encoding or _known(declared[1].decode("ascii") if declared else ""), "replace")


def _known(declared: str) -> str:
    """Return the declared encoding if browsers know it, else ``utf-8``: Python's others make links of any text."""
    try:
        name = codecs.lookup(declared).name
    except LookupError:
        return "utf-8"
    return name if name in _ENCODINGS or name.startswith(("iso8859-", "cp125", "koi8-")) else "utf-8"


def _found(page: LexborHTMLParser, selector: str, what: str) -> list[LexborNode]:
    try:
        found = page.css(selector)
    except (SelectolaxError, ValueError) as error:
        raise DocumentError(f"select: {selector!r} is not a CSS selector: {error}") from None
    if not found:
        title = page.css_first("title")
        titled = f" (its title is {title.text(strip=True)[:80]!r})" if title else ""
        raise DocumentError(
            f"select: {selector!r} does not find {what} on the page{titled}: is it a login, an error, a new layout?"
        )
    return found


def _table_rows(found: list[LexborNode], options: dict[str, Any]) -> Iterator[tuple[int, list[str]]]:
    if options["number"] > len(found):
        raise DocumentError(
            f"table: number {options['number']} is not there: {len(found)} tables were found on the page"
        )
    table = found[options["number"] - 1]
    # Without the rows of tables inside a cell.
    own = (row for row in table.css("tr") if _parent_of(row, {"table"}) == table.mem_id)
    for number, row in enumerate(own, 1):
        yield number, _cells(row, options["take"])


def _parent_of(node: LexborNode, tags: Set[str], within: int = 0) -> int:
    """Return the id of the innermost element around a node that has one of these tags or is ``within``; 0 for none."""
    parent = node.parent
    while parent is not None and parent.mem_id != within and parent.tag not in tags:
        parent = parent.parent
    return parent.mem_id if parent is not None else 0


def _cells(row: LexborNode, take: str) -> list[str]:
    cells: list[str] = []
    for cell in row.iter():
        if cell.tag in ("td", "th"):
            span = cell.attributes.get("colspan") or "1"
            # A cell that spans several columns fills the first; empty cells keep the numbers of those after it.
            columns = min(int(span), _MAX_SPAN) if span.isdigit() and span != "0" else 1
            cells += [_cell(cell, take), *[""] * (columns - 1)]
    return cells


def _cell(cell: LexborNode, take: str) -> str:
    link = cell.css_first("a[href]") if take == "href" else None
    return _value(link, "href") if link else _visible_lines(cell)


def _visible_lines(cell: LexborNode) -> str:
    r"""Return the text of a cell as the lines that a browser shows, joined by ``\n``."""
    lines: list[list[str]] = [[]]
    current = None
    for node in cell.traverse(include_text=True):
        if node.tag == "-text":
            block = _parent_of(node, _BLOCKS, cell.mem_id)
            if block != current:
                lines.append([])
                current = block
            lines[-1] += (node.text(deep=False) or "").split()
        elif node.tag == "br":
            lines.append([])
    return "\n".join(" ".join(words) for words in lines if words)


def _value(node: LexborNode, take: str) -> str:
    if take == "text":
        return " ".join(node.text(separator=" ").split())
    return (node.attributes.get(take) or "").strip()
