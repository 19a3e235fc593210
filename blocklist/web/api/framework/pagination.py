"""Lists come a page at a time: a cursor says where the next one begins, and means nothing to whoever holds it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from blocklist.lookup.http import Answer
from blocklist.web.api.framework.problems import faulty

Item = TypeVar("Item")


def _digits(value: object) -> object:
    # pydantic would read 1_0 and 1.0 as numbers too.
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError("is not a whole number")
    return value


def _switch(value: object) -> object:
    if isinstance(value, str) and value not in ("true", "false"):
        raise ValueError("is true or false")
    return value


#: Whole numbers and switches as a query holds them.
Whole = Annotated[int, BeforeValidator(_digits)]
Switch = Annotated[bool, BeforeValidator(_switch)]
#: What a database can count to.
Id = Annotated[Whole, Field(ge=1, le=2**63 - 1)]


class Query(BaseModel):
    """The parameters of a query: what is not known is a mistake, not nothing."""

    model_config = ConfigDict(extra="forbid")


class PageQuery(Query):
    """Which page of a list."""

    limit: Annotated[Whole, Field(ge=1, le=1_000)] = Field(100, description="How many at most.")
    cursor: str | None = Field(
        None, max_length=4_096, description="Where the page begins: `next` of the page before. Without: the first page."
    )

    def place(self, kind: str, *types: type) -> tuple[Any, ...] | None:
        """Return the place that the cursor names in a list of this kind; None for its beginning.

        :raises RefusedError: it was not made for this list.
        """
        if self.cursor is None:
            return None
        try:
            named, *place = json.loads(base64.urlsafe_b64decode(self.cursor + "=" * (-len(self.cursor) % 4)))
            fits = named == kind and [type(part) for part in place] == list(types)
            fits = fits and all(abs(part) < 2**63 for part in place if isinstance(part, int))
            json.dumps(place, ensure_ascii=False).encode()
        except (ValueError, TypeError, RecursionError):
            fits = False
        if not fits:
            raise faulty(400, [(("cursor",), "is not `next` of a page of this list")], "parameter")
        return tuple(place)


def cursor_to(kind: str, *place: str | int) -> str:
    """Return the cursor to what comes after a place in a list of this kind.

    >>> PageQuery(cursor=cursor_to("feeds", "it-agcom")).place("feeds", str)
    ('it-agcom',)
    """
    packed = json.dumps([kind, *place], ensure_ascii=False, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def page_of(
    kind: str,
    found: Sequence[Item],
    query: PageQuery,
    body: Callable[[Item], dict[str, Any]],
    place: Callable[[Item], str | int],
) -> Answer:
    """Return one page: of what was ``found``, which is one more than the page holds where there is a next one."""
    shown = found[: query.limit]
    more = cursor_to(kind, place(shown[-1])) if len(found) > query.limit else None
    return Answer(200, {kind: [body(item) for item in shown], "next": more})
