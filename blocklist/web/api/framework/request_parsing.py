"""What a request brings, read strictly: the text "true" is no truth, and what is not known is a mistake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request
from pydantic import BaseModel, ValidationError

from blocklist.web.api.framework.problems import faulty, misread, refused

_JSON = ("application/json", "application/merge-patch+json")
_PROBLEM = "application/problem+json"


def check_accepted(medias: tuple[str, ...]) -> None:
    """Make sure that the caller takes one of the types that the answer may be of.

    :raises RefusedError: 406.
    """
    wanted = request.accept_mimetypes
    if wanted and not wanted.best_match([*medias, _PROBLEM]):
        raise refused(406, f"the answer is {' or '.join(medias)}, which the header Accept does not take")


def read_path(model: type[BaseModel], values: Mapping[str, str]) -> BaseModel:
    """Return what the address names.

    :raises RefusedError: 404, there can be no such thing.
    """
    try:
        return model.model_validate(values)
    except ValidationError:
        named = ", ".join(f"{name} {value!r}" for name, value in values.items())
        raise refused(404, f"there is no such address: {named[:200]}") from None


def read_query(model: type[BaseModel]) -> BaseModel:
    """Return the parameters of the query.

    :raises RefusedError: 400, and which is at fault.
    """
    twice = [name for name in request.args if len(request.args.getlist(name)) > 1]
    if twice:
        raise faulty(400, [((name,), "is given more than once") for name in twice], "parameter")
    try:
        return model.model_validate(request.args.to_dict())
    except ValidationError as found:
        raise misread(found, model, "parameter") from None


def read_headers(model: type[BaseModel]) -> BaseModel:
    """Return the headers that the address knows.

    :raises RefusedError: 400, and which is at fault.
    """
    known = {field.alias or name for name, field in model.model_fields.items()}
    try:
        return model.model_validate({name: request.headers[name] for name in known if name in request.headers})
    except ValidationError as found:
        raise misread(found, model, "header") from None


def read_body(model: type[BaseModel]) -> BaseModel:
    """Return the JSON body.

    :raises RefusedError: 415 for another type, 400 where it is not JSON, 422 and which field is at fault.
    """
    check_type(*_JSON)
    try:
        return model.model_validate_json(request.get_data(), strict=True)
    except ValidationError as found:
        if found.errors()[0]["type"] == "json_invalid":
            raise refused(400, f"the body is not JSON: {found.errors()[0]['ctx']['error']}") from None
        raise misread(found, model, "pointer") from None


def check_type(*types: str) -> None:
    """Make sure that the body is of a type that the address takes.

    :raises RefusedError: 415.
    """
    if request.mimetype not in types:
        said = f"not {request.mimetype}" if request.mimetype else "and the header Content-Type says so"
        headers = [("Accept-Post" if request.method == "POST" else "Accept-Patch", ", ".join(types))]
        raise refused(415, f"the body is {' or '.join(types)}, {said}", headers)


def read(model: type[BaseModel], part: str, path: Mapping[str, Any]) -> BaseModel:
    """Return one part of the request (``path``, ``query``, ``header`` or ``body``) as a model."""
    if part == "path":
        return read_path(model, path)
    return {"query": read_query, "header": read_headers, "body": read_body}[part](model)
