"""Web pages: links, or a table; read by selectolax (Lexbor, an HTML parser that agrees with browsers)."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from blocklist.formats.sandbox.errors import DocumentError

#: A page that stretches its cells over more columns than any list has.
_MAX_SPAN = 1_000
_DECLARED = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([a-zA-Z0-9_:.-]{1,40})", re.IGNORECASE)

#: Elements within a cell that stand on lines of their own.
_BLOCKS = frozenset({"p", "div", "li", "ul", "ol", "dl", "dt", "dd", "table", "tr", "td", "th", "pre", "blockquote"})
#: The encodings of browsers (WHATWG Encoding, 4.2) by Python's names; those with a number at the end are told by it.
_ENCODINGS = frozenset(
    {
        *("ascii", "big5", "big5hkscs", "cp866", "cp874", "euc_jp", "euc_kr", "gb18030", "gb2312", "gbk", "iso2022_jp"),
        *("mac-cyrillic", "mac-roman", "shift_jis", "utf-8"),
    }
)


def rows(file: BinaryIO, options: dict[str, Any]) -> Iterator[tuple[int, list[str]]]:
    """Yield the links that ``select`` finds, or the rows of a table, numbered from 1 as they stand on the page.

    :raises DocumentError: ``select`` finds nothing, or is no CSS selector.
    """
    page = LexborHTMLParser(_decoded(file.read(), options.get("encoding")))
    if options["table"]:
        yield from _table_rows(_found(page, options["select"] or "table", "a table"), options)
    else:
        for number, node in enumerate(_found(page, options["select"], "a link"), 1):
            yield number, [_value(node, options["take"])]


def _decoded(data: bytes, encoding: str | None) -> str:
    """Return the page as text: in the encoding given, else in that which it declares (HTML, section 13.2.3.2)."""
    if data.startswith(codecs.BOM_UTF8):
        return data[3:].decode("utf-8", "replace")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    declared = _DECLARED.search(data[:1024])
    return data.decode(encoding or _known(declared[1].decode("ascii") if declared else ""), "replace")


def _known(declared: str) -> str:
    """Return an encoding that a page declares if browsers know it, else ``utf-8``.

    Python knows more, such as UTF-7 and ``unicode_escape``: signs that no browser shows would become links.
    """
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
        said = f" (its title is {title.text(strip=True)[:80]!r})" if title else ""
        raise DocumentError(
            f"select: {selector!r} finds {what} nowhere on the page{said}: a login, an error, a new layout?"
        )
    return found


def _table_rows(found: list[LexborNode], options: dict[str, Any]) -> Iterator[tuple[int, list[str]]]:
    if options["number"] > len(found):
        raise DocumentError(f"table: the page has {len(found)} of them, not {options['number']}")
    table = found[options["number"] - 1]
    number = 0
    for row in table.css("tr"):
        # Rows of a table inside a cell belong to that one.
        if _table_of(row) != table.mem_id:
            continue
        number += 1
        yield number, _cells(row, options["take"])


def _table_of(node: LexborNode) -> int:
    parent = node.parent
    while parent is not None and parent.tag != "table":
        parent = parent.parent
    return parent.mem_id if parent is not None else 0


def _cells(row: LexborNode, take: str) -> list[str]:
    cells: list[str] = []
    for cell in row.iter():
        if cell.tag in ("td", "th"):
            span = cell.attributes.get("colspan") or "1"
            # A cell over several columns stands in the first: the others count, so that the next keep their numbers.
            cells += [
                _cell(cell, take),
                *[""] * (min(int(span), _MAX_SPAN) - 1 if span.isdigit() and span != "0" else 0),
            ]
    return cells


def _cell(cell: LexborNode, take: str) -> str:
    link = cell.css_first("a[href]") if take == "href" else None
    return _value(link, "href") if link else _shown(cell)


def _shown(cell: LexborNode) -> str:
    r"""Return the words of a cell with the lines that a browser breaks them into, a ``\n`` between."""
    lines: list[list[str]] = [[]]
    within = None
    for node in cell.traverse(include_text=True):
        if node.tag == "-text":
            block = _block_of(node, cell)
            if block != within:
                lines.append([])
                within = block
            lines[-1] += (node.text(deep=False) or "").split()
        elif node.tag == "br":
            lines.append([])
    return "\n".join(" ".join(words) for words in lines if words)


def _block_of(node: LexborNode, cell: LexborNode) -> int:
    """Return which element within a cell sets the lines of a text apart from others."""
    parent = node.parent
    while parent is not None and parent.mem_id != cell.mem_id and parent.tag not in _BLOCKS:
        parent = parent.parent
    return parent.mem_id if parent is not None else 0


def _value(node: LexborNode, take: str) -> str:
    if take == "text":
        return " ".join(node.text(separator=" ").split())
    return (node.attributes.get(take) or "").strip()
