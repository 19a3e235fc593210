"""The order of the bytes in a body of UTF-16 or UTF-32 without a byte order mark."""

from __future__ import annotations

import codecs
from typing import BinaryIO

from blocklist.domain.errors import UnreadableFeedError

#: Encodings that need a mark, with the bytes of a character and the marks.
_NEED_A_MARK = {
    "utf-16": (2, (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)),
    "utf-32": (4, (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)),
}
_HEAD = 4_096


def in_byte_order(body: BinaryIO, encoding: str) -> str:
    """Return the encoding to read a body in: that of the options, with the order of the bytes if no mark states it.

    Lists consist of addresses, so most characters are ASCII: the byte that is not NUL shows the order. The body is left
    at its beginning.

    :raises UnreadableFeedError: the order is not clear.
    """
    if encoding not in _NEED_A_MARK:
        return encoding
    size, marks = _NEED_A_MARK[encoding]
    body.seek(0)
    head = body.read(_HEAD)
    body.seek(0)
    if head.startswith(marks):
        return encoding
    if head and b"\0" not in head:
        raise UnreadableFeedError(f"the body is not {encoding}: text in it would hold NUL bytes, this has none")
    nul_first, nul_last = head[::size].count(0), head[size - 1 :: size].count(0)
    if head and nul_first == nul_last:
        raise UnreadableFeedError(
            f"the body has no byte order mark, and it is not clear how it is {encoding}: set the option encoding to "
            f"{encoding}-le or {encoding}-be"
        )
    return f"{encoding}-{'be' if nul_first > nul_last else 'le'}"
