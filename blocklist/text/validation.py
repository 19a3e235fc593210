"""Validate data with a pydantic model, and report what is wrong as one sentence that an admin can act on."""

from __future__ import annotations

import inspect
import json
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from blocklist.domain.errors import Fault, UsageError

Model = TypeVar("Model", bound=BaseModel)


def validate(
    model: type[Model], data: Any, where: str, error: type[UsageError] = UsageError, *, strict: bool = False
) -> Model:
    """Return data as a model. ``strict``: as JSON without conversions, so that the text "true" is not a boolean.

    :raises UsageError: (or ``error``) on one line, ``where: field: what is wrong`` for each fault.
    """
    try:
        return model.model_validate_json(json.dumps(data), strict=True) if strict else model.model_validate(data)
    except ValidationError as invalid:
        raise error(f"{where}: {describe(invalid, model)}", faults_of(invalid, model)) from None


def describe(invalid: ValidationError, model: type[BaseModel] | None = None) -> str:
    """Return the faults that pydantic found, on one line; for an unknown field, with the fields that ``model`` has."""
    return "; ".join(
        f"{'.'.join(map(str, fault.path)) or 'value'}: {fault.message}" for fault in faults_of(invalid, model)
    )


def faults_of(invalid: ValidationError, model: type[BaseModel] | None = None) -> list[Fault]:
    """Return the faults that pydantic found."""
    faults = []
    for item in invalid.errors(include_url=False):
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            known = f"; known: {', '.join(_fields(model))}" if model and len(item["loc"]) == 1 else ""
            message = f"is unknown{known}"
        elif item["type"] == "missing":
            message = "is missing"
        faults.append(Fault(item["loc"], message))
    return faults


def _fields(model: type[BaseModel]) -> list[str]:
    own = [name for name in inspect.get_annotations(model) if name in model.model_fields]
    return own + [name for name in model.model_fields if name not in own]
