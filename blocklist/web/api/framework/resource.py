"""A resource of the API: its views, with the role and the parts of the request that each needs, and their description.

flask-openapi3 writes the description. The requests are parsed here, because flask-openapi3 accepts a body of any media
type and converts values ("1" to 1): an API that changes what is blocked must not guess.
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
from blocklist.web.api.framework.problems import Problem, ProblemError, error_response
from blocklist.web.api.framework.request_parsing import check_accept, read_part
from blocklist.web.authorization import needs
from blocklist.web.responses import respond

View = Callable[..., Answer | Response]
_JSON = "application/json"
_PARTS = ("path", "query", "header", "body")
#: The description of each problem, by its status.
PROBLEMS = {
    400: "The request cannot be parsed.",
    401: "There is no token, or it is unknown, expired or revoked.",
    403: "The role does not allow it.",
    404: "Not found.",
    406: "The header Accept does not allow the media type of the response.",
    409: "It exists already, is in use, or is not in the state that the request needs.",
    412: "It was changed since you read it: read it again.",
    413: "The body is too large.",
    415: "The media type or the encoding of the body is not supported.",
    422: "The body can be parsed, but a value is not valid. `errors` points to the fields.",
    428: "The header If-Match is missing: send the ETag of the version that you have read, or `*`.",
    429: "Too many requests with unknown tokens from this address. Retry-After says how long to wait.",
    500: "An error of the service or of its disk.",
    503: "The service is at its limit of simultaneous work, or has no snapshot yet.",
}
_ALWAYS = (400, 401, 403, 406, 429, 500)


@dataclass(frozen=True, slots=True)
class ResponseSpec:
    """The description of a successful response.

    Without a ``description``, the first line of the model's docstring is used. If there are several media types,
    the model is that of JSON.
    """

    model: type[BaseModel] | None
    description: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media_types: tuple[str, ...] = (_JSON,)

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI Response Object."""
        binary = {"type": "string", "format": "binary"}
        model = reference(self.model) if self.model else binary
        headers = {name: {"description": text, "schema": {"type": "string"}} for name, text in self.headers.items()}
        return {
            "description": self.description or (inspect.getdoc(self.model) or "").partition("\n")[0],
            "content": {media: {"schema": model if media == _JSON else binary} for media in self.media_types},
            **({"headers": headers} if headers else {}),
        }


def created(model: type[BaseModel], headers: Mapping[str, str] | None = None) -> ResponseSpec:
    """Return the description of a response with status 201 and the header Location."""
    return ResponseSpec(model, status=201, headers={"Location": "The address of what was created.", **(headers or {})})


class Resource(APIBlueprint):
    """One resource; ``models`` are the models that its description refers to."""

    def __init__(self, name: str, description: str) -> None:
        super().__init__(
            name.lower(),
            __name__,
            abp_tags=[Tag(name=name, description=description)],
            abp_security=[{"token": []}],
            operation_id_callback=lambda *, name, **_: name,
        )
        self.models: set[type[BaseModel]] = {Problem}
        self.register_error_handler(ProblemError, error_response)
        self.register_error_handler(BlocklistError, error_response)

    def operation(
        self,
        method: str,
        path: str,
        *,
        role: Role,
        returns: type[BaseModel] | ResponseSpec | tuple[ResponseSpec, ...],
        problems: Iterable[int] = (),
        request_body: Mapping[str, Any] | None = None,
        body_required: bool = False,
    ) -> Callable[[View], View]:
        """Register a view for a method of a path.

        The view gets the parts of the request that it has parameters for: ``path``, ``query``, ``header``, ``body``.
        Its docstring becomes the summary and the description.

        ``returns`` describes the successful responses; a model alone means status 200. ``problems`` are statuses in
        addition to those that every view can have. ``request_body`` describes a body that the view parses itself, by
        media type.
        """
        if isinstance(returns, type):
            returns = ResponseSpec(returns)
        specs = returns if isinstance(returns, tuple) else (returns,)

        def register(view: View) -> View:
            hints = {part: model for part, model in get_type_hints(view).items() if part in _PARTS}

            @functools.wraps(view)
            def answer(**values: Any) -> Response:
                check_accept(specs[0].media_types)
                result = view(**{part: read_part(model, part, values) for part, model in hints.items()})
                return respond(result) if isinstance(result, Answer) else result

            # Tells flask-openapi3 not to parse the request: see the docstring of this module.
            answer.__delay_validate_request__ = True  # type: ignore[attr-defined]
            summary, _, rest = (inspect.getdoc(view) or "").partition("\n")
            has_body = "body" in hints or request_body
            statuses = {
                *_ALWAYS,
                *problems,
                *((404,) if "path" in hints else ()),
                *((413, 415, 422) if has_body else ()),
            }
            self.models |= {spec.model for spec in specs if spec.model}
            self.models |= {hints["body"]} if "body" in hints else set()
            body = {"requestBody": {"content": request_body, "required": body_required}}
            route = getattr(super(Resource, self), method.lower())(
                path.replace("{", "<").replace("}", ">"),
                summary=summary.rstrip("."),
                description=f"{rest.strip()}\n\nRole: {role}.".strip(),
                responses={spec.status: spec.openapi() for spec in specs}
                | {status: problem_response(status) for status in sorted(statuses)},
                openapi_extensions=body if request_body else None,
            )
            route(needs(role)(answer))
            return view

        return register


def reference(model: type[BaseModel]) -> dict[str, str]:
    """Return an OpenAPI reference to the schema of a model."""
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def problem_response(status: int) -> dict[str, Any]:
    """Return the OpenAPI Response Object of a problem."""
    content = {"application/problem+json": {"schema": reference(Problem)}}
    return {"description": PROBLEMS[status], "content": content}
