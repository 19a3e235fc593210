"""What the parts of the store share: their database, and the pieces that statements are put together from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sized
from itertools import islice
from typing import Any

from blocklist.domain.errors import NotFoundError
from blocklist.store.engine import Database, Row

#: Parameters of one statement, well under the limit of every engine.
_MOST_PARAMETERS = 900


class Table:
    """A part of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def _insert(self, table: str, **values: Any) -> int:
        """Add a row, in a transaction; return its id."""
        with self._database.transaction():
            return self._database.number(
                f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks(values)}) RETURNING id", (*values.values(),)
            )

    def _get(self, what: str, query: str, key: int | str) -> Row:
        """Return the row of a query with the parameter ``key``.

        :raises NotFoundError: there is none; the message calls it ``what``, as the commands do.
        """
        row = self._database.row(query, (key,))
        if row is None:
            raise NotFoundError(f"there is no {what} {key!r}: 'blocklist {what} list' shows those there are")
        return row

    def _page(self, table: str, limit: int | None, *conditions: tuple[str, Any]) -> list[Row]:
        """Return the rows that meet conditions (see :func:`all_of`), by id; up to ``limit``, or all for None."""
        where, parameters = all_of(*conditions)
        most, number = ("", ()) if limit is None else (" LIMIT ?", (limit,))
        return self._database.rows(f"SELECT * FROM {table} WHERE {where} ORDER BY id{most}", (*parameters, *number))

    def _update(self, table: str, values: Mapping[str, Any], condition: str, *parameters: Any) -> int:
        """Set columns of the rows that meet a condition, in a transaction; return how many rows there were."""
        columns = ", ".join(f"{column} = ?" for column in values)
        with self._database.transaction():
            return self._database.execute(
                f"UPDATE {table} SET {columns} WHERE {condition}", (*values.values(), *parameters)
            )


def marks(values: Sized) -> str:
    """Return a mark for each of the parameters.

    >>> marks("abc")
    '?, ?, ?'
    """
    return ", ".join("?" * len(values))


def chunks(values: Iterable[str], size: int = _MOST_PARAMETERS) -> Iterator[list[str]]:
    """Yield values in lists that are short enough for one statement each."""
    remaining = iter(values)
    while chunk := list(islice(remaining, size)):
        yield chunk


def all_of(*conditions: tuple[str, Any]) -> tuple[str, list[Any]]:
    """Return the condition that all of these hold, and its parameters; those whose parameter is None are left out.

    >>> all_of(("id > ?", 7), ("state = ?", None), ("feed = ?", "court"))
    ('id > ? AND feed = ?', [7, 'court'])
    """
    given = [(condition, parameter) for condition, parameter in conditions if parameter is not None]
    return " AND ".join(condition for condition, _ in given) or "true", [parameter for _, parameter in given]


def containing(column: str) -> str:
    """Return the condition that a column contains the text of the parameter (see :func:`like`), case ignored."""
    return f"lower({column}) LIKE ? ESCAPE '\\'"


def like(text: str) -> str:
    r"""Return the pattern of ``LIKE … ESCAPE '\'`` for lower-case texts that contain this one.

    >>> like("50%_A")
    '%50\\%\\_a%'
    """
    return "%" + text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
