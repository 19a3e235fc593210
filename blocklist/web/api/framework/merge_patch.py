"""JSON Schemas of partial documents, such as merge patches (RFC 7396)."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, GetJsonSchemaHandler, RootModel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


class PartialDocument(RootModel[dict[str, Any]]):
    """A JSON object whose members are those of ``document``; only ``required_members`` must be present."""

    document: ClassVar[type[BaseModel]]
    required_members: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def __get_pydantic_json_schema__(cls, _: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Return the schema of the document in which every other member is optional and may be null."""
        whole = cls.document.model_json_schema()
        schema = {**_optional(whole, whole.get("$defs", {})), "title": cls.__name__, "description": cls.__doc__}
        if cls.required_members:
            schema["properties"] |= {name: whole["properties"][name] for name in cls.required_members}
            schema["required"] = list(cls.required_members)
        return schema


def _optional(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema with nothing required, null allowed for every member, and references replaced."""
    if "$ref" in schema:
        return _optional(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    partial = {key: value for key, value in schema.items() if key not in ("$defs", "required", "default", "title")}
    if "properties" in partial:
        partial["properties"] = {
            name: {"anyOf": [_optional(member, definitions), {"type": "null"}]}
            for name, member in partial["properties"].items()
        }
    for key in ("anyOf", "allOf", "prefixItems"):
        if key in partial:
            partial[key] = [_optional(member, definitions) for member in partial[key]]
    if isinstance(partial.get("items"), dict):
        partial["items"] = _optional(partial["items"], definitions)
    return partial
