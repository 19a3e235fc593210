"""Bringing the tables of a SQLite file up to date."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import sqlite_utils

from blocklist.domain.errors import StoreError
from blocklist.store.engine.sqlite.schema.migrations import MIGRATIONS


def upgrade(connection: sqlite3.Connection, path: Path) -> None:
    """Apply the migrations that a database does not have yet.

    :raises StoreError: it has migrations that this version does not know.
    """
    database = sqlite_utils.Database(connection)
    applied = {migration.name for migration in MIGRATIONS.applied(database)}
    unknown = applied - {migration.name for migration in MIGRATIONS._migrations}
    if unknown:
        raise StoreError(
            f"{path}: the database comes from a newer version of blocklist (it has {', '.join(sorted(unknown))}); "
            "install that version, or restore a backup made before the upgrade"
        )
    if MIGRATIONS.pending(database):
        MIGRATIONS.apply(database)
