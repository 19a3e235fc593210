"""The seam between the tables and the database engine: statements of one engine only are written in here.

The modules beside this package use :class:`Database` and SQL that PostgreSQL and SQLite both accept with the same
meaning. How an engine connects, locks, migrates, bulk loads and checks itself is its own.
"""

from __future__ import annotations

from pathlib import Path

from blocklist.store.engine.database import Database, Row
from blocklist.store.engine.sqlite import SqliteDatabase

__all__ = ["Database", "Row", "open_database"]


def open_database(path: Path) -> Database:
    """Open the database of a data folder, create it if there is none, and bring its tables up to date.

    :raises StoreError: see :class:`blocklist.store.Store`.
    """
    return SqliteDatabase(path)
