"""The query of a request, read the same way by the lookup node and the Flask application."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import parse_qsl

from blocklist.normalize.hosts import shorten

_MAX_PARAMETERS = 100

_TRUE = frozenset({"1", "true", "yes"})


def is_true(query: Mapping[str, str], name: str) -> bool:
    """Return whether a parameter of a query is ``1``, ``true`` or ``yes``, in any case."""
    return query.get(name, "").lower() in _TRUE


def parse_query(raw: bytes, known: Collection[str]) -> dict[str, str]:
    """Return the parameters of a query: application/x-www-form-urlencoded (WHATWG URL, 5.1), decoded as UTF-8.

    Anything that is not certain is refused: a misspelled ``policy`` would otherwise mean the default one, and another
    reader might use the other one of two.

    >>> parse_query(b"url=https%3A%2F%2Fpirate.example%2Fa+b&explain=1", ("url", "explain"))
    {'url': 'https://pirate.example/a b', 'explain': '1'}

    :raises ValueError: a parameter is not known or is repeated, or there are too many parameters.
    """
    try:
        pairs = parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MAX_PARAMETERS)
    except ValueError:
        raise ValueError(f"the query has more than {_MAX_PARAMETERS} parameters") from None
    query: dict[str, str] = {}
    for name, value in pairs:
        if name not in known:
            raise ValueError(_unknown(name, known, query))
        if name in query:
            raise ValueError(f"{name} is given twice: a request is for one target")
        query[name] = value
    return query


def _unknown(name: str, known: Collection[str], before: Collection[str]) -> str:
    hint = ""
    if "url" in before:
        hint = "; write & within a url as %26"
    elif name in ("policy", "explain"):
        hint = "; policy and explain are members of the body"
    return f"there is no parameter {shorten(name)}: this address takes {', '.join(known)}{hint}"
