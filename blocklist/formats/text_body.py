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
#: A comment of several lines begins where a word does: the ``/*`` in ``pirate.example/*`` is a wildcard.
_OPENS_COMMENT = re.compile(r"(?:^|(?<=\s))(?:/\*|<!--)", re.MULTILINE)
#: The byte order mark, also in UTF-8 read as windows-1252.
_BYTE_ORDER_MARKS = ("\ufeff", "\u00ef\u00bb\u00bf")
#: The end of a file in DOS.
_END_OF_FILE = "\x1a"
#: A mail that was saved as it was sent: its header, or lines that it wrapped and signs that it escaped (RFC 2045, 6.7).
_MAIL_HEADER = re.compile(r"^content-transfer-encoding:[ \t]*(quoted-printable|base64)", re.IGNORECASE | re.MULTILINE)
_MAIL_HEADERS = 8_192
_WRAPPED_LINE = re.compile(r"^[^\n?]{40,75}=$", re.MULTILINE)
_ESCAPED_SIGN = re.compile(r"=(?:3D|2E|20|C[23])")


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
    body: BinaryIO, encoding: str, comments: tuple[str, ...] = _COMMENT_LINE, *, long_comments: bool = True
) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, stripped line) for each line that is not blank and does not begin with a comment sign.

    ``long_comments``: whether ``/* … */`` and ``<!-- … -->`` are comments too.

    :raises UnreadableFeedError: a line is longer than :data:`MAX_LINE`, a comment never ends, or the body is a mail.
    """
    chunks = _whole_lines(body, encoding)
    for number, text in _without_long_comments(chunks) if long_comments else chunks:
        yield from _significant_lines(text, number, comments)


def numbered_blocks(
    body: BinaryIO, encoding: str, block: re.Pattern[str], transform: Callable[[str], str] = str
) -> Iterator[LineBlock | tuple[int, str]]:
    """Yield the same as :func:`numbered_lines`, but lines that match ``block`` as one :class:`.LineBlock`.

    ``block`` matches several whole lines, each with one name and nothing else once ``transform`` was applied to them.

    :raises UnreadableFeedError: as :func:`numbered_lines`.
    """
    for first, text in _without_long_comments(_whole_lines(body, encoding)):
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
            if number == 1 and not rest:
                _refuse_mail(chunk)
            lines, newline, tail = chunk.rpartition("\n")
            if not newline:
                rest += chunk
                _check_length(rest, number)
                continue
            whole = f"{rest}{lines}\n"
            yield number, whole
            number += whole.count("\n")
            rest = tail
        yield number, rest.rstrip(_END_OF_FILE)


def _refuse_mail(beginning: str) -> None:
    header = _MAIL_HEADER.search(beginning[:_MAIL_HEADERS])
    wrapped = (
        "=\n" in beginning and len(_WRAPPED_LINE.findall(beginning)) > 1 and _ESCAPED_SIGN.search(beginning) is not None
    )
    if header or wrapped:
        coding = header[1].lower() if header else "quoted-printable"
        raise UnreadableFeedError(
            f"the body is a mail in {coding}, whose lines are cut and escaped: save the list from the mail as a file"
        )


def _without_long_comments(chunks: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield the chunks with ``/* … */`` and ``<!-- … -->`` left out, but for their line breaks.

    :raises UnreadableFeedError: such a comment never ends.
    """
    end, opened = "", 0
    for number, text in chunks:
        # Single characters are found many times faster than the signs themselves.
        if not end and "*" not in text and "<" not in text:
            yield number, text
            continue
        parts, at = [], 0
        while at < len(text):
            search = at
            if not end:
                match = _OPENS_COMMENT.search(text, at)
                if match is None:
                    break
                parts.append(text[at : match.start()])
                at, search = match.start(), match.end()
                end, opened = "*/" if match[0] == "/*" else "-->", number + text.count("\n", 0, at)
            closed = text.find(end, search)
            stop = len(text) if closed < 0 else closed + len(end)
            parts.append(" " + "\n" * text.count("\n", at, stop))
            at = stop
            if closed >= 0:
                end = ""
        yield number, "".join((*parts, text[at:]))
    if end:
        raise UnreadableFeedError(f"line {opened} opens a comment that never ends: {end} is missing")


def _significant_lines(text: str, first: int, comments: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), first):
        _check_length(line, number)
        line = line.strip()  # noqa: PLW2901
        if line.startswith(_BYTE_ORDER_MARKS):
            line = without_byte_order_mark(line)  # noqa: PLW2901
        if line and not line.startswith(comments) and line != "//":
            yield number, line


def without_byte_order_mark(line: str) -> str:
    """Return a line without byte order marks before it: lists that are joined have them in the middle."""
    while line.startswith(_BYTE_ORDER_MARKS):
        for mark in _BYTE_ORDER_MARKS:
            line = line.removeprefix(mark).strip()
    return line


def _check_length(line: str, number: int) -> None:
    if len(line) >= MAX_LINE:
        raise UnreadableFeedError(f"line {number} is longer than {MAX_LINE} characters: not a list of this format")
