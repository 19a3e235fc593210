"""Types of fields that settings and definitions share: how pydantic validates them and describes them in schemas."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from blocklist.domain.clock import parse_duration

#: Ten years, in seconds: a longer duration is a mistake.
_MAX_SECONDS = 315_360_000


class StrictModel(BaseModel):
    """An immutable model that rejects unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


def _duration_schema(minimum: int) -> WithJsonSchema:
    number = {"type": "integer", "minimum": minimum, "maximum": _MAX_SECONDS}
    return WithJsonSchema({"anyOf": [number, {"type": "string", "pattern": "^[0-9]+[smhdw]?$", "examples": ["6h"]}]})


def _country(code: str) -> str:
    if not re.fullmatch(r"[A-Z]{2}", code):
        raise ValueError(f"{code!r} is not a country: use two capital letters (ISO 3166-1), XX for none")
    return code


#: A duration in seconds, also read from text such as ``6h``.
Seconds = Annotated[int, BeforeValidator(_duration), Field(ge=1, le=_MAX_SECONDS), _duration_schema(1)]
#: The same, or 0.
MaybeSeconds = Annotated[int, BeforeValidator(_duration), Field(ge=0, le=_MAX_SECONDS), _duration_schema(0)]
Country = Annotated[str, AfterValidator(_country), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{2}$"})]
