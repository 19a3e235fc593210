"""A list that comes in JSON pages: every page or nothing, joined into one body.

The body is one JSON list whose items are the pages, each as it came, byte for byte: evidence, and one file that the
format ``json`` reads with ``rows = "item.…"``.
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
from blocklist.fetch.http import Answer, Session, page, shown_address
from blocklist.fetch.links import absolute

#: A page is held in memory. Publishers that page do so to keep each small.
_MAX_PAGE = 32 << 20
#: ijson names each value by its whole path: a page of brackets would fill memory.
_MAX_DEPTH = 100
_READ = 4_096
_SCALARS = frozenset({"string", "number", "boolean", "null"})
#: One link of a ``Link`` header: its address, then its parameters (RFC 8288, section 3).
_LINK = re.compile(r"""<([^<>]*)>((?:\s*;\s*[\w!#$&+.^`|~*-]+\s*(?:=\s*(?:"(?:[^"\\]|\\.)*"|[^\s",;]*))?)*)""")
_REL = re.compile(r""";\s*rel\s*=\s*(?:"([^"]*)"|([^\s",;]*))""", re.IGNORECASE)


class _Seen:
    """What one page says of itself: whether it holds rows, and the values that lead on."""

    def __init__(self, body: bytes, pagination: Pagination) -> None:
        """Read a page through.

        :raises FetchError: it is not JSON, or nested too deeply.
        """
        self.has_rows = False
        self.values: dict[str, Any] = {}
        wanted = {pagination.field, pagination.more} - {None}
        row = f"{pagination.rows}.item" if pagination.rows else "item"
        depth = 0
        try:
            for where, event, value in ijson.parse(io.BytesIO(body), use_float=True, buf_size=_READ):
                if event in ("start_map", "start_array"):
                    depth += 1
                    if depth > _MAX_DEPTH:
                        raise FetchError(f"is nested deeper than {_MAX_DEPTH} levels: not a page of a list")
                elif event in ("end_map", "end_array"):
                    depth -= 1
                if where == row:
                    self.has_rows = True
                if where in wanted and event in _SCALARS:
                    self.values[where] = value
        except (ijson.JSONError, UnicodeDecodeError):
            raise FetchError("is not JSON, or was cut off") from None


class _Address:
    """The address of each page in turn."""

    def __init__(self, url: str, pagination: Pagination) -> None:
        self._url = url
        self._pagination = pagination
        self._number = pagination.first
        self.current = self._with(str(self._number)) if pagination.kind == "page" else url

    def advance(self, seen: _Seen, answer: Answer) -> bool:
        """Go to the page after one; False after the last.

        :raises FetchError: the page names a next one that is no address.
        """
        following = _NEXT[self._pagination.kind](self, seen, answer)
        if following is None or self._is_last(seen):
            return False
        self.current = following
        return True

    def by_link(self, _: _Seen, answer: Answer) -> str | None:
        for header in answer.headers.get_list("link"):
            for target, parameters in _LINK.findall(header):
                relations = " ".join("".join(found) for found in _REL.findall(parameters)[:1]).lower().split()
                if "next" in relations:
                    return absolute(target, str(answer.url))
        return None

    def by_field(self, seen: _Seen, answer: Answer) -> str | None:
        said = seen.values.get(self._pagination.field or "")
        return absolute(str(said), str(answer.url)) if said not in (None, "", False) else None

    def by_cursor(self, seen: _Seen, _: Answer) -> str | None:
        said = seen.values.get(self._pagination.field or "")
        return self._with(str(said)) if said not in (None, "", False) else None

    def by_number(self, seen: _Seen, _: Answer) -> str | None:
        if not seen.has_rows:
            return None
        self._number += 1
        return self._with(str(self._number))

    def _is_last(self, seen: _Seen) -> bool:
        """Return what the field ``more`` says: false, or the number of the last page."""
        if self._pagination.more is None:
            return False
        said = seen.values.get(self._pagination.more)
        if isinstance(said, bool):
            return not said
        if isinstance(said, int | float) and self._pagination.kind == "page":
            return self._number > said
        raise FetchError(
            f"has no true or false{', or number of the last page,' if self._pagination.kind == 'page' else ''} "
            f"at {self._pagination.more!r} (source.pagination.more)"
        )

    def _with(self, value: str) -> str:
        return str(httpx.URL(self._url).copy_set_param(self._pagination.parameter or "", value))


_NEXT: dict[str, Callable[[_Address, _Seen, Answer], str | None]] = {
    "link": _Address.by_link,
    "next": _Address.by_field,
    "cursor": _Address.by_cursor,
    "page": _Address.by_number,
}


def download_pages(
    session: Session,
    url: str,
    into: Path,
    pagination: Pagination,
    progress: Callable[[int], None],
) -> Body:
    """Bring every page of a list into one file.

    There are no validators: that the first page has not changed says nothing of the others.

    :raises FetchError: a page could not be had or read, they lead in a circle, or are more than ``max_pages``.
    """
    with BodyWriter(into, session.settings.max_bytes) as writer:
        for number, body in enumerate(_pages(session, url, pagination)):
            writer.write(b",\n" if number else b"[\n")
            writer.write(body)
            progress(writer.size)
        writer.write(b"\n]\n")
    return writer.body("application/json", {})


def _pages(session: Session, url: str, pagination: Pagination) -> Iterator[bytes]:
    address = _Address(url, pagination)
    addresses: set[str] = set()
    bodies: dict[bytes, int] = {}  # by hash: the pages themselves would fill memory
    for number in range(1, pagination.max_pages + 1):
        addresses.add(address.current)
        where = f"page {number}: {shown_address(address.current)}"
        try:
            body, answer = page(session, address.current, _MAX_PAGE)
        except FetchError as error:
            raise FetchError(f"page {number}: {error}; no page was used") from None
        try:
            seen = _Seen(body, pagination)
            more = address.advance(seen, answer)
        except FetchError as error:
            raise FetchError(f"{where}: {error}; no page was used") from None
        first = bodies.setdefault(hashlib.sha256(body).digest(), number)
        if seen.has_rows and first != number:
            raise FetchError(f"{where}: is the same as page {first}: the pages lead in a circle; no page was used")
        yield body
        if not more:
            return
        if address.current in addresses:
            raise FetchError(f"{where}: leads to a page that was read already: a circle; no page was used")
    raise FetchError(
        f"{shown_address(url)}: more than {pagination.max_pages:,} pages (source.pagination.max_pages); "
        "no page was used"
    )
