"""Compressed request bodies (RFC 9110, 8.4), unpacked block by block under a limit: a small one can be a bomb."""

from __future__ import annotations

import zlib
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Literal

from blocklist.lookup.limits import TooLargeError
from blocklist.lookup.query import is_true

Encoding = Literal["gzip", "deflate"]
#: What a request may be encoded with: the value of ``Accept-Encoding`` in the answer to any other one.
ACCEPTED = "gzip, deflate"
_NAMES: dict[str, Encoding] = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate"}
_GZIP_MAGIC = b"\x1f\x8b"
#: The most bytes that are unpacked at once, and the most gzip members in a body: programs write one, or a few.
_BLOCK, _MAX_MEMBERS = 1 << 16, 100


class UnsupportedEncodingError(ValueError):
    """A body has an encoding that is not supported."""


def content_encoding(value: str) -> Encoding | None:
    """Return the encoding that a header ``Content-Encoding`` states; None if the body is not encoded.

    >>> content_encoding("identity, X-GZIP")
    'gzip'

    :raises UnsupportedEncodingError: it is neither gzip nor deflate, or there are several.
    """
    names = [name for part in value.split(",") if (name := part.strip(" \t").lower()) not in ("", "identity")]
    if not names:
        return None
    if len(names) > 1 or names[0] not in _NAMES:
        raise UnsupportedEncodingError(
            f"the body is encoded with {', '.join(names)[:100]}: send it as it is, or encoded once with gzip or deflate"
        )
    return _NAMES[names[0]]


def unpacked_body(body: bytes, headers: Mapping[str, str], query: Mapping[str, str], max_bytes: int) -> bytes:
    """Return the body of a lookup; names of headers are in lower case.

    A page may send ``gzip=1`` in the query instead of the header, which would need a CORS preflight. Such a URL is
    often fixed, and browsers that cannot compress send the body as it is.

    :raises UnsupportedEncodingError: it has another encoding.
    :raises TooLargeError: it unpacks to more than ``max_bytes``.
    :raises ValueError: it is damaged, cut off, or something follows it.
    """
    encoding = content_encoding(headers["content-encoding"]) if "content-encoding" in headers else None
    if encoding is None and is_true(query, "gzip") and body.startswith(_GZIP_MAGIC):
        encoding = "gzip"
    if encoding is None or not body:
        return body
    unpacked = bytearray()
    for block in unpack(encoding, (body[start : start + _BLOCK] for start in range(0, len(body), _BLOCK))):
        unpacked += block
        if len(unpacked) > max_bytes:
            raise TooLargeError(f"the body is larger than {max_bytes:,} bytes after unpacking: send it in parts")
    return bytes(unpacked)


def unpack(encoding: Encoding, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the content of an encoded body in blocks of at most 64 KiB, none of them empty.

    ``deflate`` is the zlib format (RFC 1950), but some programs send plain deflate (RFC 1951): both are read. A gzip
    body may have several members (RFC 1952, 2.2).

    :raises ValueError: the body is damaged, cut off, or something follows it.
    """
    inflater, members, data = None, 0, b""
    for block in blocks:
        data += block
        while data:
            if inflater is None:
                if len(data) < len(_GZIP_MAGIC):
                    break
                members += 1
                inflater = _inflater(encoding, data, members)
            try:
                data = yield from _inflate(inflater, data)
            except zlib.error as error:
                raise ValueError(f"the body cannot be unpacked as {encoding}: {error}") from None
            if inflater.eof:
                inflater = None
    if inflater is not None or data or not members:
        raise ValueError(f"the body is cut off: its {encoding} content has no end")


def _inflate(inflater: zlib._Decompress, data: bytes) -> Generator[bytes, None, bytes]:
    """Yield what data unpacks to; return what follows the end of the stream."""
    while True:
        content = inflater.decompress(data, _BLOCK)
        if content:
            yield content
        if inflater.eof:
            return inflater.unused_data
        data = inflater.unconsumed_tail
        # A full block may be a part of what the input unpacks to, even if all of the input was read.
        if not data and len(content) < _BLOCK:
            return b""


def _inflater(encoding: Encoding, data: bytes, members: int) -> zlib._Decompress:
    if members > 1 and not (encoding == "gzip" and data.startswith(_GZIP_MAGIC)):
        raise ValueError(f"something follows the {encoding} content of the body")
    if members > _MAX_MEMBERS:
        raise ValueError(f"the body has more than {_MAX_MEMBERS} gzip members")
    if encoding == "gzip":
        return zlib.decompressobj(16 + zlib.MAX_WBITS)
    # RFC 1950, 2.2: method 8, a window of at most 32 KiB, and a check of both bytes.
    is_zlib = data[0] & 0x0F == 8 and data[0] >> 4 <= 7 and int.from_bytes(data[:2]) % 31 == 0
    return zlib.decompressobj(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)
