"""``lines``: one host, URL or address a line; and what every line-based format shares."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, BinaryIO

from pydantic import AfterValidator

from blocklist.errors import UnreadableFeedError
from blocklist.formats.options import FormatOptions
from blocklist.vocabulary import Entry, Rejected

#: Far above any host or URL, far below what would hurt: a longer line is not a row but a body of another kind.
MAX_LINE = 65_536
_COMMENT = re.compile(r"\s(?:#|;|!|//).*$")
_COMMENT_LINE = ("#", "!", ";", "// ", "[Adblock")


def _known_encoding(name: str) -> str:
    try:
        known = codecs.lookup(name).name
        # Codecs such as hex or idna are no encodings of text; what is one decodes the letter it encodes.
        if known in ("idna", "punycode") or "a".encode(known).decode(known, "replace") != "a":
            raise LookupError
        return known
    except (LookupError, ValueError, TypeError):
        raise ValueError(f"{name!r} is not an encoding: use utf-8, windows-1251 or another that Python knows") from None


Encoding = Annotated[str, AfterValidator(_known_encoding)]


class TextOptions(FormatOptions):
    """Options of a text format. ``encoding``: the body's character encoding."""

    encoding: Encoding = "utf-8"


@contextmanager
def text_of(body: BinaryIO, encoding: str, newline: str | None = None) -> Iterator[io.TextIOWrapper]:
    """Give a body as text without a byte order mark; the body stays open, since it is its opener's to close.

    Bytes that are not of the encoding become U+FFFD, so that one bad byte spoils its row and not the list.
    """
    text = io.TextIOWrapper(
        body, encoding="utf-8-sig" if encoding == "utf-8" else encoding, errors="replace", newline=newline
    )
    try:
        yield text
    finally:
        # A reader that was abandoned half-way ends after its body was closed: then there is nothing to let go of.
        if not body.closed:
            text.detach()


def numbered_lines(
    body: BinaryIO, encoding: str, comments: tuple[str, ...] = _COMMENT_LINE
) -> Iterator[tuple[int, str]]:
    """Yield each line that is neither blank nor a comment (begins with one of ``comments``), stripped, with its number.

    Lines count from 1.

    :raises UnreadableFeedError: a line is longer than :data:`MAX_LINE`.
    """
    number = 0
    with text_of(body, encoding) as text:
        while line := text.readline(MAX_LINE):
            number += 1
            if len(line) >= MAX_LINE and not line.endswith("\n"):
                raise UnreadableFeedError(
                    f"line {number} is longer than {MAX_LINE} characters: not a list of this format"
                )
            line = line.strip()
            if line and not line.startswith(comments) and line != "//":
                yield number, line


def without_comment(line: str) -> str:
    """Return a line without a trailing comment: a ``#`` counts only after white space, since URLs hold them too.

    >>> without_comment("pirate.example/#top   # found by court")
    'pirate.example/#top'
    """
    if " " in line or "\t" in line:
        return _COMMENT.sub("", line).rstrip()
    return line


def parse(body: BinaryIO, options: TextOptions) -> Iterator[Entry | Rejected]:
    """Yield one Entry a line."""
    for number, line in numbered_lines(body, options.encoding):
        yield Entry(without_comment(line), number)
