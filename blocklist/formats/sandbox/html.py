"""Links or a table of a web page, read by selectolax (Lexbor, an HTML parser that agrees with browsers)."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from blocklist.formats.sandbox.html_table import table_grid
from blocklist.formats.sandbox.html_text import MARKS, mark_around, parent_of, visible_lines
from blocklist.formats.sandbox.protocol import NOT_READ, DocumentError

_DECLARED = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([a-zA-Z0-9_:.-]{1,40})", re.IGNORECASE)
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
    """Yield the rows of one table, or with ``number`` ``*`` of all tables that have the header of the first.

    Without a number the first table is read, and another one with the same header is mentioned in a row behind it.
    """
    chosen = options["number"]
    if isinstance(chosen, int) and chosen > len(found):
        raise DocumentError(f"table: number {chosen} is not there: {len(found)} tables were found on the page")
    number = 0
    first = found[chosen - 1 if isinstance(chosen, int) else 0]
    for number, cells in enumerate(table_grid(first, options["take"]), 1):
        yield number, cells
    if isinstance(chosen, int):
        return
    header = _header(first, options)
    for place, table in enumerate(found[1:], 2):
        is_nested = parent_of(table, {"table"}) != 0
        if is_nested or (not header and chosen is None) or _header(table, options) != header:
            continue
        if chosen is None:
            sentence = (
                f"table {place} on the page has the same header as the one that was read, and was not read: set "
                "the option table to * to read all of them, or to 1 for the first alone"
            )
            yield number + 1, [NOT_READ, sentence]
            return
        repeated = options["skip"] + 1 if options["header"] else 0
        for cells in islice(table_grid(table, options["take"]), repeated, None):
            number += 1
            yield number, cells


def _header(table: LexborNode, options: dict[str, Any]) -> list[str]:
    """Return the header of a table; empty if tables have none."""
    if not options["header"]:
        return []
    return next(islice(table_grid(table, "text"), options["skip"], None), [])


def _value(node: LexborNode, take: str) -> str:
    if take == "text":
        return " ".join(visible_lines(node))
    mark = mark_around(node)
    if not mark and next(node.iter(), None) is not None:
        # A link is struck through if all of its text is.
        lines = visible_lines(node)
        mark = lines[0][:1] if lines and all(line[:1] in MARKS for line in lines) else ""
    return mark + (node.attributes.get(take) or "").strip()
