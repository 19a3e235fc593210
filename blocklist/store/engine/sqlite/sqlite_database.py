"""SQLite: one connection a thread, writers in turn, readers that never wait."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from blocklist.domain.errors import StoreError
from blocklist.store.engine.database import Database, Row
from blocklist.store.engine.sqlite.sqlite_staging import SqliteStagingTables
from blocklist.store.engine.sqlite.thread_connections import BUSY_SECONDS, Connections
from blocklist.store.engine.sqlite.upgrade import upgrade

#: Ids of listings that :meth:`SqliteDatabase.host_blocks` puts into one block: some hundred kilobytes of text.
_BLOCK = 4_096


class SqliteDatabase(Database):
    """A SQLite file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connections = Connections(path)
        self.staging = SqliteStagingTables(self._connections)
        try:
            self._connections.create_file()
            locks = path.parent / "locks"
            locks.mkdir(exist_ok=True)
            # Several processes may open a new folder at once. SQLite does not wait if the first connection changes the
            # journal mode, nor between the migrations, each of which is a transaction.
            with FileLock(locks / "upgrade.lock"):
                upgrade(self._connections.current, path)
        except StoreError:
            self.close()
            raise
        except (OSError, sqlite3.Error) as error:
            self.close()
            raise StoreError(
                f"{path}: the database cannot be used: {error}; check the folder's permissions and free space"
            ) from None

    def tuples(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        yield from self._connections.current.execute(sql, parameters)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        cursor = self._connections.current.execute(sql, parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        return self._connections.current.execute(sql, parameters).rowcount

    def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self._connections.current.executemany(sql, rows)

    def write_if_free(self, sql: str, parameters: Sequence[Any] = ()) -> bool:
        connection = self._connections.current
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            connection.execute(sql, parameters)
        except sqlite3.OperationalError:
            return False
        finally:
            connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1_000}")
        return True

    def joined_with(self, texts: Sequence[str], columns: str, joined: str) -> Iterator[tuple[Any, ...]]:
        # CROSS JOIN keeps this order: for each text, listings are found through an index.
        return self.tuples(f"SELECT {columns} FROM json_each(?) AS t CROSS JOIN {joined}", (json.dumps(texts),))

    def host_blocks(self, condition: str) -> Iterator[tuple[str, int, str, str]]:
        return self.tuples(
            "SELECT group_concat(value, ' '), feed_id, scope, listed_from FROM listings AS l NOT INDEXED"
            f" WHERE {condition} GROUP BY id / {_BLOCK}, feed_id, scope, listed_from"
        )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        connection = self._connections.current
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

    @contextmanager
    def reading(self) -> Iterator[None]:
        connection = self._connections.current
        connection.execute("BEGIN")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")

    def check(self) -> list[str]:
        found = [str(row[0]) for row in self.tuples("PRAGMA integrity_check")]
        return [] if found == ["ok"] else found

    def close_thread(self) -> None:
        self._connections.close_current()

    def close(self) -> None:
        self._connections.close_all()
