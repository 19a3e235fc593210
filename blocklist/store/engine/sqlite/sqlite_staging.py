"""The staging tables in SQLite: temporary tables, which need no lock on the file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from blocklist.domain.listing import HostBlock
from blocklist.store.columns import STAGED, STAGED_WITHOUT_FACTS, listed
from blocklist.store.engine.database import StagingTables
from blocklist.store.engine.sqlite.thread_connections import Connections

_TYPES = ", ".join(f"{name} {'INTEGER' if name == 'position' else 'TEXT'}" for name in STAGED)
_TABLES = {
    "incoming": _TYPES,
    "opening": f"{_TYPES}, listed_from TEXT, replaces INTEGER",
    "closing": "id INTEGER PRIMARY KEY",
}
#: Of all columns, so that rows come out in its order without a lookup for each.
_INDEX = f"CREATE INDEX temp.incoming_rule ON incoming ({listed(STAGED)})"


class SqliteStagingTables(StagingTables):
    """Temporary tables of the connection of a thread."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    @contextmanager
    def filling(self) -> Iterator[None]:
        connection = self._connections.current
        self.drop()
        for table, columns in _TABLES.items():
            connection.execute(f"CREATE TEMPORARY TABLE {table} ({columns})")
        connection.execute("BEGIN DEFERRED")
        try:
            yield
            connection.execute(_INDEX)
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise

    def add_hosts(self, hosts: HostBlock) -> None:
        self._connections.current.execute(
            "INSERT INTO incoming (value, kind, scope, position) SELECT value, 'host', ?, ? + key FROM json_each(?)",
            (hosts.scope.value, hosts.position, json.dumps(hosts.values, separators=(",", ":"))),
        )

    def add_rows(self, rows: list[tuple[Any, ...]]) -> None:
        # Most rows state none: then half of the columns are not bound.
        for columns in (STAGED_WITHOUT_FACTS, STAGED):
            marks = ", ".join("?" * len(columns))
            self._connections.current.executemany(
                f"INSERT INTO incoming ({listed(columns)}) VALUES ({marks})",
                (row for row in rows if len(row) == len(columns)),
            )

    def drop(self) -> None:
        for table in _TABLES:
            self._connections.current.execute(f"DROP TABLE IF EXISTS temp.{table}")
