"""pydantic's findings as the one sentence an admin can act on."""

from __future__ import annotations

import inspect
import json
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from blocklist.domain.errors import FieldPath, UsageError

Model = TypeVar("Model", bound=BaseModel)


def validate(
    model: type[Model], data: Any, where: str, error: type[UsageError] = UsageError, *, strict: bool = False
) -> Model:
    """Return data as a model; ``strict`` takes it as JSON, in which the text "true" is no truth.

    :raises UsageError: (or ``error``) ``where: field: what is wrong`` for each thing found, on one line.
    """
    try:
        return model.model_validate_json(json.dumps(data), strict=True) if strict else model.model_validate(data)
    except ValidationError as found:
        raise error(f"{where}: {describe(found, model)}", faults_of(found, model)) from None


def describe(found: ValidationError, model: type[BaseModel] | None = None) -> str:
    """Return what pydantic found, as one line; for an unknown field it names those there are."""
    return "; ".join(
        f"{'.'.join(str(part) for part in path) or 'value'}: {said}" for path, said in faults_of(found, model)
    )


def faults_of(found: ValidationError, model: type[BaseModel] | None = None) -> list[tuple[FieldPath, str]]:
    """Return what pydantic found: the way to each field at fault, and what is wrong with it."""
    said = []
    for item in found.errors(include_url=False):
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            known = f"; known: {', '.join(_fields(model))}" if model and len(item["loc"]) == 1 else ""
            message = f"is unknown{known}"
        elif item["type"] == "missing":
            message = "is missing"
        said.append((item["loc"], message))
    return said


def _fields(model: type[BaseModel]) -> list[str]:
    """Return a model's own fields, then those it has from others."""
    own = [name for name in inspect.get_annotations(model) if name in model.model_fields]
    return own + [name for name in model.model_fields if name not in own]
