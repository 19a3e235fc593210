"""The query of a request, read the same way by the lookup node and the Flask application."""

from __future__ import annotations

from urllib.parse import parse_qsl

#: Parameters that decide the verdict. A second one is refused: another reader might use the other one.
_ONCE = frozenset({"url", "domain", "app", "policy", "explain", "respond"})
_MAX_PARAMETERS = 100


def parse_query(raw: bytes) -> dict[str, str]:
    """Return the parameters of a query: application/x-www-form-urlencoded (WHATWG URL, 5.1), decoded as UTF-8.

    >>> parse_query(b"url=https%3A%2F%2Fpirate.example%2Fa+b&explain=1")
    {'url': 'https://pirate.example/a b', 'explain': '1'}

    :raises ValueError: a parameter that decides the verdict is repeated, or there are too many parameters.
    """
    try:
        pairs = parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MAX_PARAMETERS)
    except ValueError:
        raise ValueError(f"the query has more than {_MAX_PARAMETERS} parameters") from None
    query: dict[str, str] = {}
    for name, value in pairs:
        if name in query and name in _ONCE:
            raise ValueError(f"{name} is given twice: a request is for one target")
        query[name] = value
    return query
