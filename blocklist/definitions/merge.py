"""Definitions changed in part: a patch applied to the catalog's definition, or to the stored one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from blocklist.definitions.catalog import catalog_names, from_catalog
from blocklist.definitions.definition import FeedDefinition, with_options
from blocklist.domain.errors import UsageError
from blocklist.text.validation import validate

#: The fields for where a list is: setting one removes the other.
_LOCATIONS = ("url", "file")


def apply_merge_patch(definition: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Return a definition, as data, with a merge patch applied (RFC 7396): null removes a field, tables are merged.

    >>> apply_merge_patch({"title": "A", "source": {"url": 1, "file": 2}}, {"title": None, "source": {"url": 3}})
    {'source': {'url': 3, 'file': 2}}
    """
    changed = dict(definition)
    for key, value in patch.items():
        if value is None:
            changed.pop(key, None)
        elif isinstance(value, dict):
            known = changed.get(key)
            changed[key] = apply_merge_patch(known if isinstance(known, dict) else {}, value)
        else:
            changed[key] = value
    return changed


def draft_definition(patch: dict[str, Any], options: Sequence[str] = (), *, strict: bool = False) -> FeedDefinition:
    """Return the definition of a new feed: the catalog's of that name with a patch applied, or the patch alone.

    ``options`` are pairs for ``--option``; ``strict`` reads the patch as JSON, where text is not accepted as a number.

    :raises UsageError: a field is wrong or missing.
    """
    name = patch.get("name")
    where = "the feed" if name is None else f"feed {name}"
    known = from_catalog(name).model_dump(mode="json", exclude_defaults=True) if name in catalog_names() else {}
    return validate(FeedDefinition, with_options(_merged(known, patch), options), where, strict=strict)


def amend_definition(
    definition: FeedDefinition, patch: dict[str, Any], options: Sequence[str] = (), *, strict: bool = False
) -> FeedDefinition:
    """Return a stored definition with a merge patch (RFC 7396) and then pairs for ``--option`` applied.

    A new address replaces the file, and a new file the address; a new format begins without options.

    :raises UsageError: the result is not a valid definition, or has another name.
    """
    if patch.get("name", definition.name) != definition.name:
        raise UsageError(
            "the name of a feed cannot be changed, because its history is stored under it: add another feed",
            faults=[(("name",), "cannot be changed")],
        )
    known = definition.model_dump(mode="json", exclude_defaults=True)
    return validate(
        FeedDefinition, with_options(_merged(known, patch), options), f"feed {definition.name}", strict=strict
    )


def _merged(known: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    known = dict(known)
    if patch.get("format", known.get("format")) != known.get("format"):
        known.pop("options", None)
    source = patch.get("source")
    if (
        isinstance(source, dict)
        and any(source.get(location) for location in _LOCATIONS)
        and isinstance(known.get("source"), dict)
    ):
        known["source"] = {key: value for key, value in known["source"].items() if key not in _LOCATIONS}
    return apply_merge_patch(known, patch)
