"""A look through a whole body before it is read: whether it is text of its encoding, and how it ends."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from blocklist.config.settings import GuardSettings
from blocklist.domain.errors import GuardError
from blocklist.refresh.stated_dates import HEAD, stated_date

_BLOCK = 1 << 20
#: Bytes at the end of a body that are looked at more closely.
TAIL = 65_536
#: Characters beyond ASCII from which on a body that decodes as UTF-8 is no accident.
_NO_ACCIDENT = 4
_BLOCK_LOOKED_AT = 65_536
_WORD_BEYOND_ASCII = re.compile(rb"[\x80-\xff]{2,}")
_WIDE = ("utf-16", "utf-32")


@dataclass(frozen=True, slots=True)
class BodyScan:
    """What a look through a body gave: whether its last line lacks a line break, and the date it states (or None).

    ``tail`` is its end, of at most :data:`TAIL` bytes; ``whole`` whether that is all of it.
    """

    ends_open: bool
    stated_date: str | None
    tail: bytes = field(default=b"", repr=False, compare=False)
    whole: bool = field(default=False, compare=False)


def look_through(body: BinaryIO, encoding: str, limits: GuardSettings, holds: str = "text") -> BodyScan:
    """Look through an open body and leave it at its beginning; of one that does not hold text there is nothing to see.

    :raises GuardError: it holds NUL bytes, or too much of it is not of the encoding.
    """
    wide = encoding.startswith(_WIDE)
    counted = _Undecodable(encoding)
    tail = head = b""
    size = 0
    nul = False
    for block in _blocks(body) if holds == "text" else ():
        nul = nul or b"\0" in block
        if nul and not wide and "binary" not in limits.off:
            raise GuardError(
                "binary", "the body holds NUL bytes: it is binary, or text in utf-16 (set encoding=utf-16)"
            )
        counted.add(block)
        size += len(block)
        head = head or block[:HEAD]
        tail = (tail + block)[-TAIL:]
    if "encoding" not in limits.off:
        if wide and size and not nul:
            raise GuardError("encoding", f"the body is not {encoding}: text in it would hold NUL bytes, this has none")
        counted.judge(limits.max_undecodable)
    body.seek(0)
    ends_open = size > 0 and not wide and tail[-1:] not in (b"\n", b"\r")
    return BodyScan(
        ends_open, stated_date(head.decode(encoding, "replace"), limits.stated_date), tail, size == len(tail)
    )


class _Undecodable:
    """Counts the lines of a body that are not of its encoding, and whether it would be UTF-8."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._decode = codecs.getincrementaldecoder(encoding)("replace")
        self._as_utf8 = codecs.getincrementaldecoder("utf-8")("strict")
        self._single = encoding not in ("utf-8", "ascii") and not encoding.startswith(_WIDE)
        self._is_utf8 = True
        self._beyond_ascii = 0
        self._sample = b""
        self.lines = 0
        self.bad = 0

    def add(self, block: bytes) -> None:
        """Count a block."""
        self.lines += block.count(b"\n")
        # Nothing in plain ASCII needs decoding; what the block before left unfinished is a line at most.
        if block.isascii():
            return
        text = self._decode.decode(block)
        if "\ufffd" in text:
            self.bad += sum("\ufffd" in line for line in text.split("\n"))
            self._sample = self._sample or block[:_BLOCK_LOOKED_AT]
        if self._single and self._is_utf8:
            try:
                self._beyond_ascii += sum(ch > "\x7f" for ch in self._as_utf8.decode(block))
            except UnicodeDecodeError:
                self._is_utf8 = False

    def judge(self, most: float) -> None:
        """Make sure that the body is of its encoding.

        :raises GuardError: too many lines are not, or all of it is UTF-8 and was to be read as something else.
        """
        lines = max(self.lines, 1)
        if self.bad > 1 and self.bad / lines > most:
            guess = _looks_like(self._sample)
            raise GuardError(
                "encoding",
                f"{self.bad:,} of {lines:,} lines ({self.bad / lines:.0%}) hold bytes that are not {self._encoding}; "
                f"this feed allows {most:.0%}; it looks like {guess}: set the option encoding={guess}",
            )
        if self._single and self._is_utf8 and self._beyond_ascii >= _NO_ACCIDENT:
            raise GuardError(
                "encoding",
                f"the body is utf-8 throughout ({self._beyond_ascii:,} letters beyond ASCII) and was to be read as "
                f"{self._encoding}, which would garble them: set the option encoding=utf-8",
            )


def _looks_like(sample: bytes) -> str:
    """Guess a single-byte encoding: Cyrillic words lie beyond ASCII throughout, of Western ones only some letters."""
    beyond = sum(byte > 127 for byte in sample)
    in_words = sum(len(word) for word in _WORD_BEYOND_ASCII.findall(sample))
    return "windows-1251" if in_words > 0.8 * beyond else "windows-1252"


def _blocks(body: BinaryIO) -> Iterator[bytes]:
    while block := body.read(_BLOCK):
        yield block
