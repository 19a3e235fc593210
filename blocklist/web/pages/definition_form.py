"""The definition of a feed as a form: one field for each common member, and ``key=value`` lines for the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from blocklist.definitions.definition import FeedDefinition, with_options
from blocklist.domain.errors import UsageError
from blocklist.text.validation import validate
from blocklist.web.pages.layout import Form

#: The fields of the form. A name is a dotted path in the definition.
FIELDS = (
    *("name", "title", "source.url", "every", "format", "authority.name", "authority.kind", "authority.country"),
    *("authority.contact", "legal_basis", "documentation", "notes"),
)
#: The field with the rest, one ``key=value`` line each, as in the command option ``--option``.
LINES = "options"
#: Tables of a definition whose members are lines with a dotted key.
_DOTTED = ("source", "rules", "guards")


def form_from_definition(definition: FeedDefinition) -> Form:
    """Return the form of a definition."""
    data = definition.model_dump(mode="json", exclude_defaults=True) | {"every": definition.every}
    values = {name: _text(_at(data, name)) for name in FIELDS}
    values["every"] = _duration(definition.every)
    values[LINES] = "\n".join(f"{key}={_text(value)}" for key, value in _lines(data))
    return Form(values)


def definition_from_form(form: Form, base: FeedDefinition | None = None) -> FeedDefinition | None:
    """Return the definition in a form; None if it is not valid, and then the form has the problems.

    ``base`` is the definition that the form was made from. An unchanged line keeps the value of the base, which a line
    cannot always express (a number, a key of several lines).
    """
    data: dict[str, Any] = {}
    for name in FIELDS:
        if form[name]:
            _put(data, name, form[name])
    if base and base.reference_only:
        data["reference_only"] = True
    flat = _lines(base.model_dump(mode="json", exclude_defaults=True)) if base else ()
    # Compared without surrounding white space, which browsers and people may remove.
    known = {f"{key}={_text(value)}".strip(): (key, value) for key, value in flat}
    try:
        for line in form.lines(LINES):
            if line.strip() in known:
                key, value = known[line.strip()]
                table, _, rest = key.partition(".")
                _put(data, rest if table == "feed" else key if table in _DOTTED else f"options.{key}", value)
            else:
                data = with_options(data, [line])
    except UsageError as error:
        form.problems[LINES] = str(error)
        return None
    try:
        return validate(FeedDefinition, data, "the definition")
    except UsageError as error:
        for path, sentence in error.faults or [((), str(error))]:
            form.problems.setdefault(_field(path), sentence)
    return None


def _lines(data: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the members of a definition that have no field: the key as in ``--option``, and the value."""
    yield from data.get("options", {}).items()
    for part in _DOTTED:
        yield from (item for item in _leaves(data.get(part, {}), part) if item[0] not in FIELDS)
    if not data.get("verified", True):
        yield "feed.verified", False


def _leaves(table: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}.{key}")
        elif value is not None:
            yield f"{prefix}.{key}", value


def _put(data: dict[str, Any], dotted: str, value: Any) -> None:
    *path, name = dotted.split(".")
    for part in path:
        data = data.setdefault(part, {})
    data[name] = value


def _at(data: dict[str, Any], dotted: str) -> Any:
    for part in dotted.split("."):
        if not isinstance(data, dict) or part not in data:
            return None
        data = data[part]
    return data


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value))
    return str(value).replace("\n", "\\n")


def _field(path: tuple[str | int, ...]) -> str:
    whole = ".".join(str(part) for part in path)
    if whole in FIELDS:
        return whole
    head = str(path[0]) if path else ""
    if head == "authority":
        return "authority.name"
    return LINES if head in ("options", *_DOTTED) else ""


def _duration(seconds: int) -> str:
    """Return a duration in the format of :func:`blocklist.domain.clock.parse_duration`.

    >>> _duration(21_600), _duration(90)
    ('6h', '90s')
    """
    for length, unit in ((604_800, "w"), (86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"
