"""The connections to a SQLite file: one for each thread, opened when the thread first needs it."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

#: Mode of a new file, less what the umask takes away: the file holds password hashes.
_MODE = 0o660
#: How long a writer waits for another, in seconds: longer than recording a million rows takes.
BUSY_SECONDS = 60
_PRAGMAS = (
    "page_size = 8192",
    "journal_mode = WAL",
    # Measured by cutting power: with FULL no acknowledged commit was lost, with NORMAL hundreds were.
    "synchronous = FULL",
    "foreign_keys = ON",
    "recursive_triggers = ON",
    "temp_store = FILE",
    "cache_size = -65536",
    "temp.cache_size = -65536",
    # Debian builds SQLite to overwrite what is deleted, which is of no use in a temporary table.
    "temp.secure_delete = OFF",
)


class Connections:
    """The connections of all threads to one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._lock = threading.Lock()

    def create_file(self) -> None:
        """Create the file and its folder, if there is none.

        :raises OSError: they cannot be created.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if not self._path.exists():
            # SQLite gives the files beside it the same mode.
            self._path.touch(_MODE)

    @property
    def current(self) -> sqlite3.Connection:
        """The connection of the current thread."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._open()
        return connection

    def close_current(self) -> None:
        """Close the connection of the current thread, if it has one."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            with self._lock:
                self._all.remove(connection)
            del self._local.connection
            connection.close()

    def close_all(self) -> None:
        """Close the connections of all threads."""
        with self._lock:
            for connection in self._all:
                connection.close()
            self._all.clear()
        self._local = threading.local()

    def _open(self) -> sqlite3.Connection:
        # isolation_level None: transactions begin where the code says so, not where the driver guesses.
        connection = sqlite3.connect(
            self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        with self._lock:
            self._all.append(connection)
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        return connection
