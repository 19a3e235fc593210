"""What all pages share: navigation, forms, pagination, messages after a redirect, and error pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlencode

from flask import Blueprint, Response, make_response, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from blocklist.domain.access import Role
from blocklist.domain.clock import parse_time
from blocklist.domain.errors import BlocklistError
from blocklist.service import Service
from blocklist.web.pages.template_filters import FILTERS
from blocklist.web.responses import see_other

#: Rows per page.
PAGE_SIZE = 50
_COOKIE = "blocklist_message"
_MAX_MESSAGE = 1_000


class NavItem(NamedTuple):
    """A link in the navigation, and the role that its page needs."""

    endpoint: str
    title: str
    needs: Role = Role.VIEWER


NAV_ITEMS = (
    NavItem("admin.overview", "Overview"),
    NavItem("admin.feeds", "Feeds"),
    NavItem("admin.review", "Review"),
    NavItem("admin.lookup", "Lookup"),
    NavItem("admin.overrides", "Overrides"),
    NavItem("admin.audit", "Audit"),
    NavItem("admin.people", "Access", Role.ADMIN),
    NavItem("admin.settings", "Settings", Role.ADMIN),
)


class Page:
    """One page of a list. ``number`` counts from 1, ``total`` is the number of rows of the whole list."""

    def __init__(self, total: int, size: int = PAGE_SIZE) -> None:
        """Read the page number from the request; a number after the last page means the last page."""
        self.total, self.size = total, size
        self.last = max(1, -(-total // size))
        self.number = min(self.last, max(1, query_number("page") or 1))

    @property
    def offset(self) -> int:
        """The number of rows before this page."""
        return (self.number - 1) * self.size

    @property
    def first_row(self) -> int:
        """The number of the first row on this page; 1 is the first row of the list."""
        return min(self.total, self.offset + 1)

    @property
    def last_row(self) -> int:
        """The number of the last row on this page."""
        return min(self.total, self.offset + self.size)


def query_number(name: str) -> int | None:
    """Return a number from the query string; None if it is missing, not a number, or too large for the database."""
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def url_with(**changed: str | int) -> str:
    """Return the address of the current page with changed query parameters."""
    query = {**request.args.to_dict(), **changed}
    return f"{request.path}?{urlencode({name: value for name, value in query.items() if value})}"


class Form:
    """The values of a form, and its ``problems``: a sentence by field name, "" for the whole form."""

    def __init__(self, values: MultiDict[str, str] | dict[str, str] | None = None) -> None:
        self._values = values or {}
        self.problems: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        return (self._values.get(name) or "").strip()

    def as_sent(self, name: str) -> str:
        """Return a field with all its white space."""
        return self._values.get(name) or ""

    def lines(self, name: str) -> list[str]:
        """Return the lines of a field that are not blank, with their white space."""
        return [line for line in (self._values.get(name) or "").splitlines() if line.strip()]

    def items(self) -> Iterator[tuple[str, str]]:
        """Yield the names and values of the fields that are not empty."""
        return ((name, value) for name, value in self._values.items() if value)

    def require(self, name: str, problem: str) -> str:
        """Return a field; add the problem if it is empty."""
        if not self[name]:
            self.problems[name] = problem
        return self[name]

    def require_one_of(self, name: str, choices: type[StrEnum], problem: str) -> None:
        """Add the problem if a field is not one of the choices."""
        if self[name] not in tuple(choices):
            self.problems[name] = problem

    def time(self, name: str) -> str | None:
        """Return the time in a field, RFC 3339 in UTC; None if it is empty, or not a time, which adds a problem."""
        try:
            return parse_time(self[name]) if self[name] else None
        except ValueError as error:
            self.problems[name] = str(error)
            return None

    @contextmanager
    def problem_at(self, name: str = "", kind: type[BlocklistError] = BlocklistError) -> Iterator[None]:
        """Turn an error of this kind in the ``with`` block into a problem of a field, or of the whole form."""
        try:
            yield
        except kind as error:
            self.problems[name] = str(error)


def success(message: str, endpoint: str, **values: Any) -> Response:
    """Redirect to another page, which shows the message once."""
    response = see_other(url_for(f"admin.{endpoint}", **values))
    response.set_cookie(
        _COOKIE,
        quote(message[:_MAX_MESSAGE]),
        max_age=60,
        path=url_for("admin.overview"),
        secure=request.is_secure,
        httponly=True,
        samesite="Strict",
    )
    return response


def install(pages: Blueprint, service: Service) -> None:
    """Add the template filters, the variables of the base template, and messages after a redirect."""
    for filter_ in FILTERS:
        pages.add_app_template_filter(filter_)
    pages.add_app_template_global(url_with)

    @pages.app_context_processor
    def base_variables() -> dict[str, Any]:
        return {
            "nav_items": NAV_ITEMS,
            "review_count": lambda: review_count(service),
            "message": unquote(request.cookies.get(_COOKIE, "")),
        }

    @pages.after_request
    def delete_message(response: Response) -> Response:
        if _COOKIE in request.cookies and response.status_code == 200 and "Set-Cookie" not in response.headers:
            response.delete_cookie(_COOKIE, path=url_for("admin.overview"))
        return response


def review_count(service: Service) -> int:
    """Return the number of runs, entries and overrides that wait for a decision."""
    return len(service.runs.pending()) + sum(service.holds.waiting().values()) + service.overrides.waiting()


def error_page(status: int, sentence: str) -> Response:
    """Return an error page."""
    return make_response(render_template("error.html", status=status, sentence=sentence), status)
