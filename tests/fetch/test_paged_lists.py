"""Lists that come in JSON pages: all of them, or nothing."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from blocklist.definitions.definition import FeedDefinition
from blocklist.definitions.source import Pagination
from blocklist.domain.listing import Entry
from blocklist.formats.registry import format_of
from tests.e2e.running import Publisher
from tests.fetch.asking import BEARER, Getting, answering, at, in_turn, site
from tests.support import definition

NEXT = {"kind": "next", "field": "links.next", "rows": "data"}
LINK = {"kind": "link", "rows": "data"}
NUMBER = {"kind": "page", "parameter": "p", "rows": "data"}
CURSOR = {"kind": "cursor", "parameter": "after", "field": "cursor", "rows": "data"}


def page(*hosts: str, **more: Any) -> bytes:
    return json.dumps({"data": [{"host": host} for host in hosts], **more}).encode()


def entries(get: Getting, url: str, pagination: dict[str, Any], **more: Any) -> list[tuple[str, int]]:
    """Return the entries of all pages with their positions, read by the format that the body is for."""
    body = get(url, source={"pagination": pagination}, **more)
    assert body is not None
    assert "etag" not in body.validators
    format_, options = format_of("json", {"rows": "item.data", "field": "host"})
    with body.path.open("rb") as opened:
        return [
            (item.raw or item.site, item.position) for item in format_.parse(opened, options) if type(item) is Entry
        ]


@pytest.mark.parametrize(
    ("pagination", "pages"),
    [
        (NEXT, {"/l": page("a", links={"next": "/l?2"}), "/l?2": page("b", "c", links={"next": None})}),
        (LINK, {"/l": answering(page("a"), Link='</x>; rel="prev", </l?2>; rel="next last"'), "/l?2": page("b", "c")}),
        (NUMBER, {"/l?p=1": page("a"), "/l?p=2": page("b", "c"), "/l?p=3": page()}),
        (NUMBER | {"first": 0, "more": "of"}, {"/l?p=0": page("a", of=1), "/l?p=1": page("b", "c", of=1)}),
        (CURSOR, {"/l": page("a", cursor="x/1"), "/l?after=x%2F1": page("b", "c", cursor="")}),
        (
            CURSOR | {"more": "more"},
            {"/l": page("a", cursor="1", more=True), "/l?after=1": page("b", "c", cursor="2", more=False)},
        ),
    ],
)
def test_every_page_arrives_in_one_body(
    court: Publisher, get: Getting, pagination: dict[str, Any], pages: dict[str, Any]
) -> None:
    asked = site(court, pages)
    assert entries(get, at(court, "/l"), pagination) == [("a", 1), ("b", 2), ("c", 3)]
    assert asked == list(pages)


def test_a_page_is_kept_byte_for_byte(court: Publisher, get: Getting) -> None:
    odd = b'{ "data" : [1.10, "\\u00e9"],\n "data2": 1e2 }'
    site(court, {"/l": odd})
    body = get(at(court, "/l"), source={"pagination": LINK})
    assert body is not None
    assert body.path.read_bytes() == b"[\n" + odd + b"\n]\n"


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (answering(b"", 404), "page 2: .*answered 404"),
        (answering(b"oops", 500), "page 2: .*answered 500"),
        (b'{"data": [', "page 2: .*is not JSON, or was cut off"),
        (b"<html>login</html>", "page 2: .*is not JSON"),
        (b'{"data":' + b"[" * 200, "page 2: .*nested deeper than 100"),
        (page("b", links={"next": "/l"}), "page 2: .*a circle"),
        (page("b", links={"next": "/l?2"}), "page 2: .*a circle"),
        (page("a", links={"next": "/l?2"}), "page 2: .*the same as page 1"),
        (page("b", links={"next": "file:///etc/passwd"}), "page 2: .*a link to file:"),
        (page("b", links={"next": "http://[::1/"}), "page 2: .*not an address"),
    ],
)
def test_a_page_that_fails_fails_them_all(court: Publisher, get: Getting, second: Any, said: str) -> None:
    site(court, {"/l": page("a", links={"next": "/l?2"}), "/l?2": second})
    reason = get.failing(at(court, "/l"), source={"pagination": NEXT})
    assert reason.endswith("no page was used")
    assert re.search(said, reason), reason


def test_a_page_that_breaks_once_is_asked_for_again_alone(court: Publisher, get: Getting) -> None:
    second = in_turn(answering(b"", 503), answering(page("b")))
    asked = site(court, {"/l": page("a", links={"next": "/l?2"}), "/l?2": second})
    assert len(entries(get, at(court, "/l"), NEXT)) == 2
    assert asked == ["/l", "/l?2", "/l?2"]


def test_a_publisher_that_ignores_the_number_is_found_out(court: Publisher, get: Getting) -> None:
    court.answer = answering(page("a"))
    assert "page 2: " in get.failing(at(court, "/l"), source={"pagination": NUMBER})


def test_pages_have_limits_together(court: Publisher, get: Getting) -> None:
    pages = {f"/l?p={number}": page(*(f"h{number}-{n}" for n in range(50))) for number in range(1, 30)}
    site(court, pages)
    assert "larger than 5,000 bytes" in get.failing(at(court, "/l"), source={"pagination": NUMBER}, max_bytes=5_000)
    said = get.failing(at(court, "/l"), source={"pagination": NUMBER | {"max_pages": 3}})
    assert "more than 3 pages (source.pagination.max_pages)" in said


def test_a_next_page_elsewhere_is_asked_without_the_secret(
    court: Publisher, other: Publisher, get: Getting, secret: str
) -> None:
    other.answer = answering(page("b"))
    court.answer = answering(page("a", links={"next": f"http://127.0.0.1:{other.port}/l"}))
    assert len(entries(get, at(court, "/l"), NEXT, credentials=BEARER)) == 2
    assert "Authorization" in court.requests[0]
    assert "Authorization" not in other.requests[0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "next"},
        {"kind": "link", "field": "x"},
        {"kind": "page"},
        {"kind": "cursor", "field": "x"},
        {"kind": "next", "field": "x", "parameter": "p"},
    ],
)
def test_a_pagination_that_could_not_work_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="is required with kind"):
        Pagination.model_validate(wrong)


def test_pages_need_rows_that_begin_with_the_page() -> None:
    def of(format_: str, **options: Any) -> FeedDefinition:
        source = {"url": "https://a.example/l", "pagination": NEXT}
        return definition(format=format_, source=source, options=options)

    assert of("json", rows="item.data", field="host").source.pagination
    for format_, options in (("json", {"rows": "data"}), ("ndjson", {}), ("lines", {})):
        with pytest.raises(ValueError, match="rows to a path that begins with item"):
            of(format_, **options)
