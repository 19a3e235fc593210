"""What goes wrong, as RFC 9457 words it, with the way to each field that is at fault.

400: the request cannot be read (its query, its headers, a body that is not JSON). 422: its body can be read, and what
it says cannot be done. 404: what the address names is not there.
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

#: What a request consists of, as a problem names the part that is at fault.
Part = Literal["parameter", "header", "pointer"]


class Fault(BaseModel):
    """One thing that is wrong, at a ``pointer`` into the body (RFC 6901, as a fragment), a parameter or a header."""

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
    errors: list[Fault] = []
    verdict: Literal["unknown"] | None = Field(None, description="With problems of lookups only.")


class RefusedError(Exception):
    """A request that is answered with a problem and nothing else."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def refused(status: int, detail: str, headers: Iterable[tuple[str, str]] = (), **more: Any) -> RefusedError:
    """Return a refusal to raise, with headers beside the problem."""
    told = problem(status, detail, **more)
    return RefusedError(Answer(told.status, told.body, tuple(headers)))


def misread(found: ValidationError, model: type[BaseModel], part: Part) -> RefusedError:
    """Return the refusal of what pydantic could not read in a part of the request."""
    return faulty(400 if part != "pointer" else 422, faults_of(found, model), part)


def faulty(status: int, faults: Iterable[tuple[FieldPath, str]], part: Part, detail: str = "") -> RefusedError:
    """Return the refusal of a request with faults, each at its place."""
    named = list(faults)
    said = detail or "; ".join(f"{'.'.join(map(str, path)) or 'the body'}: {text}" for path, text in named)
    return refused(status, said, errors=[{"detail": text, part: _place(path, part)} for path, text in named])


def pointer_to(path: FieldPath) -> str:
    """Return a JSON pointer (RFC 6901) in the form of a fragment.

    >>> pointer_to(("guards", "must_match", 0)), pointer_to(("a/b~",)), pointer_to(())
    ('#/guards/must_match/0', '#/a~1b~0', '#')
    """
    return "#" + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def told(error: Exception) -> Response:
    """Return the answer to an error that a view raised."""
    if isinstance(error, RefusedError):
        return respond(error.answer)
    assert isinstance(error, BlocklistError)
    if isinstance(error, UsageError) and request.is_json:
        return respond(faulty(422, error.faults, "pointer", str(error)).answer)
    return respond(problem(error.http_status, str(error)))


def _place(path: FieldPath, part: Part) -> str:
    return pointer_to(path) if part == "pointer" else ".".join(map(str, path))
