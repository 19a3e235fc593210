"""SQLite as engine: a file in the data folder, opened in WAL mode with ``synchronous=FULL``."""

from __future__ import annotations

from blocklist.store.engine.sqlite.sqlite_database import SqliteDatabase

__all__ = ["SqliteDatabase"]
