"""Problem documents (RFC 9457), with a pointer to each invalid field.

400: the request cannot be parsed (query, headers, a body that is not JSON). 422: the body can be parsed, but a value in
it is not valid. 404: the address names something that does not exist.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from flask import Response, request
from pydantic import BaseModel, Field, ValidationError

from blocklist.domain.errors import BlocklistError, FieldPath, UsageError
from blocklist.lookup.http import Answer, problem
from blocklist.text.validation import faults_of
from blocklist.web.responses import respond

#: The part of a request that is invalid, as a member name of :class:`FieldError`.
Part = Literal["parameter", "header", "pointer"]


class FieldError(BaseModel):
    """One error, with a ``pointer`` into the body (RFC 6901, as a fragment), or the name of a parameter or a header."""

    detail: str
    pointer: str | None = Field(None, examples=["#/source/url"])
    parameter: str | None = None
    header: str | None = None


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    type: str = Field(examples=["about:blank"])
    title: str
    status: int
    detail: str
    errors: list[FieldError] = []
    verdict: Literal["unknown"] | None = Field(None, description="Only in problems of lookups.")


class ProblemError(Exception):
    """Ends a request with a problem document."""

    def __init__(self, status: int, detail: str, headers: Iterable[tuple[str, str]] = (), **members: Any) -> None:
        """Take the status, the detail, response headers, and more members of the document, such as ``errors``."""
        super().__init__(detail)
        document = problem(status, detail, **members)
        self.answer = Answer(document.status, document.body, tuple(headers))


def invalid_part(error: ValidationError, model: type[BaseModel], part: Part) -> ProblemError:
    """Return the problem for a part of the request that pydantic refused: 422 for the body, 400 for the rest."""
    return invalid_fields(400 if part != "pointer" else 422, faults_of(error, model), part)


def invalid_fields(status: int, faults: Iterable[tuple[FieldPath, str]], part: Part, detail: str = "") -> ProblemError:
    """Return the problem for invalid fields, each as its path and a sentence."""
    listed = list(faults)
    summary = detail or "; ".join(f"{'.'.join(map(str, path)) or 'the body'}: {text}" for path, text in listed)
    place = json_pointer if part == "pointer" else lambda path: ".".join(map(str, path))
    return ProblemError(status, summary, errors=[{"detail": text, part: place(path)} for path, text in listed])


def json_pointer(path: FieldPath) -> str:
    """Return a JSON pointer (RFC 6901) as a URI fragment.

    >>> json_pointer(("guards", "must_match", 0)), json_pointer(("a/b~",)), json_pointer(())
    ('#/guards/must_match/0', '#/a~1b~0', '#')
    """
    return "#" + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def error_response(error: Exception) -> Response:
    """Return the response to a :class:`ProblemError` or :class:`BlocklistError` that a view raised."""
    if isinstance(error, ProblemError):
        return respond(error.answer)
    assert isinstance(error, BlocklistError)
    if isinstance(error, UsageError) and request.is_json:
        return respond(invalid_fields(422, error.faults, "pointer", str(error)).answer)
    return respond(problem(error.http_status, str(error)))
