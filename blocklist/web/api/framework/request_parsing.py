"""Strict parsing of requests: the string "true" is not a boolean, and an unknown member is an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request
from pydantic import BaseModel, ValidationError

from blocklist.web.api.framework.problems import ProblemError, invalid_fields, invalid_part

_JSON = ("application/json", "application/merge-patch+json")
_PROBLEM = "application/problem+json"


def check_accept(media_types: tuple[str, ...]) -> None:
    """Check that the header Accept allows one of the media types of the response.

    :raises ProblemError: 406.
    """
    accepted = request.accept_mimetypes
    if accepted and not accepted.best_match([*media_types, _PROBLEM]):
        raise ProblemError(406, f"the response is {' or '.join(media_types)}, which the header Accept does not allow")


def check_content_type(*types: str) -> None:
    """Check that the body has one of these media types.

    :raises ProblemError: 415.
    """
    if request.mimetype not in types:
        given = f"not {request.mimetype}" if request.mimetype else "and the header Content-Type must say so"
        headers = [("Accept-Post" if request.method == "POST" else "Accept-Patch", ", ".join(types))]
        raise ProblemError(415, f"the body must be {' or '.join(types)}, {given}", headers)


def read_part(model: type[BaseModel], part: str, path: Mapping[str, Any]) -> BaseModel:
    """Return one part of the request (``path``, ``query``, ``header`` or ``body``) as a model.

    :raises ProblemError: the part is not valid; the status says which part.
    """
    if part == "path":
        return _read_path(model, path)
    return {"query": _read_query, "header": _read_headers, "body": read_body}[part](model)


def read_body(model: type[BaseModel]) -> BaseModel:
    """Return the JSON body.

    :raises ProblemError: 415, another media type; 400, not JSON; 422, an invalid field.
    """
    check_content_type(*_JSON)
    try:
        return model.model_validate_json(request.get_data(), strict=True)
    except ValidationError as error:
        if error.errors()[0]["type"] == "json_invalid":
            raise ProblemError(400, f"the body is not JSON: {error.errors()[0]['ctx']['error']}") from None
        raise invalid_part(error, model, "pointer") from None


def _read_path(model: type[BaseModel], values: Mapping[str, str]) -> BaseModel:
    """Return the parameters of the path; nothing exists under an invalid one, so that the status is 404."""
    try:
        return model.model_validate(values)
    except ValidationError:
        given = ", ".join(f"{name} {value!r}" for name, value in values.items())
        raise ProblemError(404, f"there is no such address: {given[:200]}") from None


def _read_query(model: type[BaseModel]) -> BaseModel:
    repeated = [name for name in request.args if len(request.args.getlist(name)) > 1]
    if repeated:
        raise invalid_fields(400, [((name,), "is given more than once") for name in repeated], "parameter")
    try:
        return model.model_validate(request.args.to_dict())
    except ValidationError as error:
        raise invalid_part(error, model, "parameter") from None


def _read_headers(model: type[BaseModel]) -> BaseModel:
    names = {field.alias or name for name, field in model.model_fields.items()}
    try:
        return model.model_validate({name: request.headers[name] for name in names if name in request.headers})
    except ValidationError as error:
        raise invalid_part(error, model, "header") from None
