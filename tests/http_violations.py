"""Requests that break the rules of HTTP/1.1 (RFC 9112), for both planes: each must be refused.

A server that reads one of them as a request differs from some proxy in front of it about where the next request begins.
"""

from __future__ import annotations

#: A request that is whole, and after which the connection is closed.
WHOLE = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
_GET = b"GET /healthz HTTP/1.1\r\n"
_POST = b"POST /v1/lookup HTTP/1.1\r\nHost: x\r\n"
_CHUNKED = _POST + b"Transfer-Encoding: chunked\r\n\r\n"
_END = b"0\r\n\r\n"

VIOLATIONS: dict[str, bytes] = {
    "two equal lengths": _POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "two different lengths": _POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a list of lengths": _POST + b"Content-Length: 2, 2\r\n\r\n{}",
    "a length and chunks": _POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n" + _END,
    "chunks and a length": _POST + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n" + _END,
    "a length with a sign": _POST + b"Content-Length: +2\r\n\r\n{}",
    "a negative length": _POST + b"Content-Length: -2\r\n\r\n{}",
    "a length in hexadecimal": _POST + b"Content-Length: 0x2\r\n\r\n{}",
    "a length with a space within": _POST + b"Content-Length: 2 0\r\n\r\n{}",
    "another transfer encoding": _POST + b"Transfer-Encoding: gzip\r\n\r\n" + _END,
    "chunked is not the last encoding": _POST + b"Transfer-Encoding: chunked, identity\r\n\r\n" + _END,
    "an encoding like chunked": _POST + b"Transfer-Encoding: xchunked\r\n\r\n" + _END,
    "two transfer encodings": _POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + _END,
    "chunks in HTTP/1.0": b"POST /v1/lookup HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + _END,
    "a chunk size with 0x": _CHUNKED + b"0x13\r\n" + b"x" * 19 + b"\r\n" + _END,
    "a chunk size with a sign": _CHUNKED + b"+2\r\n{}\r\n" + _END,
    "a chunk size before a bare LF": _CHUNKED + b"2\n{}\r\n" + _END,
    "a chunk extension with a bare LF": _CHUNKED + b"2;a\nb\r\n{}\r\n" + _END,
    "a chunk size with a space": _CHUNKED + b"2 \r\n{}\r\n" + _END,
    "a chunk longer than its size": _CHUNKED + b"2\r\n{}x\r\n" + _END,
    "an empty chunk size": _CHUNKED + b"\r\n{}\r\n" + _END,
    "a folded header": _GET + b"Host: x\r\nA: b\r\n c\r\n\r\n",
    "a folded transfer encoding": _POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + _END,
    "only bare LF": b"GET /healthz HTTP/1.1\nHost: x\n\n",
    "a header after a bare LF": _GET + b"Host: x\nA: b\r\n\r\n",
    "a bare CR in a header": _GET + b"Host: x\r\nA: b\rc: d\r\n\r\n",
    "NUL in a value": _GET + b"Host: x\r\nA: b\0c\r\n\r\n",
    "NUL in a name": _GET + b"Host: x\r\nA\0: b\r\n\r\n",
    "NUL in the target": b"GET /he\0althz HTTP/1.1\r\nHost: x\r\n\r\n",
    "a space before the colon": _GET + b"Host: x\r\nA : b\r\n\r\n",
    "a length with a space before the colon": _POST + b"Content-Length : 2\r\n\r\n{}",
    "a space before the first header": _GET + b" Host: x\r\nHost: y\r\n\r\n",
    "a header without a name": _GET + b"Host: x\r\n: b\r\n\r\n",
    "a header without a colon": _GET + b"Host: x\r\nnothing\r\n\r\n",
    "no host": _GET + b"A: b\r\n\r\n",
    "two hosts": _GET + b"Host: x\r\nHost: y\r\n\r\n",
    "two equal hosts": _GET + b"Host: x\r\nHost: x\r\n\r\n",
    "a host with a space": _GET + b"Host: x y\r\n\r\n",
    "a host with a comma": _GET + b"Host: x,y\r\n\r\n",
    "a host with a path": _GET + b"Host: x/y\r\n\r\n",
    "a host with a user": _GET + b"Host: x@y\r\n\r\n",
    "a later HTTP version": b"GET /healthz HTTP/2.0\r\nHost: x\r\n\r\n",
    "a version that does not exist": b"GET /healthz HTTP/1.9\r\nHost: x\r\n\r\n",
    "no version": b"GET /healthz\r\n\r\n",
    "a version in small letters": b"GET /healthz http/1.1\r\nHost: x\r\n\r\n",
    "a method in small letters": b"get /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "a method that does not exist": b"FETCHALL /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "no HTTP at all": b"rubbish\r\n\r\n",
    "TLS on a port without it": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
}
