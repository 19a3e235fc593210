"""What all pages have in common: the frame, what it offers to whom, messages after a redirect, errors as pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlencode

import structlog
from flask import Blueprint, Response, make_response, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from blocklist.domain.access import Role
from blocklist.domain.errors import BlocklistError
from blocklist.service import Service
from blocklist.web.pages.template_filters import FILTERS
from blocklist.web.responses import see_other

_LOG = structlog.get_logger("blocklist.web")
#: Rows of a list on one page.
PAGE = 50
_COOKIE = "blocklist_said"
_LONGEST_MESSAGE = 1_000


@dataclass(frozen=True, slots=True)
class Place:
    """A page that the frame leads to, and the role it needs."""

    endpoint: str
    title: str
    needs: Role = Role.VIEWER


PLACES = (
    Place("admin.overview", "Overview"),
    Place("admin.feeds", "Feeds"),
    Place("admin.review", "Review"),
    Place("admin.lookup", "Lookup"),
    Place("admin.overrides", "Overrides"),
    Place("admin.audit", "Audit"),
    Place("admin.people", "Access", Role.ADMIN),
    Place("admin.settings", "Settings", Role.ADMIN),
)


class Page:
    """One page of a long list: at most so many rows, and where the others are.

    ``number`` counts from 1, ``total`` is how many rows there are in all.
    """

    def __init__(self, total: int, size: int = PAGE) -> None:
        """Read from the request which page is asked for; one beyond the last is the last."""
        self.total, self.size = total, size
        self.last = max(1, -(-total // size))
        self.number = min(self.last, max(1, number_from("page") or 1))

    @property
    def offset(self) -> int:
        """How many rows come before this page."""
        return (self.number - 1) * self.size

    @property
    def first_row(self) -> int:
        """The number of the first row shown, from 1."""
        return min(self.total, self.offset + 1)

    @property
    def last_row(self) -> int:
        """The number of the last row shown."""
        return min(self.total, self.offset + self.size)

    def address(self, number: int) -> str:
        """Return the address of another page of the same list."""
        return address_with(page=str(number))


def number_from(name: str) -> int | None:
    """Return a number that the address of a page holds; None where it holds none that the database could."""
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def address_with(**changed: str) -> str:
    """Return the address of this page with some of its parameters changed."""
    query = {**request.args.to_dict(), **changed}
    return f"{request.path}?{urlencode({name: value for name, value in query.items() if value})}"


class Form:
    """What a person filled in, and what is wrong with it, field by field."""

    def __init__(self, values: MultiDict[str, str] | dict[str, str] | None = None) -> None:
        self._values = values or {}
        self.problems: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        return (self._values.get(name) or "").strip()

    def lines(self, name: str) -> list[str]:
        """Return the lines of a field as they were typed, white space at their ends included."""
        return [line for line in (self._values.get(name) or "").splitlines() if line.strip()]

    def items(self) -> Iterator[tuple[str, str]]:
        """Yield the fields that are filled in."""
        return ((name, value) for name, value in self._values.items() if value)

    def require(self, name: str, problem: str) -> str:
        """Return a field, which must not be empty: else say so beside it."""
        if not self[name]:
            self.problems[name] = problem
        return self[name]


def done(message: str, endpoint: str, **values: Any) -> Response:
    """Lead to another page with GET, which says what was done."""
    response = see_other(url_for(f"admin.{endpoint}", **values))
    response.set_cookie(
        _COOKIE,
        quote(message[:_LONGEST_MESSAGE]),
        max_age=60,
        path=url_for("admin.overview"),
        secure=request.is_secure,
        httponly=True,
        samesite="Strict",
    )
    return response


def dress(pages: Blueprint, service: Service) -> None:
    """Give the pages their filters, what the frame shows, errors as pages, and messages that are read once."""
    for name, filter_ in FILTERS.items():
        pages.add_app_template_filter(filter_, name)
    pages.add_app_template_global(address_with)

    @pages.app_context_processor
    def frame() -> dict[str, Any]:
        return {
            "places": PLACES,
            "to_review": lambda: to_review(service),
            "said": unquote(request.cookies.get(_COOKIE, "")),
        }

    @pages.after_request
    def forget(response: Response) -> Response:
        if _COOKIE in request.cookies and response.status_code == 200 and "Set-Cookie" not in response.headers:
            response.delete_cookie(_COOKIE, path=url_for("admin.overview"))
        return response

    @pages.errorhandler(BlocklistError)
    def told(error: BlocklistError) -> Response:
        return error_page(error.http_status, str(error))

    @pages.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        return error_page(error.code or 500, error.description or error.name)

    @pages.errorhandler(Exception)
    def broken(_: Exception) -> Response:
        _LOG.exception("page broke", path=request.path)
        return error_page(500, "a fault of the service; its log tells more")


def to_review(service: Service) -> int:
    """Return how many runs, entries and overrides wait for a person."""
    return len(service.runs.pending()) + sum(service.holds.waiting().values()) + service.overrides.waiting()


def error_page(status: int, sentence: str) -> Response:
    """Return a page that says what is wrong."""
    return make_response(render_template("error.html", status=status, sentence=sentence), status)
