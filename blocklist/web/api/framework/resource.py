"""A resource of the API: its views, each with the role it needs, what it takes and answers, and their description.

The description comes from flask-openapi3. What a request brings is read here and not by it: it reads bodies of any type
and leniently ("1" as 1), and an API that changes what is blocked must not guess.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_type_hints

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel

from blocklist.domain.access import Role
from blocklist.domain.errors import BlocklistError
from blocklist.lookup.http import Answer
from blocklist.web.api.framework.problems import Problem, RefusedError, told
from blocklist.web.api.framework.request_parsing import check_accepted, read
from blocklist.web.authorization import needs
from blocklist.web.responses import respond

View = Callable[..., Answer | Response]
_REFERENCE = "#/components/schemas/"
_JSON = "application/json"
_PARTS = ("path", "query", "header", "body")
#: What each problem means, in one sentence of the description.
PROBLEMS = {
    400: "The request cannot be read.",
    401: "Nobody known sent it: no token, or one that is unknown, expired or revoked.",
    403: "The role is not sufficient.",
    404: "What the address names is not there.",
    406: "The answer is of a type that Accept does not take.",
    409: "The thing exists, is in use, or is not in the state that the request needs.",
    412: "Somebody changed it since: look again.",
    413: "The body is too large.",
    415: "The body is of a type that is not taken.",
    422: "The body can be read; what it says cannot be done. `errors` points to the fields.",
    428: "If-Match is missing: say which version you have seen, or `*`.",
    429: "Too many requests of this sender showed no token that is known; Retry-After says how long to wait.",
    500: "A fault of the service, or of its disk.",
    503: "The service does as much as it may at once, or has no snapshot yet.",
}
_ALWAYS = (400, 401, 403, 406, 429, 500)


@dataclass(frozen=True, slots=True)
class Gives:
    """An answer that is no problem: its status, its model, and the headers it comes with.

    Of several types, that of JSON has the model.
    """

    status: int
    model: type[BaseModel] | None
    says: str
    headers: Mapping[str, str] = field(default_factory=dict)
    media: str | tuple[str, ...] = _JSON

    @property
    def medias(self) -> tuple[str, ...]:
        """Every type that the answer may be of."""
        return (self.media,) if isinstance(self.media, str) else self.media

    def described(self) -> dict[str, Any]:
        """Return it in the words of OpenAPI."""
        binary = {"type": "string", "format": "binary"}
        model = reference(self.model) if self.model else binary
        headers = {name: {"description": says, "schema": {"type": "string"}} for name, says in self.headers.items()}
        return {
            "description": self.says,
            **(
                {"content": {media: {"schema": model if media == _JSON else binary} for media in self.medias}}
                if self.media
                else {}
            ),
            **({"headers": headers} if headers else {}),
        }


class Resource(APIBlueprint):
    """One resource; ``models`` are those that its description refers to."""

    def __init__(self, name: str, about: str) -> None:
        super().__init__(
            name.lower(),
            __name__,
            abp_tags=[Tag(name=name, description=about)],
            abp_security=[{"token": []}],
            operation_id_callback=lambda *, name, **_: name,
        )
        self.models: set[type[BaseModel]] = {Problem}
        self.register_error_handler(RefusedError, told)
        self.register_error_handler(BlocklistError, told)

    def operation(
        self,
        method: str,
        path: str,
        role: Role,
        *gives: Gives,
        problems: Iterable[int] = (),
        takes: Mapping[str, Any] | None = None,
        must_bring: bool = False,
    ) -> Callable[[View], View]:
        """Answer a method of an address with a view, which takes what it names: path, query, header, body.

        ``problems`` are the statuses of problems that not every view has; ``takes`` describes a body that is not JSON,
        by media type, which the view reads itself; ``must_bring``: it cannot be left out.
        """

        def register(view: View) -> View:
            hints = {part: model for part, model in get_type_hints(view).items() if part in _PARTS}
            medias = next((item.medias for item in gives if item.media), (_JSON,))

            @functools.wraps(view)
            def answer(**values: Any) -> Response:
                check_accepted(medias)
                found = view(**{part: read(model, part, values) for part, model in hints.items()})
                return respond(found) if isinstance(found, Answer) else found

            # Tells flask-openapi3 that the view reads the request itself: see the module's docstring.
            answer.__delay_validate_request__ = True  # type: ignore[attr-defined]
            summary, _, rest = (inspect.getdoc(view) or "").partition("\n")
            statuses = {*_ALWAYS, *problems, *((404,) if "path" in hints else ()), *_body_problems(hints, takes)}
            self.models |= {item.model for item in gives if item.model}
            self.models |= {hints["body"]} if "body" in hints else set()
            route = getattr(super(Resource, self), method.lower())(
                path.replace("{", "<").replace("}", ">"),
                summary=summary.rstrip("."),
                description=f"{rest.strip()}\n\nRole: {role}.".strip(),
                responses={item.status: item.described() for item in gives}
                | {status: _problem(status) for status in sorted(statuses)},
                openapi_extensions={"requestBody": {"content": takes, "required": must_bring}} if takes else None,
            )
            route(needs(role)(answer))
            return view

        return register


def reference(model: type[BaseModel]) -> dict[str, str]:
    """Return a reference to a model's schema."""
    return {"$ref": _REFERENCE + model.__name__}


def _problem(status: int) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": reference(Problem)}}
    return {"description": PROBLEMS[status], "content": content}


def _body_problems(hints: Mapping[str, Any], takes: Mapping[str, Any] | None) -> set[int]:
    return {413, 415, 422} if "body" in hints or takes else set()
