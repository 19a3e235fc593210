"""Lists in pages. An opaque cursor says where the next page begins."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar, get_type_hints

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from blocklist.lookup.http import Answer
from blocklist.web.api.framework.problems import invalid_fields

Item = TypeVar("Item")
Key = TypeVar("Key", int, str)
#: A NamedTuple of integers and strings.
Position = TypeVar("Position", bound=tuple[Any, ...])


def _check_digits(value: object) -> object:
    # pydantic also accepts 1_0 and 1.0 as integers.
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError("is not a whole number")
    return value


def _check_flag(value: object) -> object:
    if isinstance(value, str) and value not in ("true", "false"):
        raise ValueError("is neither true nor false")
    return value


#: Integers and booleans as query parameters.
WholeNumber = Annotated[int, BeforeValidator(_check_digits)]
Flag = Annotated[bool, BeforeValidator(_check_flag)]
#: The largest database id: integers have 64 bits.
LAST_ID = 2**63 - 1
Id = Annotated[WholeNumber, Field(ge=1, le=LAST_ID)]


class StrictModel(BaseModel):
    """Query parameters or a body; an unknown member is an error."""

    model_config = ConfigDict(extra="forbid")


class PageQuery(StrictModel):
    """Which page of a list."""

    limit: Annotated[WholeNumber, Field(ge=1, le=1_000)] = Field(100, description="Page size.")
    cursor: str | None = Field(
        None, max_length=4_096, description="`next` of the previous page; without it, the first page."
    )

    def after(self, kind: str, first: Key) -> Key:
        """Return the key that this page begins after, or ``first`` if there is no cursor.

        ``kind`` names the list: a cursor of another list is refused.

        :raises ProblemError: 400, the cursor is not one of this list.
        """
        values = self._decode(kind, [type(first)])
        return first if values is None else values[0]

    def position(self, kind: str, shape: type[Position]) -> Position | None:
        """Return the position that this page begins after, or None if there is no cursor.

        :raises ProblemError: 400, the cursor is not one of this list.
        """
        values = self._decode(kind, list(get_type_hints(shape).values()))
        return None if values is None else shape(*values)

    def _decode(self, kind: str, types: list[type]) -> list[Any] | None:
        if self.cursor is None:
            return None
        try:
            values: list[Any]
            cursor_kind, *values = json.loads(base64.urlsafe_b64decode(self.cursor + "=" * (-len(self.cursor) % 4)))
            valid = cursor_kind == kind and [type(value) for value in values] == types
            valid = valid and all(abs(value) < 2**63 for value in values if isinstance(value, int))
            json.dumps(values, ensure_ascii=False).encode()
        except (ValueError, TypeError, RecursionError):
            valid = False
        if not valid:
            raise invalid_fields(400, [(("cursor",), "is not `next` of a page of this list")], "parameter")
        return values


def encode_cursor(kind: str, *values: str | int) -> str:
    """Return the cursor of the page after a position in a list of this kind.

    >>> PageQuery(cursor=encode_cursor("feeds", "it-agcom")).after("feeds", "")
    'it-agcom'
    """
    packed = json.dumps([kind, *values], ensure_ascii=False, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def page_response(
    kind: str,
    found: Sequence[Item],
    query: PageQuery,
    body: Callable[[Item], dict[str, Any]],
    key: Callable[[Item], str | int],
) -> Answer:
    """Return one page as a response.

    ``found`` has one item more than the page if there is a next page. ``body`` gives the JSON of an item, ``key`` the
    value that the next page begins after.
    """
    shown = found[: query.limit]
    following = encode_cursor(kind, key(shown[-1])) if len(found) > query.limit else None
    return Answer(200, {kind: [body(item) for item in shown], "next": following})
