"""``lines``: one host, URL or address a line; and what every line-based format shares."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, BinaryIO

from pydantic import AfterValidator

from blocklist.domain.errors import UnreadableFeedError
from blocklist.domain.listing import Entry, LineBlock, Rejected
from blocklist.formats.options import FormatOptions

#: Far above any host or URL, far below what would hurt: a longer line is not a row but a body of another kind.
MAX_LINE = 65_536
#: Characters read at a time.
_PIECE = 1 << 18
#: A name in lines that are read together: no comment, no white space, nothing that a reader would take off.
BARE_NAME = r"[a-z0-9._-]{1,255}+"
_BARE = re.compile(rf"^(?:{BARE_NAME}\n){{16,}}+", re.MULTILINE)
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
    for number, text in _whole_lines(body, encoding):
        yield from _kept(text, number, comments)


def runs_of_lines(
    body: BinaryIO, encoding: str, bare: re.Pattern[str], bring: Callable[[str], str] = str
) -> Iterator[LineBlock | tuple[int, str]]:
    """Yield what :func:`numbered_lines` does, but lines that match ``bare`` many together, as ``bring`` makes them.

    ``bare`` matches a number of whole lines from the beginning of one, each of one name and nothing else.

    :raises UnreadableFeedError: a line is longer than :data:`MAX_LINE`.
    """
    for first, text in _whole_lines(body, encoding):
        number, at = first, 0
        for run in bare.finditer(text):
            if run.start() > at:
                between = text[at : run.start()]
                yield from _kept(between, number, _COMMENT_LINE)
                number += between.count("\n")
            yield LineBlock(bring(run[0]), number)
            number += run[0].count("\n")
            at = run.end()
        yield from _kept(text[at:], number, _COMMENT_LINE)


def _whole_lines(body: BinaryIO, encoding: str) -> Iterator[tuple[int, str]]:
    """Yield a body in pieces of whole lines, each piece with the number of its first line."""
    number, rest = 1, ""
    with text_of(body, encoding) as text:
        while piece := text.read(_PIECE):
            lines, newline, tail = piece.rpartition("\n")
            if not newline:
                rest += piece
                _check_length(rest, number)
                continue
            whole = f"{rest}{lines}\n"
            yield number, whole
            number += whole.count("\n")
            rest = tail
        yield number, rest


def _kept(text: str, first: int, comments: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), first):
        _check_length(line, number)
        line = line.strip()  # noqa: PLW2901
        if line and not line.startswith(comments) and line != "//":
            yield number, line


def _check_length(line: str, number: int) -> None:
    if len(line) >= MAX_LINE:
        raise UnreadableFeedError(f"line {number} is longer than {MAX_LINE} characters: not a list of this format")


def without_comment(line: str) -> str:
    """Return a line without a trailing comment: a ``#`` counts only after white space, since URLs hold them too.

    >>> without_comment("pirate.example/#top   # found by court")
    'pirate.example/#top'
    """
    if " " in line or "\t" in line:
        return _COMMENT.sub("", line).rstrip()
    return line


def blocks(body: BinaryIO, options: TextOptions) -> Iterator[Entry | Rejected | LineBlock]:
    """Yield one Entry a line, but many lines together that hold nothing but letters, digits, dots and hyphens."""
    for item in runs_of_lines(body, options.encoding, _BARE):
        if isinstance(item, LineBlock):
            yield item
        else:
            yield Entry(without_comment(item[1]), item[0])


def parse(body: BinaryIO, options: TextOptions) -> Iterator[Entry | Rejected]:
    """Yield one Entry a line."""
    for number, line in numbered_lines(body, options.encoding):
        yield Entry(without_comment(line), number)
