"""``lines``: one host, URL or address per line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from blocklist.domain.listing import Entry, LineBlock, Rejected
from blocklist.formats.base import Format
from blocklist.formats.text_body import BARE_NAME, TextOptions, numbered_blocks, numbered_lines

_BLOCK = re.compile(rf"^(?:{BARE_NAME}\n){{16,}}+", re.MULTILINE)
_COMMENT = re.compile(r"\s(?:#|;|!|//).*$")


def without_comment(line: str) -> str:
    """Return a line without its trailing comment, which begins after white space because URLs contain ``#`` too.

    >>> without_comment("pirate.example/#top   # found by court")
    'pirate.example/#top'
    """
    if " " in line or "\t" in line:
        return _COMMENT.sub("", line).rstrip()
    return line


def parse(body: BinaryIO, options: TextOptions) -> Iterator[Entry | Rejected]:
    """Yield one Entry per line."""
    for number, line in numbered_lines(body, options.encoding):
        yield Entry(without_comment(line), number)


def parse_blocks(body: BinaryIO, options: TextOptions) -> Iterator[Entry | Rejected | LineBlock]:
    """Yield one Entry per line, but consecutive lines of bare names as one LineBlock."""
    for item in numbered_blocks(body, options.encoding, _BLOCK):
        if isinstance(item, LineBlock):
            yield item
        else:
            yield Entry(without_comment(item[1]), item[0])


FORMATS = (Format("lines", TextOptions, parse, line_based=True, parse_blocks=parse_blocks),)
