"""The guard ``encoding``: whether a body is text in the encoding in which it is to be read."""

from __future__ import annotations

import codecs
import re

from blocklist.domain.run import Effect
from blocklist.guards.guard import BodyCheck, BodyGuard, BodyType, Limits, Setting
from blocklist.guards.setting_types import Share

#: Characters beyond ASCII from which on it is no coincidence that a body decodes as UTF-8.
_MIN_UTF8_CHARACTERS = 4
_WORD_BEYOND_ASCII = re.compile(rb"[\x80-\xff]{2,}")

MAX_UNDECODABLE = Setting(
    "max_undecodable", Share, 0.1, "Share of lines that may hold bytes of another encoding before a run fails."
)


class _Encoding(BodyCheck):
    """Counts the lines that are not of the encoding, and finds out whether a body of single bytes would be UTF-8."""

    def __init__(self, body: BodyType, limits: Limits) -> None:
        super().__init__(body, limits)
        self._decode = codecs.getincrementaldecoder(body.encoding)("replace")
        self._as_utf8 = codecs.getincrementaldecoder("utf-8")("strict")
        self._single = body.encoding not in ("utf-8", "ascii") and not body.is_wide
        self._is_utf8 = True
        self._beyond_ascii = 0
        self._sample = b""
        self._lines = 0
        self._undecodable = 0
        self._has_bytes = False
        self._has_nul = False

    def block(self, block: bytes) -> None:
        self._has_bytes = True
        self._has_nul = self._has_nul or (self.body.is_wide and b"\0" in block)
        self._lines += block.count(b"\n")
        # ASCII needs no decoding; what the previous block left undecoded is one line at most.
        if block.isascii():
            return
        text = self._decode.decode(block)
        if "\ufffd" in text:
            self._undecodable += sum("\ufffd" in line for line in text.split("\n"))
            self._sample = self._sample or block[:65_536]
        if self._single and self._is_utf8:
            try:
                self._beyond_ascii += sum(ch > "\x7f" for ch in self._as_utf8.decode(block))
            except UnicodeDecodeError:
                self._is_utf8 = False

    def end(self) -> str | None:
        encoding = self.body.encoding
        if self.body.is_wide and self._has_bytes and not self._has_nul:
            return f"the body is not {encoding}: text in it would hold NUL bytes, this has none"
        lines, bad, most = max(self._lines, 1), self._undecodable, MAX_UNDECODABLE.of(self.limits)
        if bad > 1 and bad / lines > most:
            guess = _probable_encoding(self._sample)
            return (
                f"{bad:,} of {lines:,} lines ({bad / lines:.0%}) hold bytes that are not {encoding}; "
                f"this feed allows {most:.0%}; it looks like {guess}: set the option encoding={guess}"
            )
        if self._single and self._is_utf8 and self._beyond_ascii >= _MIN_UTF8_CHARACTERS:
            return (
                f"the body is utf-8 throughout ({self._beyond_ascii:,} letters beyond ASCII) and was to be read as "
                f"{encoding}, which would garble them: set the option encoding=utf-8"
            )
        return None


def _probable_encoding(sample: bytes) -> str:
    """Return a single-byte encoding: Cyrillic words consist of bytes beyond ASCII, Western ones have only a few."""
    beyond = sum(byte > 127 for byte in sample)
    in_words = sum(len(word) for word in _WORD_BEYOND_ASCII.findall(sample))
    return "windows-1251" if in_words > 0.8 * beyond else "windows-1252"


ENCODING = BodyGuard(
    "encoding",
    Effect.FAILS,
    "two or more lines, and more than this share, are not of the feed's encoding; or all of it is UTF-8 and was "
    "to be read as something else",
    MAX_UNDECODABLE,
    check=_Encoding,
)
