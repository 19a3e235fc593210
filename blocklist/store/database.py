"""Connections and transactions: one connection a thread, writers in turn, readers never waiting."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlite_utils

from blocklist.domain.errors import StoreError
from blocklist.store.schema.migrations import MIGRATIONS

Row = dict[str, Any]
#: A table of the texts of one parameter (:func:`as_texts`), with the columns ``key``, from 0, and ``value``.
#: PostgreSQL has ``unnest(?) WITH ORDINALITY`` for it.
TEXTS = "json_each(?)"
#: Mode of a new file, less what the umask takes: it holds the hashes of passwords, which are nobody else's to read.
_MODE = 0o660
#: How long a writer waits for another, in seconds: longer than recording a million rows takes.
_BUSY_SECONDS = 60


class Database:
    """The SQLite file. Reads see the last commit; :meth:`transaction` makes several writes one."""

    def __init__(self, path: Path) -> None:
        """Open the file and bring its tables up to date.

        :raises StoreError: see :class:`blocklist.store.Store`.
        """
        self.path = path
        self._local = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                # SQLite gives what it puts beside the file the same mode.
                path.touch(_MODE)
            self._migrate()
        except StoreError:
            self.close()
            raise
        except (OSError, sqlite3.Error) as error:
            self.close()
            raise StoreError(
                f"{path}: the database cannot be used: {error}; check the folder's permissions and free space"
            ) from None

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Return all rows of a query as dictionaries."""
        cursor = self._connection.execute(sql, parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> Row | None:
        """Return the first row of a query, or None."""
        return next(iter(self.rows(sql, parameters)), None)

    def value(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """Return the first column of the first row of a query, or None."""
        found = self._connection.execute(sql, parameters).fetchone()
        return found[0] if found else None

    def tuples(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield rows as tuples: for queries of a million rows."""
        yield from self._connection.execute(sql, parameters)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run a statement that writes, inside :meth:`transaction`; return how many rows it changed."""
        return self._connection.execute(sql, parameters).rowcount

    def insert(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run ``INSERT … RETURNING id`` inside :meth:`transaction`; return the id."""
        return int(self._connection.execute(sql, parameters).fetchone()[0])

    def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement once a row."""
        self._connection.executemany(sql, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the writes inside one: all of them last, or none.

        It takes the write lock at once. A transaction that only later turned to writing could find that another
        writer had been faster, and would have to be run anew.

        :raises StoreError: the disk is full, failed, or another writer kept the lock for a minute.
        """
        connection = self._connection
        if connection.in_transaction:
            yield
            return
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.OperationalError as error:
            raise StoreError(f"{self.path}: {error}; nothing of this change was kept") from error

    def write_if_free(self, sql: str, parameters: Sequence[Any] = ()) -> bool:
        """Run one statement that writes if nobody else is writing; return whether it did.

        For what may be left undone: a request that only reads must not wait for a run that records a million rows.
        """
        connection = self._connection
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            connection.execute(sql, parameters)
        except sqlite3.OperationalError:
            return False
        finally:
            connection.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1_000}")
        return True

    @contextmanager
    def staging(self) -> Iterator[None]:
        """Make writes to temporary tables one, without the write lock: others may write while a body is being read."""
        self._connection.execute("BEGIN DEFERRED")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Let every query inside see one and the same state of the database."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("ROLLBACK")

    @contextmanager
    def traced(self, tell: Callable[[str], object]) -> Iterator[None]:
        """Call ``tell`` with each statement that this thread makes inside, its parameters filled in."""
        connection = self._connection
        connection.set_trace_callback(tell)
        try:
            yield
        finally:
            connection.set_trace_callback(None)

    def check(self) -> list[str]:
        """Return what SQLite's own integrity check finds wrong; nothing for a whole database."""
        found = [str(row[0]) for row in self._connection.execute("PRAGMA integrity_check")]
        return [] if found == ["ok"] else found

    def close_thread(self) -> None:
        """Close the connection of a thread that ends."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            with self._lock:
                self._all.remove(connection)
            del self._local.connection
            connection.close()

    def close(self) -> None:
        """Close the connections of every thread."""
        with self._lock:
            for connection in self._all:
                connection.close()
            self._all.clear()
        self._local = threading.local()

    @property
    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._open()
        return connection

    def _open(self) -> sqlite3.Connection:
        # isolation_level None: transactions begin where the code says so, not where the driver guesses.
        connection = sqlite3.connect(
            self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        with self._lock:
            self._all.append(connection)
        # Measured by cutting power: with FULL no acknowledged commit was lost, with NORMAL hundreds were.
        for pragma in (
            *(
                "page_size = 8192",
                "journal_mode = WAL",
                "synchronous = FULL",
                "foreign_keys = ON",
                "recursive_triggers = ON",
            ),
            *("temp_store = FILE", "cache_size = -65536", "temp.cache_size = -65536"),
            # Debian builds SQLite to overwrite whatever is deleted, which a temporary table has no use for.
            "temp.secure_delete = OFF",
        ):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def _migrate(self) -> None:
        database = sqlite_utils.Database(self._connection)
        known = {migration.name for migration in MIGRATIONS.pending(database)}
        known |= {migration.name for migration in MIGRATIONS.applied(database)}
        applied = {migration.name for migration in MIGRATIONS.applied(database)}
        ours = {migration.name for migration in MIGRATIONS._migrations}
        if applied - ours:
            newer = ", ".join(sorted(applied - ours))
            raise StoreError(
                f"{self.path}: the database comes from a newer version of blocklist (it has {newer}); "
                "install that version, or restore a backup made before the upgrade"
            )
        if known - applied:
            MIGRATIONS.apply(database)


def as_texts(texts: Sequence[str]) -> str:
    """Return texts as the parameter of :data:`TEXTS`."""
    return json.dumps(texts, separators=(",", ":"))


def like(text: str) -> str:
    r"""Return the pattern of ``LIKE … ESCAPE '\'`` that a lower-case text with another in it fits.

    >>> like("50%_A")
    '%50\\%\\_a%'
    """
    return "%" + text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
