"""What the tables need from a database engine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from blocklist.domain.listing import HostBlock

Row = dict[str, Any]
Item = TypeVar("Item")
Shape = TypeVar("Shape", bound=NamedTuple)


class Database(ABC):
    """A database for several threads, each with a connection of its own. ``path`` is its file.

    Statements mark parameters with ``?``. A read sees the last commit; writes belong inside :meth:`transaction`.
    """

    path: Path
    #: The temporary tables into which a thread loads the body that it reads.
    staging: StagingTables

    @abstractmethod
    def tuples(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query one at a time: for queries with up to millions of rows."""

    @abstractmethod
    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Return all rows of a query as dictionaries."""

    @abstractmethod
    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run a statement that writes; return how many rows it changed."""

    @abstractmethod
    def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each row of parameters."""

    @abstractmethod
    def write_if_free(self, sql: str, parameters: Sequence[Any] = ()) -> bool:
        """Run a statement that writes, unless somebody else is writing; return whether it ran.

        For writes that may be skipped: a request that only reads must not wait until a run has recorded a million rows.
        """

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> Row | None:
        """Return the first row of a query, or None."""
        return next(iter(self.rows(sql, parameters)), None)

    def value(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """Return the first column of the first row of a query, or None."""
        found = next(self.tuples(sql, parameters), None)
        return found[0] if found else None

    def named(self, shape: type[Shape], sql: str, parameters: Sequence[Any] = ()) -> Iterator[Shape]:
        """Yield the rows of a query as named tuples, whose fields are its columns in order."""
        return map(shape._make, self.tuples(sql, parameters))

    def number(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Return the first column of the first row of a query, which is never null, as a number."""
        return int(self.value(sql, parameters))

    def mapped(self, make: Callable[[Row], Item], sql: str, parameters: Sequence[Any] = ()) -> list[Item]:
        """Return what a function makes of each row of a query."""
        return [make(row) for row in self.rows(sql, parameters)]

    def text(self, sql: str, parameters: Sequence[Any] = ()) -> str | None:
        """Return the first column of the first row of a query as text, or None."""
        found = self.value(sql, parameters)
        return None if found is None else str(found)

    # Reads for which each engine has a fast statement of its own

    @abstractmethod
    def joined_with(self, texts: Sequence[str], columns: str, joined: str) -> Iterator[tuple[Any, ...]]:
        """Yield ``SELECT columns FROM texts AS t JOIN joined``; ``t`` has the one column ``value``."""

    @abstractmethod
    def host_blocks(self, condition: str) -> Iterator[tuple[str, int, str, str]]:
        """Yield the values of listings that meet a condition, thousands together with spaces between them.

        Behind the values stand what the listings of a block have in common: feed id, scope and ``listed_from``.
        """

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """Make the writes inside one: all of them last, or none. Inside another transaction it is part of that one.

        It takes the write lock at once. A transaction that turned to writing later could find that another writer was
        faster, and would have to start again.

        :raises StoreError: the disk is full or failed, or another writer kept the lock for a minute.
        """

    @abstractmethod
    def reading(self) -> AbstractContextManager[None]:
        """Let all queries inside see the same state of the database."""

    @abstractmethod
    def check(self) -> list[str]:
        """Return what the engine's integrity check finds wrong; nothing for a sound database."""

    @abstractmethod
    def close_thread(self) -> None:
        """Close the connection of the current thread, which ends."""

    @abstractmethod
    def close(self) -> None:
        """Close the connections of all threads."""


class StagingTables(ABC):
    """Temporary tables that only their thread sees: a body's rules, and how they differ from what a feed lists.

    - ``incoming``: the rules of the body, with the columns of :data:`blocklist.store.columns.STAGED`.
    - ``opening``: the rows of ``incoming`` to list. Where a row restates an open listing, ``replaces`` is the id of
      that listing, and ``listed_from`` when it was first listed.
    - ``closing``: the ids of the open listings that the body no longer names.
    """

    @abstractmethod
    def filling(self) -> AbstractContextManager[None]:
        """Create the tables, then keep all rows that are added inside, or none. Others may write meanwhile."""

    @abstractmethod
    def add_hosts(self, hosts: HostBlock) -> None:
        """Add a row to ``incoming`` for each of many hosts."""

    @abstractmethod
    def add_rows(self, rows: list[tuple[Any, ...]]) -> None:
        """Add rows to ``incoming``, each with all its columns, or without the facts where it states none."""

    @abstractmethod
    def drop(self) -> None:
        """Drop the tables, if there are any."""
