"""Compressed bodies of requests other than lookups: unpacked while they are read, so each view keeps its own limit."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterator
from typing import IO, TYPE_CHECKING, Any

from flask import Flask, Response, request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge
from werkzeug.wsgi import get_input_stream

from blocklist.lookup.content_encoding import ACCEPTED, Encoding, UnsupportedEncodingError, content_encoding, unpack
from blocklist.lookup.http import problem
from blocklist.web.responses import respond

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BLOCK = 1 << 16


def install(app: Flask, except_for: Collection[str]) -> None:
    """Unpack bodies with ``Content-Encoding``, except at these paths, which do it themselves.

    Call it before any function that reads the body is registered.
    """

    @app.before_request
    def unpack_body() -> Response | None:
        environ = request.environ
        stated = environ.get("HTTP_CONTENT_ENCODING")
        has_body = environ.get("CONTENT_LENGTH", "0") not in ("", "0") or "HTTP_TRANSFER_ENCODING" in environ
        if stated is None or not has_body or request.path in except_for:
            return None
        try:
            encoding = content_encoding(stated)
        except UnsupportedEncodingError as error:
            response = respond(problem(415, str(error)))
            response.headers["Accept-Encoding"] = ACCEPTED
            return response
        if encoding is not None:
            packed = dict(environ)
            environ["wsgi.input"] = _UnpackedBody(encoding, lambda: _packed_body(packed))
            # As a body in chunks: its length is not known.
            environ["wsgi.input_terminated"] = True
            environ["HTTP_TRANSFER_ENCODING"] = "chunked"
            environ.pop("CONTENT_LENGTH", None)
            del environ["HTTP_CONTENT_ENCODING"]
        return None


def _packed_body(environ: dict[str, Any]) -> IO[bytes]:
    # The limit of the view, which is known when it reads: what is too large packed is too large unpacked.
    return get_input_stream(environ, max_content_length=request.max_content_length)


class _UnpackedBody(io.RawIOBase):
    """The content of a packed body, as a stream."""

    def __init__(self, encoding: Encoding, open_packed: Callable[[], IO[bytes]]) -> None:
        self._blocks = _within_limit(encoding, open_packed)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read the next bytes; 0 at the end."""
        view = memoryview(buffer).cast("B")
        if not self._rest:
            try:
                self._rest = next(self._blocks, b"")
            except ValueError as error:
                raise BadRequest(str(error)) from None
        size = min(len(view), len(self._rest))
        view[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def _within_limit(encoding: Encoding, open_packed: Callable[[], IO[bytes]]) -> Iterator[bytes]:
    """Yield the blocks of a body; :raises RequestEntityTooLarge: there are more bytes than the view reads."""
    packed, limit, size = open_packed(), request.max_content_length, 0
    for block in unpack(encoding, iter(lambda: packed.read(_BLOCK), b"")):
        size += len(block)
        # werkzeug stops at the limit without an error, as if the body ended there.
        if limit is not None and size >= limit:
            raise RequestEntityTooLarge
        yield block
