"""``lines``: one host, URL or address per line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from blocklist.domain.listing import Entry, LineBlock, Rejected
from blocklist.formats.base import Format
from blocklist.formats.text_body import BARE_NAME, TextOptions, numbered_blocks, numbered_lines

_BLOCK = re.compile(rf"^(?>(?:{BARE_NAME}\n){{16,}})", re.MULTILINE)
_COMMENT = re.compile(r"\s(?:#|;|!|//).*$")
#: Bytes in which the numbers of a numbered list are looked for.
_HEAD = 65_536
_NUMBERED = re.compile(r"(\d{1,6})\.(.*)").fullmatch


def without_comment(line: str) -> str:
    """Return a line without its trailing comment, which begins after white space because URLs contain ``#`` too.

    >>> without_comment("pirate.example/#top   # found by court")
    'pirate.example/#top'
    """
    if " " in line or "\t" in line:
        return _COMMENT.sub("", line).rstrip()
    return line


def parse(body: BinaryIO, options: TextOptions) -> Iterator[Entry | Rejected]:
    """Yield one Entry per line; the numbered lines of a numbered list (``1.pirate.example``) are rejected."""
    numbered = _is_numbered(body, options)
    for number, line in numbered_lines(body, options.encoding):
        if numbered and _NUMBERED(line):
            reason = (
                f"{line[:80]!r} begins with the number of its row: the list is numbered, and the name is not certain"
            )
            yield Rejected(line[:200], number, "numbered", reason)
        else:
            yield Entry(without_comment(line), number)


def parse_blocks(body: BinaryIO, options: TextOptions) -> Iterator[Entry | Rejected | LineBlock]:
    """Yield the same as :func:`parse`, but consecutive lines of bare names as one LineBlock."""
    if _is_numbered(body, options):
        yield from parse(body, options)
        return
    for item in numbered_blocks(body, options.encoding, _BLOCK):
        if isinstance(item, LineBlock):
            yield item
        else:
            yield Entry(without_comment(item[1]), item[0])


def _is_numbered(body: BinaryIO, options: TextOptions) -> bool:
    """Return whether lines near the beginning are numbered 1, 2, 3 in front of different names.

    One such line alone, or several in front of the same name, are hosts.
    """
    position = body.tell()
    head = body.read(_HEAD).decode(options.encoding, "ignore")
    body.seek(position)
    rows = [(int(match[1]), match[2]) for line in head.splitlines() if (match := _NUMBERED(line.strip("\ufeff \t")))]
    return any(
        [number for number, _ in three] == [1, 2, 3] and len({name for _, name in three}) == 3
        for three in zip(rows, rows[1:], rows[2:], strict=False)
    )


FORMATS = (Format("lines", TextOptions, parse, line_based=True, parse_blocks=parse_blocks),)
