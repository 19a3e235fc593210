"""Reading a body as lines of text: what every text format shares."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, BinaryIO

from pydantic import AfterValidator

from blocklist.domain.errors import UnreadableFeedError
from blocklist.domain.listing import LineBlock
from blocklist.formats.base import FormatOptions

#: The longest line, in characters. No host or URL comes near it: a longer line means that the body is something else.
MAX_LINE = 65_536
#: Characters read at a time.
_CHUNK = 1 << 18
#: A name that :func:`numbered_blocks` may keep together with others: no comment, no white space.
BARE_NAME = r"[a-z0-9._-]{1,255}+"
#: How a line begins that is a comment.
_COMMENT_LINE = ("#", "!", ";", "// ", "[Adblock")


def _known_encoding(name: str) -> str:
    try:
        known = codecs.lookup(name).name
        # Python also calls hex and idna codecs, but they are not text encodings: only those decode their own "a".
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
def as_text(body: BinaryIO, encoding: str, newline: str | None = None) -> Iterator[io.TextIOWrapper]:
    """Give a body as text without a byte order mark; the body itself is not closed.

    Bytes that are invalid in the encoding become U+FFFD: one bad byte spoils its row, not the whole list.
    """
    text = io.TextIOWrapper(
        body, encoding="utf-8-sig" if encoding == "utf-8" else encoding, errors="replace", newline=newline
    )
    try:
        yield text
    except UnicodeError as error:
        raise UnreadableFeedError(f"the body cannot be read as {encoding}: {error}") from None
    finally:
        # A generator that is abandoned midway is finalized after its body was closed; detach() would raise then.
        if not body.closed:
            text.detach()


def numbered_lines(
    body: BinaryIO, encoding: str, comments: tuple[str, ...] = _COMMENT_LINE
) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, stripped line) for each line that is not blank and does not begin with a comment sign.

    :raises UnreadableFeedError: a line is longer than :data:`MAX_LINE`.
    """
    for number, text in _whole_lines(body, encoding):
        yield from _significant_lines(text, number, comments)


def numbered_blocks(
    body: BinaryIO, encoding: str, block: re.Pattern[str], transform: Callable[[str], str] = str
) -> Iterator[LineBlock | tuple[int, str]]:
    """Yield the same as :func:`numbered_lines`, but lines that match ``block`` as one :class:`.LineBlock`.

    ``block`` matches several whole lines, each with one name and nothing else once ``transform`` was applied to them.

    :raises UnreadableFeedError: a line is longer than :data:`MAX_LINE`.
    """
    for first, text in _whole_lines(body, encoding):
        number, end = first, 0
        for match in block.finditer(text):
            if match.start() > end:
                between = text[end : match.start()]
                yield from _significant_lines(between, number, _COMMENT_LINE)
                number += between.count("\n")
            yield LineBlock(transform(match[0]), number)
            number += match[0].count("\n")
            end = match.end()
        yield from _significant_lines(text[end:], number, _COMMENT_LINE)


def _whole_lines(body: BinaryIO, encoding: str) -> Iterator[tuple[int, str]]:
    """Yield a body in chunks of whole lines: (number of the chunk's first line, chunk)."""
    number, rest = 1, ""
    with as_text(body, encoding) as text:
        while chunk := text.read(_CHUNK):
            lines, newline, tail = chunk.rpartition("\n")
            if not newline:
                rest += chunk
                _check_length(rest, number)
                continue
            whole = f"{rest}{lines}\n"
            yield number, whole
            number += whole.count("\n")
            rest = tail
        yield number, rest


def _significant_lines(text: str, first: int, comments: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), first):
        _check_length(line, number)
        line = line.strip()  # noqa: PLW2901
        if line and not line.startswith(comments) and line != "//":
            yield number, line


def _check_length(line: str, number: int) -> None:
    if len(line) >= MAX_LINE:
        raise UnreadableFeedError(f"line {number} is longer than {MAX_LINE} characters: not a list of this format")
