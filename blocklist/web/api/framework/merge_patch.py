"""Definitions in part, described by the one model of definitions: what may be left out, may be null."""

from __future__ import annotations

from typing import Any

from pydantic import GetJsonSchemaHandler, RootModel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from blocklist.definitions.definition import FeedDefinition


class FeedPatch(RootModel[dict[str, Any]]):
    """A merge patch (RFC 7396) of a definition: what it leaves out stays as it is, null makes it as usual."""

    @classmethod
    def __get_pydantic_json_schema__(cls, _: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe it as a definition of which nothing is required."""
        return {**_in_part(FeedDefinition.model_json_schema()), "title": cls.__name__, "description": cls.__doc__}


class NewFeed(RootModel[dict[str, Any]]):
    """A definition, or what it says beside that of the catalog; of a feed that the catalog does not have, all of it."""

    @classmethod
    def __get_pydantic_json_schema__(cls, _: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe it as a definition of which only the name is required."""
        schema = {**_in_part(FeedDefinition.model_json_schema()), "title": cls.__name__, "description": cls.__doc__}
        schema["properties"]["name"] = FeedDefinition.model_json_schema()["properties"]["name"]
        return schema | {"required": ["name"]}


def _in_part(schema: dict[str, Any], of: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a schema that requires nothing, with null for every member, and what it refers to put in its place."""
    defined = schema.get("$defs", {}) if of is None else of
    if "$ref" in schema:
        return _in_part(defined[schema["$ref"].rpartition("/")[2]], defined)
    part = {key: value for key, value in schema.items() if key not in ("$defs", "required", "default", "title")}
    if "properties" in part:
        part["properties"] = {
            name: {"anyOf": [_in_part(member, defined), {"type": "null"}]}
            for name, member in part["properties"].items()
        }
    for key in ("anyOf", "allOf", "prefixItems"):
        if key in part:
            part[key] = [_in_part(member, defined) for member in part[key]]
    if isinstance(part.get("items"), dict):
        part["items"] = _in_part(part["items"], defined)
    return part
