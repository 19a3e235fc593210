"""Lists in JSON pages: all pages are fetched and joined into one body, or the fetch fails.

The body is one JSON list whose items are the pages, each byte for byte as it was fetched. It is the evidence, and the
format ``json`` reads it with ``rows = "item.…"``.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import ijson

from blocklist.definitions.source import Pagination
from blocklist.domain.errors import FetchError
from blocklist.fetch.body import Body, BodyWriter
from blocklist.fetch.http import FetchSession, Page, fetch_page, shown_address
from blocklist.fetch.links import resolve_link

#: Bytes. A page is read into memory, and pages are small.
_MAX_PAGE = 32 << 20
#: ijson keeps the whole path of each value, so a page of brackets would fill the memory.
_MAX_DEPTH = 100
_CHUNK = 4_096
_SCALARS = frozenset({"string", "number", "boolean", "null"})
#: One link of a ``Link`` header: its address, then its parameters (RFC 8288, section 3).
_LINK = re.compile(r"""<([^<>]*)>((?:\s*;\s*[\w!#$&+.^`|~*-]+\s*(?:=\s*(?:"(?:[^"\\]|\\.)*"|[^\s",;]*))?)*)""")
_REL = re.compile(r""";\s*rel\s*=\s*(?:"([^"]*)"|([^\s",;]*))""", re.IGNORECASE)


class _Content:
    """What the pagination needs of a page: whether it has rows, and the values of the fields ``field`` and ``more``."""

    def __init__(self, body: bytes, pagination: Pagination) -> None:
        self.has_rows = False
        self.values: dict[str, Any] = {}
        fields = {pagination.field, pagination.more} - {None}
        row = f"{pagination.rows}.item" if pagination.rows else "item"
        depth = 0
        try:
            for path, event, value in ijson.parse(io.BytesIO(body), use_float=True, buf_size=_CHUNK):
                if event in ("start_map", "start_array"):
                    depth += 1
                    if depth > _MAX_DEPTH:
                        raise FetchError(f"is nested deeper than {_MAX_DEPTH} levels: not a page of a list")
                elif event in ("end_map", "end_array"):
                    depth -= 1
                if path == row:
                    self.has_rows = True
                if path in fields and event in _SCALARS:
                    self.values[path] = value
        except (ijson.JSONError, UnicodeDecodeError):
            raise FetchError("is not JSON, or was cut off") from None


class _PageAddress:
    def __init__(self, url: str, pagination: Pagination) -> None:
        self._url = url
        self._pagination = pagination
        self._number = pagination.first
        self.current = self._with_parameter(str(self._number)) if pagination.kind == "page" else url

    def advance(self, content: _Content, page: Page) -> bool:
        """Go to the next page; return False after the last one."""
        following = self._following(content, page)
        if following is None or self._is_last(content):
            return False
        self.current = following
        return True

    def _following(self, content: _Content, page: Page) -> str | None:
        kind = self._pagination.kind
        if kind == "link":
            return _next_link(page)
        if kind == "page":
            if not content.has_rows:
                return None
            self._number += 1
            return self._with_parameter(str(self._number))
        value = content.values.get(self._pagination.field or "")
        if value in (None, "", False):
            return None
        return resolve_link(str(value), str(page.url)) if kind == "next" else self._with_parameter(str(value))

    def _is_last(self, content: _Content) -> bool:
        """Return whether the field ``more`` says that this is the last page."""
        if self._pagination.more is None:
            return False
        more = content.values.get(self._pagination.more)
        if isinstance(more, bool):
            return not more
        if isinstance(more, int | float) and self._pagination.kind == "page":
            return self._number > more
        raise FetchError(
            f"has no true or false{', or number of the last page,' if self._pagination.kind == 'page' else ''} "
            f"at {self._pagination.more!r} (source.pagination.more)"
        )

    def _with_parameter(self, value: str) -> str:
        return str(httpx.URL(self._url).copy_set_param(self._pagination.parameter or "", value))


def _next_link(page: Page) -> str | None:
    for header in page.headers.get_list("link"):
        for target, parameters in _LINK.findall(header):
            relations = " ".join("".join(found) for found in _REL.findall(parameters)[:1]).lower().split()
            if "next" in relations:
                return resolve_link(target, str(page.url))
    return None


def download_pages(
    session: FetchSession, url: str, into: Path, pagination: Pagination, progress: Callable[[int], None]
) -> Body:
    """Fetch every page of a list into one file.

    The body has no validators: an unchanged first page does not mean that the others are unchanged.

    :raises FetchError: a page cannot be fetched or read, the pages lead in a circle or are more than ``max_pages``.
    """
    with BodyWriter(into, session.settings.max_bytes) as writer:
        for number, body in enumerate(_pages(session, url, pagination)):
            writer.write(b",\n" if number else b"[\n")
            writer.write(body)
            progress(writer.size)
        writer.write(b"\n]\n")
    return writer.body("application/json", {})


def _pages(session: FetchSession, url: str, pagination: Pagination) -> Iterator[bytes]:
    address = _PageAddress(url, pagination)
    addresses: set[str] = set()
    hashes: dict[bytes, int] = {}  # to the page's number
    for number in range(1, pagination.max_pages + 1):
        addresses.add(address.current)
        where = f"page {number}: {shown_address(address.current)}"
        try:
            page = fetch_page(session, address.current, _MAX_PAGE)
        except FetchError as error:
            raise FetchError(f"page {number}: {error}; no page was used") from None
        try:
            content = _Content(page.body, pagination)
            more = address.advance(content, page)
        except FetchError as error:
            raise FetchError(f"{where}: {error}; no page was used") from None
        first = hashes.setdefault(hashlib.sha256(page.body).digest(), number)
        if content.has_rows and first != number:
            raise FetchError(f"{where}: is the same as page {first}: the pages lead in a circle; no page was used")
        yield page.body
        if not more:
            return
        if address.current in addresses:
            raise FetchError(f"{where}: leads to a page that was read already: a circle; no page was used")
    raise FetchError(
        f"{shown_address(url)}: more than {pagination.max_pages:,} pages (source.pagination.max_pages); "
        "no page was used"
    )
